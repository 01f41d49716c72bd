#include "tests/testing/simulated_worker.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "common/placement/ownership.h"

namespace convoy::testing {
namespace {

class WorkerBase : public SimulatedWorker {
 public:
  WorkerBase(const ToyJob& job, const Placement& placement, Environment environment)
      : job_(job), placement_(placement), environment_(std::move(environment)) {
    for (const CellSpec& cell : placement.cells()) {
      weights_.emplace_back(cell.size);
      versions_.push_back(0);
    }
  }

 protected:
  struct Gradient {
    uint32_t cell;
    std::shared_ptr<std::vector<float>> values;
  };

  // Pulls all cells of all servers; in pieces if what has come can be used before the rest, as
  // ParameterClient does.
  void PullAll(ExchangeRequest header) {
    for (uint32_t server = 0; server < placement_.servers(); ++server) {
      ExchangeRequest request = header;
      for (uint32_t cell : placement_.cells_of_server(server)) {
        const bool full = environment_.overlaps && !request.pull_cells.empty();
        if (full && environment_.random(2) == 0) {
          Expect(server, std::exchange(request, {}));
          request.pull_version = header.pull_version;
        }
        request.pull_cells.push_back(cell);
      }
      Expect(server, std::move(request));
    }
  }

  // Sends the gradients in random order and random groups, one `final` message to every server;
  // with `pull` the messages also ask for the new values of all cells.
  void Push(ExchangeRequest header, std::vector<Gradient> gradients,
            std::vector<RowContribution> rows, bool pull) {
    std::vector<std::vector<ExchangeRequest>> messages(placement_.servers(),
                                                       std::vector<ExchangeRequest>{header});
    for (size_t i = gradients.size(); i > 1; --i)
      std::swap(gradients[i - 1], gradients[environment_.random(i)]);
    for (const Gradient& gradient : gradients) {
      auto& queue = messages[placement_.cells()[gradient.cell].server];
      if (environment_.random(2) == 0) queue.push_back(header);
      queue.back().contributions.push_back(
          {gradient.cell, versions_[gradient.cell], Payload(*gradient.values, gradient.values)});
    }
    for (RowContribution& contribution : rows) {
      uint64_t first;  // all are of one server
      std::memcpy(&first, contribution.ids.segments()[0].data, sizeof(first));
      auto& queue = messages[placement_.server_of_bucket(BucketOf(first))];
      if (environment_.random(2) == 0) queue.push_back(header);
      queue.back().rows.push_back(std::move(contribution));
    }
    for (uint32_t server = 0; server < placement_.servers(); ++server) {
      auto& queue = messages[server];
      if (environment_.random(2) == 0) queue.push_back(header);
      queue.back().final = true;
      for (ExchangeRequest& message : queue) {
        message.pull_applied = pull && message.final;
        if (pull && message.final) {
          for (uint32_t cell : placement_.cells_of_server(server))
            message.pull_cells.push_back(cell);
        }
        if (message.has_push()) Expect(server, std::move(message));
      }
    }
  }

  // Ids of one table and server, in the order of messages.
  using ServerIds = std::vector<std::vector<uint64_t>>;
  ServerIds ByServer(const std::vector<uint64_t>& ids) const {
    ServerIds by_server(placement_.servers());
    for (const uint64_t id : ids)
      by_server[placement_.server_of_bucket(BucketOf(id))].push_back(id);
    return by_server;
  }

  // A step, or round of local steps, begins: nothing has been read for it.
  void BeginRound() { read_.clear(); }
  // How often rows are pulled in it.
  uint32_t RowPulls() const { return std::max(1u, job_.local_steps); }

  // Asks for the rows that the slice (or batch) reads in a local step for the first time. False:
  // there are none.
  bool PullRows(uint64_t step, uint32_t slice, uint32_t local_step, uint64_t version) {
    bool any = false;
    for (uint32_t t = 0; t < job_.tables.size(); ++t) {
      std::vector<uint64_t> missing = ToyIds(job_, step, slice, t, local_step);
      std::erase_if(missing, [&](uint64_t id) { return !read_.emplace(slice, t, id).second; });
      const ServerIds by_server = ByServer(missing);
      for (uint32_t server = 0; server < by_server.size(); ++server) {
        if (by_server[server].empty()) continue;
        auto ids = std::make_shared<std::vector<uint64_t>>(by_server[server]);
        ExchangeRequest request;
        request.pull_version = version;
        request.pull_rows.push_back({t, IdPayload(ids)});
        Expect(server, std::move(request));
        any = true;
      }
    }
    return any;
  }

