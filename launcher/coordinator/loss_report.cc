#include "launcher/coordinator/loss_report.h"

#include "launcher/coordinator/json.h"

namespace convoy {
namespace {

Json MembershipLine(const char* kind, std::string_view process, uint64_t step, uint64_t generation,
                    absl::Duration since) {
  Json line = EventLine(kind, generation, since);
  line["process"] = process;
  line["step"] = step;
  return line;
}

}  // namespace

std::string LostLine(std::string_view process, std::string_view cause, uint64_t step,
                     uint64_t generation, absl::Duration since) {
  Json line = MembershipLine("lost", process, step, generation, since);
  line["cause"] = cause;
  return ToText(line);
}

std::string ReturnLine(std::string_view process, uint64_t step, uint64_t generation,
                       absl::Duration since) {
  return ToText(MembershipLine("returned", process, step, generation, since));
}

std::string RejoinLine(std::string_view process, uint64_t step, uint64_t generation,
                       absl::Duration since) {
  return ToText(MembershipLine("rejoined", process, step, generation, since));
}

std::string DividedLine(uint32_t workers, uint32_t before, std::optional<uint64_t> step,
                        uint64_t generation, absl::Duration since) {
  Json line = EventLine("divided", generation, since);
  if (step) line["step"] = *step;
  line["workers"] = workers;
  line["workers_before"] = before;
  return ToText(line);
}

std::string RecoveredLine(uint64_t step, uint64_t generation, absl::Duration since) {
  return ToText(MembershipLine("recovered", "coordinator", step, generation, since));
}

}  // namespace convoy
