#include "tests/testing/simulated_worker.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "common/placement/ownership.h"
#include "tests/testing/simulated_worker_base.h"

namespace convoy::testing {
namespace {

class SyncWorker final : public SimulatedWorkerBase {
 public:
  SyncWorker(const ToyJob& job, const Placement& placement, uint32_t rank, uint32_t workers,
             const Mode& mode, uint64_t first_step, Environment environment)
      : SimulatedWorkerBase(job, placement, std::move(environment)),
        tree_(job.slices),
        backup_(mode.backup > 0),
        applied_(placement.servers()),
        step_(first_step) {
    const SliceSpan owned = OwnedSlices(rank, workers, job.slices);
    // Some add pairs up themselves.
    nodes_ = tree_.Subtrees(owned.begin, owned.end, backup_ || !job.tables.empty() ? 0 : rank % 2);
  }

  uint64_t step() const override { return step_; }

 private:
  void Begin() override {
    if (nodes_.empty()) return environment_.done();
    ExchangeRequest pull;
    pull.pull_applied = true;
    pull.pull_version = step_;
    PullAll(pull);
  }

  void OnStepReply(const ExchangeRequest& request, const ExchangeReply& reply) override {
    if (request.pull_applied) NoteApplied(reply);
    if (!Take(request, reply)) {
      if (environment_.overlaps && !reply.cells.empty()) PushEarly(reply);
      return;
    }
    if (pulling_rows_) return environment_.after([this] { PullRowsThenStep(); });
    // The others may have gone on without this worker.
    if (backup_) step_ = std::max(step_, *std::min_element(applied_.begin(), applied_.end()));
    if (step_ >= job_.steps) return environment_.done();
    BeginRound();
    row_pulls_ = 0;
    environment_.after([this] { PullRowsThenStep(); });
  }

  // By the first cell of the reply; a server without cells is at least where the request asked for.
  void NoteApplied(const ExchangeReply& reply) {
    for (uint32_t server = 0; server < applied_.size(); ++server) {
      const auto cells = placement_.cells_of_server(server);
      const bool from_here = cells.empty()
                                 ? reply.cells.empty()
                                 : !reply.cells.empty() && reply.cells[0].cell == cells[0];
      if (from_here) applied_[server] = std::max(applied_[server], reply.applied_step);
    }
  }

  ExchangeRequest PushOf(TreeNode node) const {
    ExchangeRequest push;
    push.step = step_;
    push.node = node;
    for (uint32_t slice = tree_.begin(node); slice < tree_.end(node); ++slice) {
      push.examples += static_cast<uint32_t>(SliceExamples(job_, step_, slice).size());
    }
    return push;
  }

  // What the first node has for a server whose weights have come before those of others.
  void PushEarly(const ExchangeReply& reply) {
    if (backup_ || !job_.tables.empty() || step_ >= job_.steps) return;
    ExchangeRequest push = PushOf(nodes_[0]);
    for (const CellValues& values : reply.cells) {
      early_.insert(values.cell);
      const auto sum = Sum(nodes_[0], placement_.cells()[values.cell]);
      if (sum == nullptr) continue;
      push.contributions.push_back({values.cell, versions_[values.cell], Payload(*sum, sum)});
    }
    const uint32_t server = placement_.cells()[reply.cells[0].cell].server;
    if (!push.contributions.empty()) Expect(server, std::move(push));
  }

  // Once for each local step.
  void PullRowsThenStep() {
    pulling_rows_ = false;
    while (!pulling_rows_ && row_pulls_ < RowPulls()) {
      for (const TreeNode& node : nodes_) {
        if (PullRows(step_, node.index, row_pulls_, step_)) pulling_rows_ = true;
      }
      ++row_pulls_;
    }
    if (!pulling_rows_) Step();
  }

  void Step() {
    for (size_t n = 0; n < nodes_.size(); ++n) {
      const TreeNode node = nodes_[n];
      ExchangeRequest header = PushOf(node);
      header.pull_version = step_ + 1;
      std::vector<Gradient> gradients;
      for (const CellSpec& cell : placement_.cells()) {
        if (n == 0 && early_.contains(cell.id)) continue;
        if (auto sum = Sum(node, cell)) gradients.push_back({cell.id, sum});
      }
      std::vector<RowContribution> rows;
      if (!job_.tables.empty()) {
        rows = RowContributions(step_, node.index, SliceExamples(job_, step_, node.index),
                                static_cast<float>(header.examples));
      }
      Push(header, std::move(gradients), std::move(rows), n + 1 == nodes_.size());
    }
    early_.clear();
    ++step_;
  }

  // Left + right, as the tree says; null: no gradient.
  std::shared_ptr<std::vector<float>> Sum(TreeNode node, const CellSpec& cell) const {
    if (node.level == 0) {
      if (NoGradient(job_, step_, node.index, cell.id)) return nullptr;
      return std::make_shared<std::vector<float>>(ToyContribution(
          job_, cell, weights_[cell.id], SliceExamples(job_, step_, node.index),
          static_cast<float>(SliceExamples(job_, step_, node.index).size()), anchors_[cell.id]));
    }
    const TreeNode left{node.level - 1, 2 * node.index}, right{node.level - 1, 2 * node.index + 1};
    auto sum = Sum(left, cell);
    if (!tree_.Contains(right)) return sum;
    const auto other = Sum(right, cell);
    if (sum == nullptr) return other;
    if (other == nullptr) return sum;
    for (size_t i = 0; i < sum->size(); ++i) (*sum)[i] += (*other)[i];
    return sum;
  }

