// Workers that need much longer for an example than the others.
#ifndef CONVOY_LAUNCHER_COORDINATOR_STRAGGLERS_H_
#define CONVOY_LAUNCHER_COORDINATOR_STRAGGLERS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "launcher/coordinator/membership.h"

namespace convoy {

struct Straggler {
  size_t worker;
  double factor;  // the seconds that it needs for an example, over the median of the others
};

// `seconds_per_example` of each worker, of which it does not wait; nullopt: not known. From 1.5
// times the median of the others on a worker is a straggler.
std::vector<Straggler> FindStragglers(std::span<const std::optional<double>> seconds_per_example);

// "worker 1 needs 3.0 times as long for an example as the other workers".
std::string DescribeStraggler(const Straggler& straggler);

// Compares the workers once a period. One that was a straggler twice in a row is news, and one that
// was told and twice in a row is not.
// Workers are compared over so many heartbeats.
inline absl::Duration HeartbeatsToCompare(const v1::Job& job) {
  return 10 * absl::Milliseconds(job.cluster().heartbeat_ms());
}

class StragglerWatch {
 public:
  explicit StragglerWatch(absl::Duration period) : period_(period) {}

  // News, for people. Call as often as you like.
  std::vector<std::string> Look(const Membership& members, absl::Time now);

 private:
  struct Seen {
    uint64_t incarnation = 0;
    v1::ProcessUsage usage;
    bool told = false;
    int changed = 0;  // times in a row that it was not as it was told
  };
  // Since the last look; nullopt: it has done nothing, or is another process.
  static std::optional<double> SecondsPerExample(const Process& worker, Seen* seen);

  absl::Duration period_;
  absl::Time next_ = absl::InfinitePast();
  std::map<uint32_t, Seen> seen_;  // by rank
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_STRAGGLERS_H_
