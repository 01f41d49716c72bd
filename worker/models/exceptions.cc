#include "worker/models/exceptions.h"

#include <cxxabi.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <typeinfo>

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

std::string TypeName() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "an unknown exception";
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), &std::free);
  return status == 0 ? name.get() : type->name();
}

}  // namespace

absl::Status CurrentExceptionStatus() {
  try {
    throw;
  } catch (const std::exception& exception) {
    return absl::InternalError(absl::StrCat("it threw ", TypeName(), ": ", exception.what()));
  } catch (...) {
    return absl::InternalError(absl::StrCat("it threw ", TypeName()));
  }
}

}  // namespace convoy
