#include "common/process_usage.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>

namespace convoy {
namespace {

// The second number of /proc/self/statm, in pages. 0: there is none.
uint64_t ResidentBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long size = 0, resident = 0;
  const int read = std::fscanf(file, "%lu %lu", &size, &resident);
  std::fclose(file);
  return read == 2 ? uint64_t{resident} * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace

v1::ProcessUsage CurrentProcessUsage() {
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  v1::ProcessUsage result;
  result.set_cpu_seconds(seconds(usage.ru_utime) + seconds(usage.ru_stime));
  result.set_peak_rss_bytes(static_cast<uint64_t>(usage.ru_maxrss) * 1024);
  result.set_rss_bytes(ResidentBytes());
  return result;
}

}  // namespace convoy
