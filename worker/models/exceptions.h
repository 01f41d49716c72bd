// Exceptions of code that is not ours end here: no exception crosses Convoy's interfaces.
#ifndef CONVOY_WORKER_MODELS_EXCEPTIONS_H_
#define CONVOY_WORKER_MODELS_EXCEPTIONS_H_

#include <type_traits>
#include <utility>

#include "absl/status/status.h"

namespace convoy {

// Internal, with the type of the exception that is being handled and what it says. Call in a
// handler.
absl::Status CurrentExceptionStatus();

// Calls `function`, which returns absl::Status or absl::StatusOr; what it throws is returned.
template <typename Function>
std::invoke_result_t<Function> WithoutExceptions(Function&& function) {
  try {
    return std::forward<Function>(function)();
  } catch (...) {
    return CurrentExceptionStatus();
  }
}

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_EXCEPTIONS_H_
