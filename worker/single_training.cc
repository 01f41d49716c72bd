#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/aligned_buffer.h"
#include "common/files/model_file.h"
#include "common/math/variable.h"
#include "common/placement/slice_tree.h"
#include "common/status.h"
#include "worker/gradient_memory.h"
#include "worker/gradient_rules.h"
#include "worker/local_optimizer.h"
#include "worker/parallel_gradients.h"
#include "worker/slice_reports.h"
#include "worker/table_batch.h"
#include "worker/table_store.h"
#include "worker/training.h"

namespace convoy {
namespace {

// Memory for the values of all variables.
std::vector<AlignedBuffer> Buffers(const std::vector<VariableSpec>& variables) {
  std::vector<AlignedBuffer> buffers;
  for (const VariableSpec& variable : variables)
    buffers.emplace_back(static_cast<size_t>(variable.size()));
  return buffers;
}

// The rows of the batches of one thread, out of tables of this process. They are there at once.
class StoredRows final : public RowSource {
 public:
  // Both outlive it.
  StoredRows(const std::vector<TableSpec>& tables, TableStore* store) : store_(store) {
    for (uint32_t t = 0; t < tables.size(); ++t)
      batches_.push_back(std::make_shared<TableBatch>(t, tables[t].dim(), /*servers=*/1));
  }

  absl::Status WantRows(int table, std::span<const uint64_t> ids) override {
    TableBatch& rows = *batches_[static_cast<size_t>(table)];
    rows.Build(ids);
    store_->Read(static_cast<uint32_t>(table), rows.ids(), rows.values());
    return absl::OkStatus();
  }
  absl::StatusOr<TableRows> Rows(int table) override {
    return batches_[static_cast<size_t>(table)]->rows();
  }
  std::span<const uint64_t> ids(size_t table) const { return batches_[table]->ids(); }

 private:
  TableStore* const store_;
  TableBatches batches_;  // by table
};

class SingleTraining final : private WeightSource, private ModelValues {
 public:
  static absl::StatusOr<std::unique_ptr<SingleTraining>> Create(const TrainingContext& context,
                                                                TableStore& tables,
                                                                const InitValues* init) {
    auto training = std::unique_ptr<SingleTraining>(new SingleTraining(context, tables));
    LocalOptimizer::Options optimizer = OptimizerOptionsFor(context);
    optimizer.slots_of_frozen = true;  // as servers do
    CONVOY_ASSIGN_OR_RETURN(
        training->optimizer_,
        LocalOptimizer::Create(std::move(optimizer), context.model.variables()));
    if (init != nullptr) CONVOY_RETURN_IF_ERROR(training->Load(*init));
    if (context.assignment.has_restore()) CONVOY_RETURN_IF_ERROR(training->Restore());
    return training;
  }

  absl::Status Run() {
    uint64_t step = context_.assignment.restore().step();
    context_.session.SetHold(context_.assignment.hold_step());
    if (reports_.ValidatesBefore(step)) CONVOY_RETURN_IF_ERROR(Validate(step));
    while (step < plan_.total()) {
      CONVOY_ASSIGN_OR_RETURN(const bool begin, context_.session.BeginStep(step));
      if (!begin) break;
      if (const std::optional<v1::SnapshotOrder> order = context_.session.TakesSnapshot(step)) {
        CONVOY_RETURN_IF_ERROR(reports_.ReportPartial(step, TakeEvents()));
        WriteCheckpoint(*order, step);
      }
      CONVOY_RETURN_IF_ERROR(Step(step));
      ++step;
      if (reports_.ReportsAfter(step)) CONVOY_RETURN_IF_ERROR(ReportTraining(step));
      if (step < plan_.total() && reports_.ValidatesAfter(step))
        CONVOY_RETURN_IF_ERROR(Validate(step));
    }
    CONVOY_RETURN_IF_ERROR(ReportTraining(step));
    CONVOY_RETURN_IF_ERROR(Validate(step));
    last_ = step;
    return Measure(context_.test, v1::ReportRequest::TEST, step);
  }

  // Writes the last checkpoint when it is wanted, until the job has ended.
  absl::Status SaveUntilTheEnd() {
    CONVOY_RETURN_IF_ERROR(context_.session.Finish());
    while (const std::optional<v1::SnapshotOrder> order = context_.session.AwaitLastSnapshot()) {
      WriteCheckpoint(*order, last_);
    }
    return context_.session.alive();
  }

  absl::Status Save(const std::string& path) {
    return WriteModelFile(path, context_.assignment.job().name(), context_.model.variables(),
                          context_.model.tables(), *this);
  }

 private:
  // Examples that a gradient stands for; nullopt: there is no gradient, which is not the same as
  // zeros.
  using Examples = std::optional<uint64_t>;