  // What the slice (or batch) sends of the rows that it reads, from the rows that were pulled.
  std::vector<RowContribution> RowContributions(uint64_t step, uint32_t slice, ToyRange examples,
                                                float factor) const {
    std::vector<RowContribution> rows;
    if (examples.size() == 0) return rows;
    for (uint32_t t = 0; t < job_.tables.size(); ++t) {
      for (const std::vector<uint64_t>& of_server : ByServer(ToyRoundIds(job_, step, slice, t))) {
        if (of_server.empty()) continue;
        auto ids = std::make_shared<std::vector<uint64_t>>(of_server);
        auto values = std::make_shared<std::vector<float>>();
        for (const uint64_t id : of_server) {
          const std::vector<float> row =
              ToyRowContribution(job_, step, slice, t, id, rows_.at({t, id}), examples, factor);
          values->insert(values->end(), row.begin(), row.end());
        }
        rows.push_back({t, row_versions_.at({t, of_server.front()}), IdPayload(ids),
                        Payload(*values, values)});
      }
    }
    return rows;
  }

  void Expect(uint32_t server, ExchangeRequest request) {
    ++unanswered_;
    environment_.submit(server, std::move(request));
  }

  // True when the last outstanding reply has come.
  bool Take(const ExchangeRequest& request, const ExchangeReply& reply) {
    for (size_t k = 0; k < reply.rows.size(); ++k) {
      const uint32_t table = reply.rows[k].table;
      std::vector<uint64_t> ids(request.pull_rows[k].ids.size() / sizeof(uint64_t));
      request.pull_rows[k].ids.CopyTo(ids.data());
      const size_t dim = job_.tables[table].dim();
      std::vector<float> values(ids.size() * dim);
      reply.rows[k].values.CopyTo(values.data());
      for (size_t i = 0; i < ids.size(); ++i) {
        rows_[{table, ids[i]}].assign(values.begin() + static_cast<std::ptrdiff_t>(i * dim),
                                      values.begin() + static_cast<std::ptrdiff_t>((i + 1) * dim));
        row_versions_[{table, ids[i]}] = reply.rows[k].version;
      }
    }
    for (const CellValues& cell : reply.cells) {
      cell.values.CopyTo(weights_[cell.cell].data());
      versions_[cell.cell] = cell.version;
    }
    return --unanswered_ == 0;
  }

  const ToyJob& job_;
  const Placement& placement_;
  const Environment environment_;
  std::vector<std::vector<float>> weights_;  // by cell
  std::vector<uint64_t> versions_;
  std::map<std::pair<uint32_t, uint64_t>, std::vector<float>> rows_;  // by table and id
  std::map<std::pair<uint32_t, uint64_t>, uint64_t> row_versions_;
  std::set<std::tuple<uint32_t, uint32_t, uint64_t>> read_;  // in the round: slice, table, id

 private:
  static Payload IdPayload(const std::shared_ptr<std::vector<uint64_t>>& ids) {
    Payload payload(ids);
    payload.Append({reinterpret_cast<const char*>(ids->data()), ids->size() * sizeof(uint64_t)});
    return payload;
  }

  int unanswered_ = 0;
};

class SyncWorker final : public WorkerBase {
 public:
  SyncWorker(const ToyJob& job, const Placement& placement, uint32_t rank, uint32_t workers,
             const Mode& mode, uint64_t first_step, Environment environment)
      : WorkerBase(job, placement, std::move(environment)),
        tree_(job.slices),
        backup_(mode.backup > 0),
        applied_(placement.servers()),
        step_(first_step) {
    const SliceSpan owned = OwnedSlices(rank, workers, job.slices);
    // Some add pairs up themselves.
    nodes_ = tree_.Subtrees(owned.begin, owned.end, backup_ || !job.tables.empty() ? 0 : rank % 2);
  }

  void Start() override {
    if (nodes_.empty()) return environment_.done();
    ExchangeRequest pull;
    pull.pull_applied = true;
    pull.pull_version = step_;
    PullAll(pull);
  }

  uint64_t step() const override { return step_; }

  void OnReply(const ExchangeRequest& request, const ExchangeReply& reply) override {
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

 private:
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
      return std::make_shared<std::vector<float>>(
          ToyContribution(job_, cell, weights_[cell.id], SliceExamples(job_, step_, node.index),
                          static_cast<float>(SliceExamples(job_, step_, node.index).size())));
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

class TaskWorker final : public WorkerBase {
 public:
  TaskWorker(const ToyJob& job, const Placement& placement, uint32_t rank,
             uint32_t batches_per_task, Environment environment)
      : WorkerBase(job, placement, std::move(environment)),
        rank_(rank),
        batches_per_task_(batches_per_task) {}

  void Start() override { NextTask(); }

  void OnReply(const ExchangeRequest& request, const ExchangeReply& reply) override {
    if (!Take(request, reply)) return;
    if (pulling_rows_) return environment_.after([this] { PullRowsThenBatch(); });
    if (!std::exchange(joined_, true)) return environment_.when_all_joined([this] { GoOn(); });
    if (!ended_) environment_.on_read(rank_);
    GoOn();
  }

  uint64_t batches_completed() const override { return completed_; }
  bool holds_task() const override { return task_ != 0 && !ended_; }

 private:
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
      gradients.push_back({cell.id, std::make_shared<std::vector<float>>(ToyContribution(
                                        job_, cell, weights_[cell.id], examples, 1))});
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
