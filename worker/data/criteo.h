// Click logs as Criteo publishes them (Display Advertising Challenge 2014, Terabyte Click Logs): a
// label, 13 columns of whole numbers, 26 of categories in hexadecimal, between tabs. Any column but
// the label may be empty. https://www.kaggle.com/c/criteo-display-ad-challenge/data
#ifndef CONVOY_WORKER_DATA_CRITEO_H_
#define CONVOY_WORKER_DATA_CRITEO_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "worker/data/id_reader.h"

namespace convoy {

inline constexpr int kCriteoNumbers = 13;
inline constexpr int kCriteoFields = 39;

// What stands for the number x in the hash of its id: "" (missing) is handled by the caller; x <= 2
// "SP" and x; larger ones are put into buckets, floor(ln(x)^2). The rule of the winners of
// 2014: Juan, Zhuang and Chin, "3 Idiots' Approach for Display Advertising Challenge" (slides,
// NTU), Preprocessing-B.
std::string CriteoNumberToken(int64_t x);

// Every example has an id of value 1 in each of the 39 fields (the columns behind the label, from
// 0): HashedId(token, field), where the token is that of a number or the text of a category. A
// missing value is a token of its own, "". A line is bad if it has not 40 columns, or one of them
// is neither empty nor a whole number of at most 18 digits (hexadecimal digits, at most 16). Blank
// lines are skipped.
class CriteoParser final : public IdParser {
 public:
  CriteoParser(std::string name, uint64_t max_bad_lines);

 protected:
  bool IsNoExample(const char* line) const override;
  absl::Status ParseLine(const char* line, float* label) override;

 private:
  static absl::Status ParseLabel(std::string_view text, float* label);
  absl::Status AddNumber(int field, std::string_view text);
  absl::Status AddCategory(int field, std::string_view text);
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CRITEO_H_