  SingleTraining(const TrainingContext& context, TableStore& tables)
      : context_(context),
        tables_(&tables),
        plan_(PlanOf(context)),
        tree_(context.assignment.slices()),
        rules_(RulesFor(context)),
        parallel_(&context.threads, context.models, &context.train,
                  {.skip_not_finite = rules_.skip_not_finite}),
        weights_(Buffers(context.model.variables())),
        reports_(context) {
    for (size_t v = 0; v < weights_.size(); ++v) {
      InitializeValues(context.model.variables()[v], context.assignment.job().seed(), 0,
                       weights_[v].span());
    }
    for (size_t thread = 0; thread < context.threads.count(); ++thread)
      rows_.emplace_back(context.model.tables(), tables_);
  }

  absl::Status Load(const InitValues& init) {
    for (size_t v = 0; v < weights_.size(); ++v) {
      CONVOY_RETURN_IF_ERROR(init.Load(v, 0, weights_[v].span()));
    }
    return optimizer_->Load(init);
  }

  absl::Status Restore() {
    TableStore::Dense dense{&weights_, optimizer_.get()};
    CONVOY_RETURN_IF_ERROR(tables_->Restore(context_.assignment.restore().folder(), &dense));
    seen_ = dense.examples;
    return absl::OkStatus();
  }

  // One that can't be written does not end the training.
  void WriteCheckpoint(const v1::SnapshotOrder& order, uint64_t step) {
    absl::StatusOr<v1::SnapshotState> written =
        tables_->WriteCheckpoint(order.folder(), {&weights_, optimizer_.get(), step, seen_});
    v1::SnapshotState state = written.ok() ? *std::move(written) : v1::SnapshotState();
    state.set_number(order.number());
    state.set_progress(written.ok() ? v1::SnapshotState::WRITTEN
                                    : v1::SnapshotState::FAILED_TO_WRITE);
    if (!written.ok()) state.set_error(std::string(written.status().message()));
    context_.session.SayOfSnapshot(std::move(state));
  }

  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    return std::as_const(weights_[static_cast<size_t>(variable)]).span();
  }
  absl::Status WantRows(int table, std::span<const uint64_t> ids) override {
    return rows_[0].WantRows(table, ids);
  }
  absl::StatusOr<TableRows> Rows(int table) override { return rows_[0].Rows(table); }
  RowSource& RowsOfThread(size_t thread) override { return rows_[thread]; }

  absl::StatusOr<std::span<const float>> Variable(size_t variable) override {
    return Weights(static_cast<int>(variable));
  }
  absl::StatusOr<uint64_t> CountRows(size_t table, uint32_t bucket) override {
    std::vector<uint64_t> ids;
    std::vector<float> values;
    CONVOY_RETURN_IF_ERROR(ReadRows(table, bucket, &ids, &values));
    return ids.size();
  }
  absl::Status ReadRows(size_t table, uint32_t bucket, std::vector<uint64_t>* ids,
                        std::vector<float>* values) override {
    tables_->Export(static_cast<uint32_t>(table), bucket, ids, values);
    return absl::OkStatus();
  }

  absl::Status Step(uint64_t step) {
    const EpochRange batch = plan_.Step(step);
    step_ = step;
    computed_ = {};
    CONVOY_ASSIGN_OR_RETURN(const Examples examples, Sum(batch, tree_.root(), 0));
    if (examples.value_or(0) > 0)
      optimizer_->Apply(sums_[0]->values(), *examples, seen_, &weights_);
    seen_ += examples.value_or(0);
    return absl::OkStatus();
  }

  // The gradient over the slices of `node`, added up along the tree, into sums_[at]; those behind
  // it are scratch.
  absl::StatusOr<Examples> Sum(const EpochRange& batch, TreeNode node, size_t at) {
    if (at == sums_.size())
      sums_.push_back(std::make_unique<GradientMemory>(&context_.model.variables()));
    if (node.level == 0) return Slice(batch, node.index, sums_[at].get());
    CONVOY_ASSIGN_OR_RETURN(const Examples left, Sum(batch, {node.level - 1, 2 * node.index}, at));
    const TreeNode right_node{node.level - 1, 2 * node.index + 1};
    if (!tree_.Contains(right_node)) return left;
    CONVOY_ASSIGN_OR_RETURN(const Examples right, Sum(batch, right_node, left ? at + 1 : at));
    if (!left || !right) return left ? left : right;
    sums_[at]->Add(*sums_[at + 1]);
    return Examples(*left + *right);
  }

  // Takes the gradient of the slice, which is computed with those of the next ones, a slice in each
  // thread.
  absl::StatusOr<Examples> Slice(const EpochRange& batch, uint32_t slice,
                                 GradientMemory* gradient) {
    if (slice >= computed_.end) {
      parallel_.gradient(0).Swap(*gradient);  // computed where it is wanted
      CONVOY_RETURN_IF_ERROR(ComputeFrom(batch, slice));
    }
    const auto part = static_cast<size_t>(slice - computed_.begin);
    const uint32_t examples = parallel_.slot(part).examples;
    if (examples == 0 && parallel_.slot(part).batch.size > 0) ++skipped_;
    PushRows(slice, part, examples);
    if (examples == 0) return Examples();
    gradient->Swap(parallel_.gradient(part));
    return Examples(examples);
  }