  const SliceTree tree_;
  const bool backup_;
  std::vector<uint64_t> applied_;  // by server
  std::vector<TreeNode> nodes_;
  std::set<uint32_t> early_;  // cells for which the first node has sent its gradients already
  uint64_t step_ = 0;
  bool pulling_rows_ = false;
  uint32_t row_pulls_ = 0;  // of the step
};

class TaskWorker final : public SimulatedWorkerBase {
 public:
  TaskWorker(const ToyJob& job, const Placement& placement, uint32_t rank,
             uint32_t batches_per_task, Environment environment)
      : SimulatedWorkerBase(job, placement, std::move(environment)),
        rank_(rank),
        batches_per_task_(batches_per_task) {}

  uint64_t batches_completed() const override { return completed_; }
  bool holds_task() const override { return task_ != 0 && !ended_; }

 private:
  void Begin() override { NextTask(); }

  void OnStepReply(const ExchangeRequest& request, const ExchangeReply& reply) override {
    if (!Take(request, reply)) return;
    if (pulling_rows_) return environment_.after([this] { PullRowsThenBatch(); });
    if (!std::exchange(joined_, true)) return environment_.when_all_joined([this] { GoOn(); });
    if (!ended_) environment_.on_read(rank_);
    GoOn();
  }

  uint64_t BatchesOf(uint64_t task) const {
    const uint64_t first = (task - 1) * batches_per_task_;
    return std::min<uint64_t>(batches_per_task_,
                              ToyBatches(job_) - std::min(first, ToyBatches(job_)));
  }

  void GoOn() {
    if (ended_) return environment_.done();
    BeginRound();
    row_pulls_ = 0;
    environment_.after([this] { batch_ < BatchesOf(task_) ? PullRowsThenBatch() : NextTask(); });
  }

  void NextTask() {
    const bool first = task_ == 0;
    const uint64_t finished = task_;
    task_ = environment_.next_task(finished);
    batch_ = 0;
    ExchangeRequest header;
    header.completed_task = first ? environment_.completed_task : finished;
    header.clock = completed_;
    ended_ = BatchesOf(task_) == 0;
    if (ended_) {
      header.clock_event = ClockEvent::kLeave;
      for (uint32_t server = 0; server < placement_.servers(); ++server) Expect(server, header);
      return;
    }
    if (first) header.clock_event = ClockEvent::kJoin;
    PullAll(header);
  }

  void PullRowsThenBatch() {
    pulling_rows_ = false;
    while (!pulling_rows_ && row_pulls_ < RowPulls()) {
      pulling_rows_ = PullRows((task_ - 1) * batches_per_task_ + batch_, 0, row_pulls_++, 0);
    }
    if (!pulling_rows_) Batch();
  }

  void Batch() {
    const uint64_t number = (task_ - 1) * batches_per_task_ + batch_;
    const uint64_t size = (job_.batch_size + job_.slices - 1) / job_.slices;
    const ToyRange examples{number * size, std::min(job_.examples, (number + 1) * size)};
    ExchangeRequest header;
    header.task = task_;
    header.batch = batch_++;
    header.examples = static_cast<uint32_t>(examples.size());
    header.clock = ++completed_;
    std::vector<Gradient> gradients;
    for (const CellSpec& cell : placement_.cells()) {
      if (NoGradient(job_, number, 0, cell.id)) continue;
      gradients.push_back(
          {cell.id, std::make_shared<std::vector<float>>(ToyContribution(
                        job_, cell, weights_[cell.id], examples, 1, anchors_[cell.id]))});
    }
    Push(header, std::move(gradients), RowContributions(number, 0, examples, 1), true);
  }

  const uint32_t rank_;
  const uint32_t batches_per_task_;
  uint64_t task_ = 0, batch_ = 0, completed_ = 0;
  bool joined_ = false;  // the first replies have come
  bool ended_ = false;
  bool pulling_rows_ = false;
  uint32_t row_pulls_ = 0;  // of the batch
};

}  // namespace

uint64_t ToyBatches(const ToyJob& job) {
  const uint64_t size = (job.batch_size + job.slices - 1) / job.slices;
  return (job.examples + size - 1) / size;
}

std::unique_ptr<SimulatedWorker> MakeSimulatedWorker(const ToyJob& job, const Mode& mode,
                                                     const Placement& placement, uint32_t rank,
                                                     uint32_t workers, uint32_t batches_per_task,
                                                     uint64_t first_step,
                                                     SimulatedWorker::Environment environment) {
  if (mode.rounds()) {
    return std::make_unique<SyncWorker>(job, placement, rank, workers, mode, first_step,
                                        std::move(environment));
  }
  return std::make_unique<TaskWorker>(job, placement, rank, batches_per_task,
                                      std::move(environment));
}

}  // namespace convoy::testing
