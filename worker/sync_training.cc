#include <algorithm>
#include <bit>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/placement/slice_tree.h"
#include "common/status.h"
#include "worker/anchor_pull.h"
#include "worker/difference_push.h"
#include "worker/example_reader.h"
#include "worker/gradient_push.h"
#include "worker/local_steps.h"
#include "worker/parallel_gradients.h"
#include "worker/slice_reports.h"
#include "worker/training.h"
#include "worker/want_rows.h"

namespace convoy {
namespace {

// Pairs of slices are added up here before they are sent; larger subtrees would need more memory.
// Slices that may be dropped travel alone, and so do those that name rows of tables, which differ
// from slice to slice.
uint32_t LargestSum(const TrainingContext& context) {
  return context.mode.backup > 0 || !context.model.tables().empty() ? 0 : 1;
}

// Slices [begin, end) that the threads compute at the same time, and the sums of them that are
// sent.
struct Wave {
  uint32_t begin = 0;
  uint32_t end = 0;
  std::vector<TreeNode> nodes;
};

// Each slice of a wave has memory of its own, so that all of it may be added up before it is sent.
std::vector<Wave> WavesOf(const TrainingContext& context, const SliceTree& tree) {
  const v1::Assignment& assignment = context.assignment;
  const auto threads = static_cast<uint32_t>(context.threads.count());
  std::vector<Wave> waves;
  for (uint32_t begin = assignment.slice_begin(); begin < assignment.slice_end();
       begin += threads) {
    const uint32_t end = std::min(begin + threads, assignment.slice_end());
    const uint32_t largest =
        LargestSum(context) == 0 ? 0 : static_cast<uint32_t>(std::bit_width(threads));
    waves.push_back({begin, end, tree.Subtrees(begin, end, largest)});
  }
  return waves;
}

class SyncTraining {
 public:
  static absl::StatusOr<std::unique_ptr<SyncTraining>> Create(const TrainingContext& context,
                                                              ParameterClient& parameters) {
    auto training = std::unique_ptr<SyncTraining>(new SyncTraining(context, parameters));
    for (size_t i = 0; context.mode.local() && i < context.threads.count(); ++i) {
      CONVOY_ASSIGN_OR_RETURN(
          training->local_.emplace_back(),
          LocalSteps::Create(LocalOptionsFor(context), context.model.variables(),
                             context.model.tables()));
    }
    return training;
  }

  absl::Status Run() {
    if (nodes_.empty()) return absl::OkStatus();  // a spare
    uint64_t step = context_.assignment.restore().step();
    context_.session.SetHold(context_.assignment.hold_step());
    if (context_.assignment.rejoins()) {
      CONVOY_ASSIGN_OR_RETURN(step, Rejoin());
    }
    if (!local_.empty()) CONVOY_RETURN_IF_ERROR(PullAnchors(parameters_, local_));
    CONVOY_RETURN_IF_ERROR(parameters_.PullAll(step));
    if (reports_.ValidatesBefore(step)) CONVOY_RETURN_IF_ERROR(Validate(step));
    while (step < plan_.total()) {
      context_.session.SetCounters(CountersOf(parameters_));
      CONVOY_ASSIGN_OR_RETURN(const bool begin, context_.session.BeginStep(step));
      if (!begin) break;
      if (const std::optional<v1::SnapshotOrder> saved = context_.session.TakesSnapshot(step)) {
        CONVOY_RETURN_IF_ERROR(reports_.ReportPartial(saved->version(), TakeEvents()));
      }
      CONVOY_RETURN_IF_ERROR(parallel_ ? ParallelStep(step) : Step(step));
      CONVOY_ASSIGN_OR_RETURN(const uint64_t next, NextStep(step));
      while (step < next) CONVOY_RETURN_IF_ERROR(AfterStep(++step));
    }
    CONVOY_RETURN_IF_ERROR(parameters_.WaitUntilAnswered());
    CONVOY_RETURN_IF_ERROR(ReportTraining(step));
    if (step < plan_.total() && context_.session.divides()) return absl::OkStatus();
    CONVOY_RETURN_IF_ERROR(Validate(step));
    return Measure(context_.test, v1::ReportRequest::TEST, step);
  }

