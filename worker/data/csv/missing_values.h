// What stands for a missing value in a CSV file.
#ifndef CONVOY_WORKER_DATA_CSV_MISSING_VALUES_H_
#define CONVOY_WORKER_DATA_CSV_MISSING_VALUES_H_

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "worker/data/csv/csv_number.h"

namespace convoy {

class MissingValues {
 public:
  // An empty field is missing in any case.
  template <typename Strings>
  explicit MissingValues(const Strings& values) : values_(values.begin(), values.end()) {
    for (const std::string& value : values_) {
      if (!value.empty()) first_[static_cast<unsigned char>(value[0])] = true;
    }
    double number;
    any_number_ = std::any_of(values_.begin(), values_.end(), [&](const std::string& value) {
      return ParseNumber(value, &number);
    });
  }

  bool Contains(std::string_view field) const {
    if (field.empty()) return true;
    return first_[static_cast<unsigned char>(field[0])] &&
           std::find(values_.begin(), values_.end(), field) != values_.end();
  }
  // Whether one of them looks like a number, e.g. -1 or 999.
  bool any_number() const { return any_number_; }
  const std::vector<std::string>& values() const { return values_; }

 private:
  std::vector<std::string> values_;
  std::array<bool, 256> first_ = {};  // bytes with which they begin
  bool any_number_ = false;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_MISSING_VALUES_H_
