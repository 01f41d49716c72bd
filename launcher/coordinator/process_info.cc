#include "launcher/coordinator/process_info.h"

#include <algorithm>

namespace convoy {

uint64_t MillisecondsSince(absl::Time start, absl::Time time) {
  if (time == absl::InfinitePast()) return 0;
  return static_cast<uint64_t>(std::max<int64_t>(1, absl::ToInt64Milliseconds(time - start)));
}

v1::ProcessInfo DescribeProcess(const Process& process, absl::Time start) {
  v1::ProcessInfo info;
  info.set_role(process.identity.role());
  info.set_rank(process.identity.rank());
  info.set_address(process.registration.address());
  info.set_pid(process.registration.pid());
  info.set_host(process.registration.host());
  info.set_step(process.step);
  info.set_activity(process.activity);
  *info.mutable_usage() = process.usage;
  info.set_ready(process.ready);
  if (process.identity.role() == v1::SERVER) *info.mutable_stats() = process.stats;
  info.set_heard_ms(MillisecondsSince(start, process.reported));
  info.set_stepped_ms(MillisecondsSince(start, process.stepped));
  info.set_finished(process.finished);
  info.set_lost(process.lost);
  return info;
}

}  // namespace convoy