  void PushRows(uint32_t slice, size_t part, uint32_t examples) {
    const auto tables = static_cast<uint32_t>(context_.model.tables().size());
    for (uint32_t t = 0; t < tables && examples > 0; ++t) {
      tables_->Push(step_, slice, t, rows_[part].ids(t),
                    parallel_.gradient(part).RowGradients(static_cast<int>(t)), examples);
    }
    tables_->Finish(step_, slice, examples);
  }

  absl::Status ComputeFrom(const EpochRange& batch, uint32_t slice) {
    computed_ = {slice, std::min<uint64_t>(slice + parallel_.slots(), tree_.slices())};
    return parallel_.Run(computed_.size(), *this,
                         [&](size_t part, ParallelGradients::Slot& slot, WeightSource& weights) {
                           return ComputeSlice(batch, slice + static_cast<uint32_t>(part), slot,
                                               weights);
                         });
  }

  // In the thread of the slot.
  absl::Status ComputeSlice(const EpochRange& batch, uint32_t slice, ParallelGradients::Slot& slot,
                            WeightSource& weights) {
    const std::vector<Range> parts = plan_.SliceBatches(batch, slice);
    const Range positions = parts.empty() ? Range() : parts[0];
    CONVOY_RETURN_IF_ERROR(parallel_.Gradient(batch.epoch, positions, slot, weights));
    if (positions.empty()) return absl::OkStatus();
    reports_.Add(slice, slot.output, slot.batch);
    const GradientSpans gradient = slot.gradient.spans();
    if (!rules_.skip_not_finite && !IsFinite(gradient)) return NotFinite(batch, slice, gradient);
    if (slot.examples > 0 && rules_.clip_norm > 0)
      ClipNorm(slot.examples, rules_.clip_norm, gradient);
    return absl::OkStatus();
  }

  // Variables, then tables.
  const std::string& NameOf(size_t number) const {
    const std::vector<VariableSpec>& variables = context_.model.variables();
    return number < variables.size() ? variables[number].name
                                     : context_.model.tables()[number - variables.size()].name;
  }

  absl::Status NotFinite(const EpochRange& batch, uint32_t slice,
                         const GradientSpans& gradient) const {
    size_t variable = 0;
    while (IsFinite({gradient[variable]})) ++variable;
    return absl::InvalidArgumentError(absl::StrCat(
        "gradient of \"", NameOf(variable), "\" of slice ", slice, " in epoch ", batch.epoch + 1,
        ", examples ", batch.positions.begin, " to ", batch.positions.end,
        ", is not finite; lower optimizer.learning_rate, set optimizer.clip_norm, or "
        "training.nan_policy: SKIP"));
  }

  SliceReports::Events TakeEvents() {
    SliceReports::Events events;
    events.skipped = std::exchange(skipped_, 0);
    return events;
  }

  absl::Status ReportTraining(uint64_t step) { return reports_.ReportTraining(step, TakeEvents()); }

  absl::Status Validate(uint64_t version) {
    CONVOY_RETURN_IF_ERROR(Measure(context_.validation, v1::ReportRequest::VALIDATION, version));
    return Measure(context_.validation_old, v1::ReportRequest::VALIDATION_OLD, version);
  }

  absl::Status Measure(const Dataset* data, v1::ReportRequest::Kind kind, uint64_t version) {
    return reports_.Measure(data, kind, version, *this,
                            [this] { return context_.session.alive(); });
  }

  const TrainingContext& context_;
  TableStore* const tables_;
  const StepPlan plan_;
  const SliceTree tree_;
  const GradientPush::Options rules_;
  ParallelGradients parallel_;
  Range computed_;                      // slices of the step whose gradients are in parallel_
  std::vector<AlignedBuffer> weights_;  // by variable
  std::vector<StoredRows> rows_;        // by thread
  std::unique_ptr<LocalOptimizer> optimizer_;
  std::vector<std::unique_ptr<GradientMemory>> sums_;  // at most the depth of the tree + 1
  SliceReports reports_;
  uint64_t step_ = 0;
  uint64_t seen_ = 0;  // examples
  uint64_t last_ = 0;  // steps, once all are taken
  uint64_t skipped_ = 0;
};

}  // namespace

absl::Status TrainSingle(const TrainingContext& context, const std::string& model_file,
                         TableStore& tables, const InitValues* init) {
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<SingleTraining> training,
                          SingleTraining::Create(context, tables, init));
  CONVOY_RETURN_IF_ERROR(training->Run());
  CONVOY_RETURN_IF_ERROR(training->Save(model_file));
  return training->SaveUntilTheEnd();
}

}  // namespace convoy
