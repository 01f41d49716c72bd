#include "common/process_usage.h"

#include <sys/resource.h>

namespace convoy {

v1::ProcessUsage CurrentProcessUsage() {
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  v1::ProcessUsage result;
  result.set_cpu_seconds(seconds(usage.ru_utime) + seconds(usage.ru_stime));
  result.set_peak_rss_bytes(static_cast<uint64_t>(usage.ru_maxrss) * 1024);
  return result;
}

}  // namespace convoy
