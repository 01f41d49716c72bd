// Preloaded into a program: its machine's clock is that of this machine plus what the file
// $SHIFTED_CLOCK_FILE says, 8 bytes with nanoseconds. Clocks that are not set stay as they are.
// Who waits until a time of that clock (absl's condition variables in gRPC do) waits shorter or
// longer when it is set, as with the machine's own.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kLook = kSecond / 50;  // at the clock, while somebody waits for it

using SystemCall = long(long, ...);

SystemCall* RealCall() {
  static auto* const call = reinterpret_cast<SystemCall*>(::dlsym(RTLD_NEXT, "syscall"));
  return call;
}

int64_t Nanos(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }
timespec TimeOf(int64_t nanos) { return {nanos / kSecond, nanos % kSecond}; }

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

int64_t MachineNanos() {
  timespec now{};
  RealCall()(SYS_clock_gettime, CLOCK_REALTIME, &now);
  return Nanos(now);
}

int64_t ShiftedNanos() {
  const std::atomic<int64_t>* const shift = Shift();
  return MachineNanos() + (shift == nullptr ? 0 : shift->load());
}

// FUTEX_WAIT_BITSET until a time of the clock.
long WaitUntil(const long (&arguments)[6]) {
  const int64_t until = Nanos(*reinterpret_cast<const timespec*>(arguments[3]));
  while (true) {
    const int64_t left = until - ShiftedNanos();
    if (left <= 0) {
      errno = ETIMEDOUT;
      return -1;
    }
    const timespec look = TimeOf(MachineNanos() + std::min(left, kLook));
    const long result = RealCall()(SYS_futex, arguments[0], arguments[1], arguments[2], &look,
                                   arguments[4], arguments[5]);
    if (result == 0 || errno != ETIMEDOUT) return result;
  }
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)
    return static_cast<int>(RealCall()(SYS_clock_gettime, clock, time));
  *time = TimeOf(ShiftedNanos());
  return 0;
}

long syscall(long number, ...) noexcept {
  long arguments[6];
  va_list list;
  va_start(list, number);
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  const auto operation = static_cast<unsigned long>(arguments[1]);
  if (number == SYS_futex && (operation & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET &&
      (operation & FUTEX_CLOCK_REALTIME) != 0 && arguments[3] != 0) {
    return WaitUntil(arguments);
  }
  return RealCall()(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                    arguments[5]);
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
