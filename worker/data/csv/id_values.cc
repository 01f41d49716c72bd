#include "worker/data/csv/id_values.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "common/math/random.h"
#include "worker/data/csv/problems.h"
#include "worker/data/id_reader.h"

namespace convoy {
namespace {

std::string NoId(const std::string& column, std::string_view value) {
  return absl::StrCat("column \"", column, "\": expected an id, a whole number from 0 to ", kMaxId,
                      ", got ", QuotedValue(value), "; set id_from: TEXT if it is no number");
}

std::string AppendId(const std::string& column, uint64_t name, const v1::IdTreatment& treatment,
                     std::string_view value, std::vector<uint64_t>* ids) {
  if (treatment.from() == v1::CsvColumn::TEXT) {
    ids->push_back(HashedId(value, name));
    return "";
  }
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), id);
  if (error != std::errc() || end != value.data() + value.size() || id > kMaxId) {
    return NoId(column, value);
  }
  ids->push_back(id);
  return "";
}

}  // namespace

std::string AppendIds(const std::string& column, uint64_t name, const v1::IdTreatment& treatment,
                      std::string_view field, std::vector<uint64_t>* ids) {
  if (treatment.separator().empty()) return AppendId(column, name, treatment, field, ids);
  const auto before = static_cast<int64_t>(ids->size());
  std::string problem;
  for (size_t begin = 0; begin <= field.size() && problem.empty();) {
    const size_t end = std::min(field.find(treatment.separator()[0], begin), field.size());
    const std::string_view value = field.substr(begin, end - begin);
    if (!value.empty()) problem = AppendId(column, name, treatment, value, ids);
    begin = end + 1;
  }
  std::sort(ids->begin() + before, ids->end());
  ids->erase(std::unique(ids->begin() + before, ids->end()), ids->end());
  return problem;
}

uint64_t NameHash(std::string_view column) { return StableHash(column); }

}  // namespace convoy