 private:
  SyncTraining(const TrainingContext& context, ParameterClient& parameters)
      : context_(context),
        parameters_(parameters),
        plan_(PlanOf(context)),
        tree_(context.assignment.slices()),
        nodes_(tree_.Subtrees(context.assignment.slice_begin(), context.assignment.slice_end(),
                              LargestSum(context))),
        weights_(&parameters),
        push_(&parameters, PushOptionsFor(context)),
        reader_(&context.train),
        reports_(context) {
    if (context.threads.count() == 1) return;
    waves_ = WavesOf(context, tree_);
    round_rows_.resize(context.threads.count());
    parallel_.emplace(&context.threads, context.models, &context.train,
                      ParallelOptionsFor(context, [this] { return weights_.Poll(); }));
  }

  // The worker before may have been lost within a step, or between a step and what comes after it.
  absl::StatusOr<uint64_t> Rejoin() {
    CONVOY_ASSIGN_OR_RETURN(const uint64_t step, parameters_.AskForStep());
    CONVOY_RETURN_IF_ERROR(context_.session.Rejoin(step, context_.assignment.stop_step()));
    reports_.BeginAt(step);
    return step;
  }

  absl::Status Step(uint64_t step) {
    const EpochRange batch = plan_.Step(step);
    weights_.SetVersion(step);
    for (const TreeNode& node : nodes_) {
      ParameterClient::PushHeader header;
      header.step = step;
      header.node = node;
      header.pull = node == nodes_.back();
      for (uint32_t slice = tree_.begin(node); slice < tree_.end(node); ++slice) {
        header.examples += plan_.SliceExamples(batch, slice);
      }
      CONVOY_RETURN_IF_ERROR(push_.Begin(header));
      for (uint32_t slice = tree_.begin(node); slice < tree_.end(node); ++slice) {
        const std::vector<Range> parts = plan_.SliceBatches(batch, slice);
        if (parts.empty()) continue;
        const bool last = slice + 1 == tree_.end(node);
        CONVOY_RETURN_IF_ERROR(!local_.empty() ? LocalSlice(batch.epoch, parts, slice, last)
                                               : Slice(batch.epoch, parts[0], slice, last));
      }
      CONVOY_RETURN_IF_ERROR(push_.End());
    }
    return absl::OkStatus();
  }

  absl::Status Slice(uint64_t epoch, const Range& positions, uint32_t slice, bool last) {
    CONVOY_RETURN_IF_ERROR(reader_.Read(epoch, positions, &batch_));
    CONVOY_RETURN_IF_ERROR(WantRowsOf(context_.model, batch_, weights_, &ids_));
    weights_.UseWantedRows();
    push_.BeginSlice(last, weights_.batches());
    CONVOY_ASSIGN_OR_RETURN(const BatchOutput output,
                            context_.model.Train(batch_, weights_, push_));
    reports_.Add(slice, output, batch_);
    CONVOY_ASSIGN_OR_RETURN(const bool sent,
                            push_.EndSlice(static_cast<uint32_t>(positions.size())));
    if (!sent) ++skipped_;
    return absl::OkStatus();
  }

  absl::Status LocalSlice(uint64_t epoch, const std::vector<Range>& parts, uint32_t slice,
                          bool last) {
    const auto poll = [this] { return parameters_.Poll(); };
    weights_.BeginRound();
    CONVOY_ASSIGN_OR_RETURN(const uint32_t examples,
                            TakeLocalSteps({context_.model, reader_, batch_, ahead_, *local_[0]},
                                           epoch, parts, slice, weights_, poll));
    return PushDifference(*local_[0], weights_, static_cast<float>(examples), examples, last,
                          push_);
  }

  // What takes the steps of a slice.
  struct Stepper {
    Model& model;
    ExampleReader& reader;
    Batch& batch;
    Batch& ahead;  // memory for the batch of the next step
    LocalSteps& steps;
  };

