#include "ps/shard.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/math/variable.h"
#include "common/optimizers/schedule.h"
#include "common/optimizers/server_rules.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr uint32_t kNotHere = ~uint32_t{0};
constexpr size_t kBusiest = 3;  // blocks and buckets that are named

// With backups nothing is added up before the step is complete: all slices that count are kept
// until then.
double GradientsKept(const ShardOptions& options, const ConsistencyPolicy& policy) {
  return policy.backup > 0 ? std::max<double>(options.out_of_order_budget, options.slices)
                           : options.out_of_order_budget;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Shard>> Shard::Create(ShardOptions options,
                                                     const Placement* placement) {
  auto shard = std::unique_ptr<Shard>(new Shard(std::move(options), placement));
  CONVOY_RETURN_IF_ERROR(shard->MakeCells());
  return shard;
}

Shard::Shard(ShardOptions options, const Placement* placement)
    : options_(std::move(options)),
      placement_(placement),
      tree_(options_.slices),
      policy_(ConsistencyPolicy::For(options_.mode)),
      pool_({.poison = options_.poison_buffers}),
      gradients_kept_(GradientsKept(options_, policy_)) {}

void Shard::SawRows(size_t bytes) {
  const auto wanted = static_cast<int64_t>(gradients_kept_ * static_cast<double>(bytes));
  int64_t budget = row_budget_.load();
  while (budget < wanted && !row_budget_.compare_exchange_weak(budget, wanted)) {
  }
}

absl::Status Shard::MakeCells() {
  Cell::Options common;
  common.progress.policy = policy_;
  common.progress.tree = &tree_;
  common.pool = &pool_;
  common.schedule = [this](uint64_t examples) { return ScheduleAfter(examples); };
  common.progress.stored_bytes = &stored_bytes_;
  common.progress.stored_bytes_budget = static_cast<int64_t>(
      gradients_kept_ * static_cast<double>(placement_->elements_of_server(options_.rank)) *
      sizeof(float));
  common.progress.row_budget = &row_budget_;
  server_cell_ = std::make_unique<Cell>(common, AlignedBuffer());

  std::vector<double> learning_rates;
  for (const VariableSpec& variable : placement_->variables()) {
    CONVOY_ASSIGN_OR_RETURN(const OptimizerSettings settings,
                            SettingsFor(options_.optimizer, variable.name));
    CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<Optimizer> optimizer,
                            MakeServerOptimizer(policy_.difference(), settings));
    learning_rates.push_back(settings.learning_rate);
    optimizers_.push_back(std::move(optimizer));
  }
  local_.assign(placement_->cells().size(), kNotHere);
  for (uint32_t id : placement_->cells_of_server(options_.rank)) {
    const CellSpec& spec = placement_->cells()[id];
    Cell::Options cell_options = common;
    cell_options.optimizer = optimizers_[spec.variable].get();
    cell_options.base_learning_rate = learning_rates[spec.variable];
    AlignedBuffer initial(spec.size);
    InitializeValues(placement_->variables()[spec.variable], options_.seed, spec.offset,
                     initial.span());
    local_[id] = static_cast<uint32_t>(cells_.size());
    cells_.push_back(std::make_unique<Cell>(cell_options, initial));
  }
  return MakeTables(common.progress);
}

absl::Status Shard::MakeTables(const ProgressOptions& progress) {
  for (const TableSpec& spec : placement_->tables()) {
    TableShard::Options options;
    options.progress = progress;
    options.table = spec;
    options.rank = options_.rank;
    options.servers = placement_->servers();
    options.seed = options_.seed;
    options.optimizer = options_.optimizer;
    options.schedule = [this](uint64_t examples) { return ScheduleAfter(examples); };
    options.rules = options_.table_rules;
    options.deltas = options_.deltas;
    options.clock = &row_clock_;
    CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<TableShard> table,
                            TableShard::Create(std::move(options)));
    tables_.push_back(std::move(table));
  }
  return absl::OkStatus();
}

double Shard::ScheduleAfter(uint64_t examples) const {
  return ScheduleFactor(options_.optimizer.schedule(), examples, options_.epoch_examples,
                        options_.total_examples);
}

PushResult Shard::FinishPush(const PushKey& key, uint64_t examples,
                             std::vector<ParkedPull>* released,
                             std::vector<ParkedRows>* released_rows) {
  for (const auto& cell : cells_) cell->Push(key, 0, Payload(), examples, released);
  for (const auto& table : tables_) table->Finish(key, examples, released_rows);
  const PushResult result = server_cell_->Push(key, 0, Payload(), examples, released);
  if (result.outcome == Pushed::kApplied && snapshot_awaited_.load()) {
    MutexLock lock(snapshot_mutex_);
    snapshot_changed_.NotifyAll();
  }
  return result;
}

// What a snapshot takes of a cell's marks goes with what it takes of the complete tasks.
void Shard::CompleteTask(uint64_t task) {
  MutexLock lock(snapshot_mutex_);
  if (snapshot_armed_) {
    completed_since_.push_back(task);
  } else {
    complete_.Add(task, task + 1);
    ForgetMarks(task);
  }
}

bool Shard::IsComplete(uint64_t task) const {
  MutexLock lock(snapshot_mutex_);
  return complete_.Contains(task);
}

void Shard::ForgetMarks(uint64_t task) {
  for (const auto& cell : cells_) cell->ForgetTask(task);
  for (const auto& table : tables_) table->ForgetTask(task);
  server_cell_->ForgetTask(task);
}

// ------------------------------------------------------------------------------ snapshots

