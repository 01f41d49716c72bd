#include "tests/testing/await_epoch.h"

#include <chrono>
#include <cstdlib>

#include "tests/testing/run_program.h"

namespace convoy::testing {

bool AwaitEpoch(const std::string& run, int epoch) {
  const std::string text = "\"epoch\":";
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (std::chrono::steady_clock::now() < deadline) {
    const std::string events = ReadFile(run + "/events.jsonl");
    const size_t at = events.rfind(text);
    // "epoch":1.02 is in the second one.
    if (at != std::string::npos &&
        std::strtod(events.c_str() + at + text.size(), nullptr) > epoch - 1)
      return true;
    SleepMs(5);
  }
  return false;
}

}  // namespace convoy::testing