  // Returns the examples of the steps.
  absl::StatusOr<uint32_t> TakeLocalSteps(const Stepper& stepper, uint64_t epoch,
                                          const std::vector<Range>& parts, uint32_t slice,
                                          WeightSource& weights,
                                          const std::function<absl::Status()>& between) {
    CONVOY_RETURN_IF_ERROR(stepper.steps.Begin(weights));
    const auto read = [&](size_t i, Batch* batch) {
      return stepper.reader.Read(epoch, parts[i], batch);
    };
    CONVOY_RETURN_IF_ERROR(read(0, &stepper.batch));
    uint32_t examples = 0;
    for (size_t i = 0; i < parts.size(); ++i) {
      const bool more = i + 1 < parts.size();
      if (more) CONVOY_RETURN_IF_ERROR(read(i + 1, &stepper.ahead));
      CONVOY_ASSIGN_OR_RETURN(
          const BatchOutput output,
          stepper.steps.Step(stepper.model, stepper.batch, plan_.SeenBefore(epoch, parts[i].begin),
                             more ? &stepper.ahead : nullptr));
      reports_.Add(slice, output, stepper.batch);
      examples += static_cast<uint32_t>(parts[i].size());
      if (more) std::swap(stepper.batch, stepper.ahead);
      CONVOY_RETURN_IF_ERROR(between());
    }
    return examples;
  }

  // Several slices at a time; what leaves is what would leave without threads, or sums of it.
  absl::Status ParallelStep(uint64_t step) {
    const EpochRange batch = plan_.Step(step);
    weights_.SetVersion(step);
    for (const Wave& wave : waves_) {
      CONVOY_RETURN_IF_ERROR(parallel_->Run(
          wave.end - wave.begin, weights_,
          [&](size_t part, ParallelGradients::Slot& slot, WeightSource& weights) -> absl::Status {
            const uint32_t slice = wave.begin + static_cast<uint32_t>(part);
            const std::vector<Range> parts = plan_.SliceBatches(batch, slice);
            if (parts.empty()) return absl::OkStatus();
            return local_.empty()
                       ? ThreadSlice(batch.epoch, parts[0], slice, slot, weights)
                       : ThreadLocalSlice(batch.epoch, parts, slice, part, slot, weights);
          }));
      for (const TreeNode& node : wave.nodes)
        CONVOY_RETURN_IF_ERROR(PushSum(step, batch, wave, node));
    }
    return absl::OkStatus();
  }

  // In the thread of the slot.
  absl::Status ThreadSlice(uint64_t epoch, const Range& positions, uint32_t slice,
                           ParallelGradients::Slot& slot, WeightSource& weights) {
    CONVOY_RETURN_IF_ERROR(parallel_->Gradient(epoch, positions, slot, weights));
    reports_.Add(slice, slot.output, slot.batch);
    return absl::OkStatus();
  }

  // In the thread of the slot.
  absl::Status ThreadLocalSlice(uint64_t epoch, const std::vector<Range>& parts, uint32_t slice,
                                size_t part, ParallelGradients::Slot& slot, WeightSource& weights) {
    const auto between = [&] { return part == 0 ? weights_.Poll() : absl::OkStatus(); };
    PulledWeights& rows = weights_.thread(part);
    rows.BeginRound();
    CONVOY_ASSIGN_OR_RETURN(slot.examples, TakeLocalSteps({*slot.model, slot.reader, slot.batch,
                                                           slot.ahead, *local_[part]},
                                                          epoch, parts, slice, weights, between));
    round_rows_[part] = rows.RoundBatches(local_[part]->UpdatedIds());
    return local_[part]->End(weights, static_cast<float>(slot.examples), round_rows_[part],
                             slot.gradient);
  }

