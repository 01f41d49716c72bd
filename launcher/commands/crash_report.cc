#include "launcher/commands/crash_report.h"

#include <signal.h>
#include <unwind.h>

#include <cstdint>

#include "absl/debugging/failure_signal_handler.h"
#include "absl/debugging/stacktrace.h"
#include "absl/debugging/symbolize.h"

namespace convoy {
namespace {

struct Frames {
  void** addresses;
  int* sizes;
  int skip;
  int max;
  uintptr_t stack = 0;  // where the frame before this one ends
  int count = 0;
  int dropped = 0;
};

_Unwind_Reason_Code AddFrame(_Unwind_Context* context, void* argument) {
  Frames& frames = *static_cast<Frames*>(argument);
  const uintptr_t end = _Unwind_GetCFA(context);
  const int size = frames.stack == 0 ? 0 : static_cast<int>(end - frames.stack);
  frames.stack = end;
  if (frames.skip-- > 0 || _Unwind_GetIP(context) == 0) return _URC_NO_REASON;
  if (frames.count >= frames.max) {
    ++frames.dropped;
    return _URC_NO_REASON;
  }
  frames.addresses[frames.count] = reinterpret_cast<void*>(_Unwind_GetIP(context));
  if (frames.sizes != nullptr) frames.sizes[frames.count] = size;
  ++frames.count;
  return _URC_NO_REASON;
}

// By the unwind tables, which are always there. Abseil's own way follows frame pointers, which
// optimised code does not keep.
int Unwind(void** addresses, int* sizes, int max_depth, int skip, const void*, int* dropped) {
  Frames frames{addresses, sizes, skip + 1, max_depth};
  _Unwind_Backtrace(AddFrame, &frames);
  if (dropped != nullptr) *dropped = frames.dropped;
  return frames.count;
}

}  // namespace

void InstallCrashReport(const char* program) {
  struct sigaction terminate;
  sigaction(SIGTERM, nullptr, &terminate);
  absl::InitializeSymbolizer(program);
  absl::SetStackUnwinder(Unwind);
  absl::InstallFailureSignalHandler({});
  sigaction(SIGTERM, &terminate, nullptr);  // a request, not a crash
}

}  // namespace convoy
