// What jobs with embedding tables may say.
#include <re2/re2.h>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/job/field_text.h"
#include "common/job/model_task.h"
#include "common/job/paths.h"
#include "common/job/validate_sections.h"
#include "common/mode.h"

namespace convoy {
namespace {

using Violations = std::vector<Violation>;

constexpr uint64_t kBuckets = 1024;  // of a table

void WrongForTables(Violations* violations, const std::string& path, const std::string& text) {
  violations->push_back({path, path + text, false});
}

void ValidateRule(const v1::TableRule& rule, const std::string& path, Violations* violations) {
  if (rule.has_match()) {
    const re2::RE2 pattern(rule.match(), re2::RE2::Quiet);
    if (!pattern.ok()) {
      WrongForTables(violations, JoinPath(path, "match"),
                     absl::StrCat(" must be an RE2 regular expression, got \"", rule.match(),
                                  "\": ", pattern.error()));
    }
  }
  if (rule.max_rows() > 0 && rule.max_rows() < kBuckets) {
    WrongForTables(violations, JoinPath(path, "max_rows"),
                   absl::StrCat(" must be 0 (no limit) or at least ", kBuckets,
                                ", one row for each bucket, got ", rule.max_rows()));
  }
}

// Time is no part of what makes a step of these modes.
void ValidateExpiry(const v1::Job& job, const std::string& path, const v1::TableRule& rule,
                    Violations* violations) {
  const absl::StatusOr<Mode> mode = ParseMode(job.training().mode());
  if (rule.expire_after_seconds() == 0 || !mode.ok() || !mode->rounds()) return;
  WrongForTables(violations, JoinPath(path, "expire_after_seconds"),
                 absl::StrCat(": in mode ", job.training().mode(),
                              " the same job gives the same rows, however long its steps take; set "
                              "expire_after, which counts steps, or use async, ssp or geo"));
}

bool HasBudget(const v1::Job& job) {
  for (const v1::TableRule& rule : job.table()) {
    if (rule.max_rows() > 0 || rule.max_mb() > 0) return true;
  }
  return false;
}

}  // namespace

void ValidateTables(const v1::Job& job, Violations* violations) {
  const v1::Model& model = job.model();
  const bool known = model.kind_case() != v1::Model::KIND_NOT_SET && !model.has_custom();
  if (job.table_size() > 0 && known && !HasTables(model)) {
    WrongForTables(violations, ElementPath("table", 0),
                   absl::StrCat(" is a rule for embedding tables, but model is ", KindName(model),
                                ", which has none"));
  }
  for (int i = 0; i < job.table_size(); ++i) {
    const std::string path = ElementPath("table", i);
    ValidateRule(job.table(i), path, violations);
    ValidateExpiry(job, path, job.table(i), violations);
    if (job.table(i).when_full() == v1::TableRule::EVICT_OLDEST && !HasBudget(job)) {
      WrongForTables(violations, JoinPath(path, "when_full"),
                     " EVICT_OLDEST needs a budget: set max_rows or max_mb");
    }
  }
}

}  // namespace convoy
