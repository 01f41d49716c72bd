// Job.init.map: names of an archive as the model has them.
#ifndef CONVOY_COMMON_CHECKPOINT_MAP_RULES_H_
#define CONVOY_COMMON_CHECKPOINT_MAP_RULES_H_

#include <memory>
#include <optional>
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

// Rules OLD=NEW, divided at the last "=". One thread.
class MapRules {
 public:
  // InvalidArgument: a rule without "=", an OLD that is no RE2 expression, a NEW that names a group
  // that OLD has not.
  static absl::StatusOr<MapRules> Compile(
      const google::protobuf::RepeatedPtrField<std::string>& rules);
  MapRules(MapRules&&) noexcept;
  ~MapRules();

  // The new name by the first rule that matches the whole name; nothing: none does.
  std::optional<std::string> NewName(std::string_view name);
  // InvalidArgument: a rule has matched no name that it was tried on; `names` are listed.
  absl::Status CheckAllMatched(const std::vector<std::string>& names) const;

 private:
  struct Rule {
    std::string text;
    std::unique_ptr<re2::RE2> from;
    std::string to;
    bool matched = false;
  };
  MapRules();

  std::vector<Rule> rules_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_MAP_RULES_H_
