#include "worker/data/split.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/math/random.h"
#include "common/status.h"

namespace convoy {
namespace {

// Rows of a part of which at least one has to be left over.
absl::StatusOr<uint64_t> RowsOf(const v1::Validation& part, const char* setting, uint64_t n) {
  if (!part.has_fraction()) return 0;
  const double fraction = part.fraction();
  if (!(fraction > 0 && fraction < 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat(setting, ": expected a number between 0 and 1, got ", fraction));
  }
  if (n < 2) {
    return absl::InvalidArgumentError(absl::StrCat(setting, " needs at least 2 examples, got ", n));
  }
  const auto rows = static_cast<uint64_t>(std::llround(fraction * static_cast<double>(n)));
  return std::clamp<uint64_t>(rows, 1, n - 1);
}

}  // namespace

bool HasSplit(const v1::Data& data) {
  return data.validation().has_fraction() || data.test().has_fraction();
}

absl::StatusOr<Split> DrawSplit(const v1::Data& data, uint64_t n, uint64_t seed) {
  CONVOY_ASSIGN_OR_RETURN(const uint64_t validation,
                          RowsOf(data.validation(), "data.validation.fraction", n));
  CONVOY_ASSIGN_OR_RETURN(const uint64_t test, RowsOf(data.test(), "data.test.fraction", n));
  if (validation + test >= n) {
    return absl::InvalidArgumentError(
        absl::StrCat("data.validation.fraction and data.test.fraction take ", validation, " and ",
                     test, " of ", n, " examples: nothing is left to train on"));
  }
  std::vector<uint32_t> order = SeededPermutation(n, seed, "validation split", 0);
  const auto first = order.begin() + static_cast<int64_t>(validation);
  const auto last = order.end() - static_cast<int64_t>(test);
  std::sort(order.begin(), first);
  std::sort(first, last);
  std::sort(last, order.end());
  return Split{{first, last}, {order.begin(), first}, {last, order.end()}};
}

}  // namespace convoy
