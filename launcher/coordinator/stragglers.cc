#include "launcher/coordinator/stragglers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace convoy {
namespace {

constexpr double kStragglerFactor = 1.5;
constexpr int kTimesInARow = 2;

double MedianOf(std::vector<double> values) {
  const auto half = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, half);
  if (values.size() % 2 == 1) return *half;
  return (*half + *std::max_element(values.begin(), half)) / 2;
}

}  // namespace

std::vector<Straggler> FindStragglers(std::span<const std::optional<double>> seconds_per_example) {
  std::vector<Straggler> found;
  for (size_t worker = 0; worker < seconds_per_example.size(); ++worker) {
    if (!seconds_per_example[worker]) continue;
    std::vector<double> others;
    for (size_t other = 0; other < seconds_per_example.size(); ++other) {
      if (other != worker && seconds_per_example[other])
        others.push_back(*seconds_per_example[other]);
    }
    if (others.empty()) continue;
    const double median = MedianOf(std::move(others));
    const double factor = *seconds_per_example[worker] / median;
    if (median > 0 && factor >= kStragglerFactor) found.push_back({worker, factor});
  }
  return found;
}

std::string DescribeStraggler(const Straggler& straggler) {
  return absl::StrFormat("worker %d needs %.1f times as long for an example as the other workers",
                         straggler.worker, straggler.factor);
}

std::optional<double> StragglerWatch::SecondsPerExample(const Process& worker, Seen* seen) {
  const v1::ProcessUsage before = std::exchange(seen->usage, worker.usage);
  const uint64_t incarnation = worker.identity.incarnation();
  if (std::exchange(seen->incarnation, incarnation) != incarnation) {
    seen->told = false;
    seen->changed = 0;
    return std::nullopt;
  }
  if (worker.finished || !worker.lost.empty() || worker.usage.examples() <= before.examples())
    return std::nullopt;
  const double trained = worker.usage.trained_seconds() - before.trained_seconds();
  const double waited = worker.usage.waited_seconds() - before.waited_seconds();
  return std::max(0.0, trained - waited) /
         static_cast<double>(worker.usage.examples() - before.examples());
}

std::vector<std::string> StragglerWatch::Look(const Membership& members, absl::Time now) {
  if (now < next_) return {};
  next_ = now + period_;
  std::vector<std::optional<double>> seconds(members.workers());
  for (uint32_t rank = 0; rank < members.workers(); ++rank) {
    const Process* const worker = members.worker(rank);
    if (worker != nullptr) seconds[rank] = SecondsPerExample(*worker, &seen_[rank]);
  }
  std::map<uint32_t, Straggler> slow;
  for (const Straggler& straggler : FindStragglers(seconds)) {
    slow.emplace(static_cast<uint32_t>(straggler.worker), straggler);
  }
  std::vector<std::string> news;
  for (auto& [rank, seen] : seen_) {
    if (!seconds[rank]) continue;
    const auto it = slow.find(rank);
    seen.changed = (it != slow.end()) == seen.told ? 0 : seen.changed + 1;
    if (seen.changed < kTimesInARow) continue;
    seen.changed = 0;
    seen.told = !seen.told;
    news.push_back(seen.told ? DescribeStraggler(it->second)
                             : absl::StrCat("worker ", rank, " keeps pace with the others again"));
  }
  return news;
}

}  // namespace convoy