  absl::Status PushSum(uint64_t step, const EpochRange& batch, const Wave& wave, TreeNode node) {
    ParameterClient::PushHeader header;
    header.step = step;
    header.node = node;
    header.pull = node == waves_.back().nodes.back();
    header.examples = static_cast<uint32_t>(parallel_->Examples(tree_, node, wave.begin));
    for (uint32_t slice = tree_.begin(node); slice < tree_.end(node); ++slice) {
      if (parallel_->slot(slice - wave.begin).examples < plan_.SliceExamples(batch, slice))
        ++skipped_;
    }
    CONVOY_RETURN_IF_ERROR(push_.Begin(header));
    if (header.examples > 0) {
      const size_t part = tree_.begin(node) - wave.begin;  // of a model with tables: the only one
      push_.BeginSlice(/*last=*/true,
                       local_.empty() ? weights_.thread(part).batches() : round_rows_[part]);
      CONVOY_RETURN_IF_ERROR(parallel_->AddUp(tree_, node, wave.begin, push_));
      CONVOY_RETURN_IF_ERROR(PushRows(node, wave));
      CONVOY_RETURN_IF_ERROR(push_.EndSlice(header.examples).status());
    }
    return push_.End();
  }

  // Those of differences are where they leave from.
  absl::Status PushRows(TreeNode node, const Wave& wave) {
    if (local_.empty()) return parallel_->AddUpRows(tree_, node, wave.begin, push_);
    for (size_t t = 0; t < context_.model.tables().size(); ++t) {
      CONVOY_RETURN_IF_ERROR(push_.RowsReady(static_cast<int>(t)));
    }
    return absl::OkStatus();
  }

  // With backups the others may have gone on without this worker: it does, too.
  absl::StatusOr<uint64_t> NextStep(uint64_t step) {
    if (context_.mode.backup == 0) return step + 1;
    CONVOY_RETURN_IF_ERROR(
        parameters_.WaitUntil([&] { return parameters_.applied_step() > step; }));
    const uint64_t next = std::min(parameters_.applied_step(), plan_.total());
    dropped_ += (next - step - 1) * nodes_.size();
    return next;
  }

  absl::Status AfterStep(uint64_t step) {
    if (reports_.ReportsAfter(step)) CONVOY_RETURN_IF_ERROR(ReportTraining(step));
    if (step == plan_.total() || !reports_.ValidatesAfter(step)) return absl::OkStatus();
    return Validate(step);
  }

  SliceReports::Events TakeEvents() {
    for (const std::unique_ptr<LocalSteps>& local : local_) skipped_ += local->TakeSkipped();
    SliceReports::Events events;
    events.staleness = parameters_.TakeStaleness();
    events.skipped = std::exchange(skipped_, 0);
    events.dropped = std::exchange(dropped_, 0) + parameters_.TakeDropped();
    return events;
  }

  absl::Status ReportTraining(uint64_t step) { return reports_.ReportTraining(step, TakeEvents()); }

  absl::Status Validate(uint64_t version) {
    CONVOY_RETURN_IF_ERROR(Measure(context_.validation, v1::ReportRequest::VALIDATION, version));
    CONVOY_RETURN_IF_ERROR(
        Measure(context_.validation_old, v1::ReportRequest::VALIDATION_OLD, version));
    // Whoever takes the place of this worker can't measure it once the next step is pushed.
    return context_.session.SendAll();
  }

  // Nobody can move on meanwhile: the slices of this worker have not pushed step `version` yet.
  absl::Status Measure(const Dataset* data, v1::ReportRequest::Kind kind, uint64_t version) {
    weights_.SetVersion(version);
    return reports_.Measure(data, kind, version, weights_, [this] { return weights_.Poll(); });
  }

  const TrainingContext& context_;
  ParameterClient& parameters_;
  const StepPlan plan_;
  const SliceTree tree_;
  const std::vector<TreeNode> nodes_;
  PulledWeights weights_;
  GradientPush push_;
  ExampleReader reader_;
  SliceReports reports_;
  std::vector<std::unique_ptr<LocalSteps>> local_;  // local_sgd: by thread
  Batch batch_, ahead_;
  std::vector<uint64_t> ids_;
  // cluster.threads_per_worker above 1.
  std::optional<ParallelGradients> parallel_;
  std::vector<Wave> waves_;
  std::vector<TableBatches> round_rows_;  // local_sgd: by thread
  uint64_t skipped_ = 0, dropped_ = 0;
};

}  // namespace

absl::Status TrainSync(const TrainingContext& context, ParameterClient& parameters) {
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<SyncTraining> training,
                          SyncTraining::Create(context, parameters));
  return training->Run();
}

}  // namespace convoy
