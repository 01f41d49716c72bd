// The few lines that absl::Status of this distribution lacks.
#ifndef CONVOY_COMMON_STATUS_H_
#define CONVOY_COMMON_STATUS_H_

#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns from the enclosing function if `expr` (absl::Status) is not OK.
#define CONVOY_RETURN_IF_ERROR(expr)                 \
  do {                                               \
    absl::Status convoy_status_ = (expr);            \
    if (!convoy_status_.ok()) return convoy_status_; \
  } while (false)

#define CONVOY_CONCAT_INNER_(a, b) a##b
#define CONVOY_CONCAT_(a, b) CONVOY_CONCAT_INNER_(a, b)

// CONVOY_ASSIGN_OR_RETURN(auto x, MakeX()): declares or assigns x, or returns the error.
#define CONVOY_ASSIGN_OR_RETURN(lhs, expr) \
  CONVOY_ASSIGN_OR_RETURN_(CONVOY_CONCAT_(convoy_status_or_, __LINE__), lhs, expr)
#define CONVOY_ASSIGN_OR_RETURN_(result, lhs, expr)    \
  auto result = (expr);                                \
  if (!result.ok()) return std::move(result).status(); \
  lhs = *std::move(result)

namespace convoy {

// The same error with "prefix: " before its message; OK stays OK.
absl::Status Annotate(const absl::Status& status, std::string_view prefix);

}  // namespace convoy

#endif  // CONVOY_COMMON_STATUS_H_
