#include "common/job/error_report.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/job/field_text.h"

namespace convoy {

void ErrorReport::Add(const Place& place, std::string message) {
  // A line break from a value must not look like another error.
  std::replace_if(message.begin(), message.end(), absl::ascii_iscntrl, '?');
  errors_.push_back({place, std::move(message)});
}

std::string ErrorReport::PlaceText(const Place& place) const {
  if (place.argument >= 0) return absl::StrCat("--set ", Shown(arguments_[place.argument]));
  return place.line == 0 ? filename_ : absl::StrCat(filename_, ":", place.line);
}

absl::Status ErrorReport::ToStatus() const {
  if (empty()) return absl::OkStatus();
  std::vector<Error> sorted = errors_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Error& a, const Error& b) {
    return std::tie(a.place.argument, a.place.line) < std::tie(b.place.argument, b.place.line);
  });
  return absl::InvalidArgumentError(
      absl::StrJoin(sorted, "\n", [this](std::string* out, const Error& error) {
        absl::StrAppend(out, PlaceText(error.place), ": ", error.message);
      }));
}

}  // namespace convoy
