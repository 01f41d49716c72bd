// Preloaded into a program: its machine's clock is that of this machine plus what the file
// $SHIFTED_CLOCK_FILE says, 8 bytes with nanoseconds. Clocks that are not set stay as they are.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

constexpr int64_t kSecond = 1'000'000'000;

const std::atomic<int64_t>* Shift() {
  static const auto* const shift = []() -> const std::atomic<int64_t>* {
    const char* const path = std::getenv("SHIFTED_CLOCK_FILE");
    const int fd = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return nullptr;
    void* const mapped = ::mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
    ::close(fd);
    return mapped == MAP_FAILED ? nullptr : static_cast<const std::atomic<int64_t>*>(mapped);
  }();
  return shift;
}

int64_t ShiftedNanos() {
  timespec now{};
  ::syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  const std::atomic<int64_t>* const shift = Shift();
  return now.tv_sec * kSecond + now.tv_nsec + (shift == nullptr ? 0 : shift->load());
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)
    return static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  const int64_t nanos = ShiftedNanos();
  time->tv_sec = nanos / kSecond;
  time->tv_nsec = nanos % kSecond;
  return 0;
}

int gettimeofday(timeval* time, void*) noexcept {
  const int64_t nanos = ShiftedNanos();
  time->tv_sec = nanos / kSecond;
  time->tv_usec = nanos % kSecond / 1000;
  return 0;
}

time_t time(time_t* result) noexcept {
  const time_t seconds = ShiftedNanos() / kSecond;
  if (result != nullptr) *result = seconds;
  return seconds;
}

}  // extern "C"
