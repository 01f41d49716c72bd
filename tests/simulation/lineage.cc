#include "tests/simulation/lineage.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"

namespace convoy::testing {
namespace {

constexpr uint64_t kMostPowerFailures = 2;  // that the disk's losses bring about

}  // namespace

Lineage::Lineage(const SimulationOptions& options)
    : options_(options),
      first_(options.start),
      random_(options.seed, "faults", 0),
      every_(options.mode.rounds() ? 1 + random_.Below(0, 4) : 2 + random_.Below(0, 6)),
      disk_(root_.path()) {
  options_.newest = [this](uint64_t generation, bool power_failed) {
    return Newest(generation, power_failed);
  };
  options_.observer = [this](ClusterView cluster) { Observe(std::move(cluster)); };
  ArmDisk(1);
}

uint64_t Lineage::taken() const {
  uint64_t sum = 0;
  for (const auto& checkpoints : generations_) sum += checkpoints->taken();
  return sum;
}

void Lineage::ArmDisk(uint64_t generation) {
  if (crashes_ < kMostPowerFailures) disk_.LoseAfter(random_.Below(generation, 150));
}

absl::StatusOr<RestorePoint> Lineage::Newest(uint64_t generation, bool power_failed) {
  SimulatedCheckpoints& before = *generations_.back();
  before.Stop();
  saved_ = std::max(saved_, before.saved());
  if (power_failed) {
    ++crashes_;
    disk_.Crash(RandomStream(options_.seed, "crash", generation));
    ArmDisk(generation);
  }
  if (absl::Status status = RemoveTemporaries(Folder()).status(); !status.ok()) return status;
  absl::StatusOr<RestorePoint> point = NewestCheckpoint(Folder());
  if (!point.ok()) return point;
  if (point->first_step < saved_) {
    return absl::InternalError(absl::StrCat("the checkpoint of step ", saved_, " is lost, ",
                                            point->first_step, " is left"));
  }
  if (point->restore == nullptr) *point = first_;
  options_.start = *point;
  return point;
}

void Lineage::Observe(ClusterView cluster) {
  const auto deltas = static_cast<uint32_t>(random_.Below(1000 + cluster.generation, 4));
  generations_.push_back(std::make_unique<SimulatedCheckpoints>(
      options_, Folder(), every_, options_.job.tables.empty() ? 0 : deltas, &disk_));
  generations_.back()->Start(std::move(cluster));
}

}  // namespace convoy::testing
