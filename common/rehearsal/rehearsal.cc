#include "common/rehearsal/rehearsal.h"

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {

absl::StatusOr<RehearsalPlan> RehearsalOf(const v1::Rehearsal& rehearsal) {
  RehearsalPlan plan;
  for (const std::string& text : rehearsal.slow_worker()) {
    CONVOY_ASSIGN_OR_RETURN(const SlowWorkerRule rule, ParseSlowWorkerRule(text));
    plan.slow_workers.push_back(rule);
  }
  CONVOY_ASSIGN_OR_RETURN(plan.link, ParseLinkLimit(rehearsal.link()));
  for (const std::string& text : rehearsal.fault()) {
    CONVOY_ASSIGN_OR_RETURN(const Fault fault, ParseFault(text));
    if (fault.kind == Fault::Kind::kSlow) {
      plan.slow_workers.push_back({.worker = fault.rank, .factor = fault.factor});
    } else {
      plan.faults.push_back(fault);
    }
  }
  return plan;
}

std::vector<std::string> Describe(const RehearsalPlan& plan) {
  std::vector<std::string> lines;
  for (const SlowWorkerRule& rule : plan.slow_workers) lines.push_back(Describe(rule));
  if (plan.link.any()) lines.push_back(absl::StrCat("a link of ", Describe(plan.link)));
  for (const Fault& fault : plan.faults) lines.push_back(ToString(fault));
  return lines;
}

}  // namespace convoy
