// Lists of regular expressions by which a job names variables and tables.
#ifndef CONVOY_COMMON_NAME_PATTERNS_H_
#define CONVOY_COMMON_NAME_PATTERNS_H_

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace re2 {
class RE2;
}

namespace convoy {

// RE2 regular expressions that match whole names, and which of them have matched one. One thread.
class NamePatterns {
 public:
  // `field`: of the job, for messages, e.g. "init.replace". InvalidArgument: not an RE2 expression.
  static absl::StatusOr<NamePatterns> Compile(
      std::string field, const google::protobuf::RepeatedPtrField<std::string>& patterns);
  NamePatterns(NamePatterns&&) noexcept;
  NamePatterns& operator=(NamePatterns&&) noexcept;
  ~NamePatterns();

  // Whether one of them matches; all that do count as used.
  bool Matches(std::string_view name);
  // InvalidArgument: one has matched none of the names that it was tried on; `what` they are, e.g.
  // "variable or table", and `names` are listed.
  absl::Status CheckAllMatched(std::string_view what, std::span<const std::string> names) const;

 private:
  struct Pattern {
    std::unique_ptr<re2::RE2> expression;
    bool matched = false;
  };
  explicit NamePatterns(std::string field);

  std::string field_;
  std::vector<Pattern> patterns_;
};

// "a, b, c", at most 20 of them, then "and 5 more"; "none" if there are none.
std::string ListOfNames(std::span<const std::string> names);

}  // namespace convoy

#endif  // CONVOY_COMMON_NAME_PATTERNS_H_