// The server's own cell comes first: it is behind the others, never before them.
uint64_t Shard::ArmSnapshot(uint64_t version) {
  MutexLock lock(snapshot_mutex_);
  bool armed = server_cell_->ArmSnapshot(version);
  for (const auto& cell : cells_) armed = cell->ArmSnapshot(version) && armed;
  for (const auto& table : tables_) {
    for (const auto& bucket : table->buckets()) armed = bucket->ArmSnapshot(version) && armed;
  }
  snapshot_armed_ = armed;
  if (armed) return version;
  DisarmCells();
  uint64_t highest = server_cell_->GetCounts().version;
  ForEachCount([&](const CellCounts& counts) { highest = std::max(highest, counts.version); });
  return highest;
}

void Shard::DisarmCells() {
  server_cell_->DisarmSnapshot();
  for (const auto& cell : cells_) cell->DisarmSnapshot();
  for (const auto& table : tables_) {
    for (const auto& bucket : table->buckets()) bucket->DisarmSnapshot();
  }
}

void Shard::DisarmSnapshot() {
  MutexLock lock(snapshot_mutex_);
  DisarmCells();
  snapshot_armed_ = false;
  for (const uint64_t task : std::exchange(completed_since_, {})) {
    complete_.Add(task, task + 1);
    ForgetMarks(task);
  }
  snapshot_changed_.NotifyAll();
}

IntervalSet Shard::SnapshotTasks() const {
  MutexLock lock(snapshot_mutex_);
  return complete_;
}

void Shard::RestoreTasks(IntervalSet complete) {
  MutexLock lock(snapshot_mutex_);
  complete_ = std::move(complete);
}

// A step counts for the server when it counts for all of its cells.
bool Shard::AwaitSnapshot() {
  MutexLock lock(snapshot_mutex_);
  snapshot_awaited_ = true;
  while (snapshot_armed_ && !server_cell_->OutlineSnapshot())
    snapshot_changed_.Wait(snapshot_mutex_);
  snapshot_awaited_ = false;
  return snapshot_armed_;
}

std::set<uint32_t> Shard::MissingSlices(uint64_t version) const {
  std::set<uint32_t> slices;
  const auto add = [&](const auto& cell) {
    if (cell.GetCounts().version >= version) return;
    const std::vector<uint32_t> missing = cell.MissingSlices();
    slices.insert(missing.begin(), missing.end());
  };
  for (const auto& cell : cells_) add(*cell);
  for (const auto& table : tables_) {
    for (const auto& bucket : table->buckets()) add(*bucket);
  }
  add(*server_cell_);
  return slices;
}

void Shard::ForEachCount(absl::FunctionRef<void(const CellCounts&)> fn) const {
  for (const auto& cell : cells_) fn(cell->GetCounts());
  for (const auto& table : tables_) {
    for (const auto& bucket : table->buckets()) fn(bucket->GetCounts());
  }
}

void Shard::AddStats(v1::ServerStats* stats) const {
  const CellCounts own = server_cell_->GetCounts();
  uint64_t lowest = own.version, highest = own.version, updates = 0, dropped = 0;
  ForEachCount([&](const CellCounts& counts) {
    updates += counts.updates;
    dropped += counts.dropped;
    lowest = std::min(lowest, counts.version);
    highest = std::max(highest, counts.version);
  });
  RowCounts rows;
  for (const auto& table : tables_) rows.Add(table->GetRowCounts());
  stats->set_stored_bytes(static_cast<uint64_t>(stored_bytes_.load()));
  stats->set_examples(own.examples);
  stats->set_dropped(dropped);
  stats->set_updates(updates);
  stats->set_min_version(lowest);
  stats->set_max_version(highest);
  stats->set_rows(rows.rows);
  stats->set_table_bytes(rows.bytes);
  stats->set_waiting_ids(rows.waiting);
  stats->set_admitted_ids(rows.admitted);
  stats->set_refused_ids(rows.refused);
  stats->set_expired_rows(rows.expired);
  stats->set_evicted_rows(rows.evicted);
  AddBusiest(stats);
}

void Shard::AddBusiest(v1::ServerStats* stats) const {
  std::vector<std::pair<uint64_t, uint32_t>> traffic;  // bytes, and numbers of cells, then buckets
  for (const uint32_t id : placement_->cells_of_server(options_.rank)) {
    traffic.emplace_back(cell(id).TrafficBytes(), id);
  }
  const auto cells = static_cast<uint32_t>(placement_->cells().size());
  for (uint32_t t = 0; t < tables_.size(); ++t) {
    for (uint32_t b = options_.rank; b < kTableBuckets; b += placement_->servers()) {
      traffic.emplace_back(tables_[t]->bucket(b).TrafficBytes(), cells + t * kTableBuckets + b);
    }
  }
  const auto busiest =
      traffic.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(kBusiest, traffic.size()));
  std::partial_sort(traffic.begin(), busiest, traffic.end(), std::greater<>());
  for (auto it = traffic.begin(); it != busiest && it->first > 0; ++it) {
    v1::CellTraffic& cell_traffic = *stats->add_busiest();
    cell_traffic.set_name(it->second < cells ? placement_->Describe(it->second)
                                             : DescribeBucket(it->second - cells));
    cell_traffic.set_bytes(it->first);
  }
}

std::string Shard::DescribeBucket(uint32_t number) const {
  return absl::StrCat("\"", placement_->tables()[number / kTableBuckets].name, "\" bucket ",
                      number % kTableBuckets);
}

}  // namespace convoy
