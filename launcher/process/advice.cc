#include "launcher/process/advice.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

namespace convoy {
namespace {

// One process also reads the examples, updates the weights and validates, which is not in its
// computing: on Fashion-MNIST it reaches 178,000 of 259,000 examples/s. Less than this much faster
// is no advice.
constexpr double kClearly = 1.5;
// Shorter runs say nothing.
constexpr double kShortestSeconds = 0.5;

// Of such models most of the work is in finding and updating rows, which one process would have to
// do, too.
bool HasTables(const nlohmann::json& summary) {
  const auto processes = summary.find("processes");
  if (processes == summary.end() || !processes->is_array()) return false;
  return std::any_of(processes->begin(), processes->end(),
                     [](const auto& process) { return process.contains("table_rows"); });
}

}  // namespace

std::string SingleProcessAdvice(std::string_view summary_json, std::string_view train) {
  const nlohmann::json summary =
      nlohmann::json::parse(summary_json, nullptr, /*allow_exceptions=*/false);
  if (!summary.is_object() || summary.value("servers", 0) == 0 || HasTables(summary)) return "";
  // What lost processes computed is not in the sum.
  if (summary.contains("restarts") || summary.contains("workers_replaced")) return "";
  const double compute = summary.value("compute_seconds", 0.0),
               examples = summary.value("new_examples", 0.0);
  const double speed = summary.value("examples_per_second", 0.0);
  if (compute <= 0 || speed <= 0 || examples / speed < kShortestSeconds) return "";
  const double alone = examples / compute;
  if (alone < kClearly * speed) return "";
  return absl::StrFormat(
      "One process without servers should be faster for this model on this machine: at most %.0f "
      "examples/s,\n"
      "because the model's own computing took %.2f s, instead of %.0f. To measure it:\n  %s --mode "
      "single\n",
      alone, compute, speed, train);
}

}  // namespace convoy
