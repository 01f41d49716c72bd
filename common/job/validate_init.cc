// What jobs that begin with other weights may say, and which parts they freeze.
#include <re2/re2.h>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/map_rules.h"
#include "common/job/field_text.h"
#include "common/job/paths.h"
#include "common/job/validate_sections.h"
#include "common/optimizers/anchored.h"

namespace convoy {
namespace {

using Names = google::protobuf::RepeatedPtrField<std::string>;

void ValidatePatterns(const Names& patterns, const std::string& path,
                      std::vector<Violation>* violations) {
  for (int i = 0; i < patterns.size(); ++i) {
    const re2::RE2 pattern(patterns[i], re2::RE2::Quiet);
    if (pattern.ok() && !patterns[i].empty()) continue;
    const std::string element = ElementPath(path, i);
    violations->push_back(
        {element,
         absl::StrCat(element, " must be an RE2 regular expression for whole names, got ",
                      Shown(patterns[i]), pattern.ok() ? "" : absl::StrCat(": ", pattern.error())),
         false});
  }
}

void ValidateMap(const Names& rules, std::vector<Violation>* violations) {
  for (int i = 0; i < rules.size(); ++i) {
    Names one;
    *one.Add() = rules[i];
    const absl::Status status = MapRules::Compile(one).status();
    if (status.ok()) continue;
    violations->push_back({ElementPath("init.map", i), std::string(status.message()), false});
  }
}

void ValidateAnchor(const v1::Job& job, std::vector<Violation>* violations) {
  const double strength = StrongestAnchor(job.optimizer());
  if (strength == 0 || job.has_init()) return;
  violations->push_back(
      {"optimizer.anchor",
       absl::StrCat("optimizer.anchor: got ", strength,
                    ", but nothing is loaded that weights could stay near: set init.from"),
       false});
}

}  // namespace

void ValidateInit(const v1::Job& job, std::vector<Violation>* violations) {
  ValidatePatterns(job.optimizer().freeze(), "optimizer.freeze", violations);
  const v1::Init& init = job.init();
  if (job.has_init() && init.from().empty()) {
    violations->push_back(
        {"init.from", "init.from is missing: the run directory, checkpoint or file to begin with",
         !init.has_from()});
  }
  ValidatePatterns(init.replace(), "init.replace", violations);
  ValidatePatterns(init.widen(), "init.widen", violations);
  ValidatePatterns(init.reset_optimizer(), "init.reset_optimizer", violations);
  ValidateMap(init.map(), violations);
  ValidateAnchor(job, violations);
}

}  // namespace convoy
