#include "worker/example_reader.h"

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/data/interleave.h"

namespace convoy {

ExampleReader::ExampleReader(const Dataset* data, const Model* model)
    : data_(data),
      model_(model),
      order_(static_cast<uint64_t>(data->size()), /*seed=*/0, /*shuffle=*/false) {}

ExampleReader::ExampleReader(const TrainingData* training, const Model* model)
    : data_(training->examples),
      model_(model),
      class_weights_(training->class_weights),
      order_(training->fresh_size(), training->seed, training->shuffle),
      augmentation_(training->augmentation) {
  if (training->kept) kept_ = &*training->kept;
  if (training->oversampling) {
    oversampled_.emplace(&*training->oversampling, training->seed, training->shuffle);
  }
  if (!training->replay) return;
  replayed_ = training;
  old_order_.emplace(&*training->replay, training->seed, training->shuffle);
}

void ExampleReader::ReadFresh(uint64_t epoch, const Range& positions, Batch* batch) {
  order_.Examples(epoch, positions, &examples_);
  if (kept_ != nullptr) {
    for (uint32_t& example : examples_) example = (*kept_)[example];
  }
  std::vector<uint64_t> visits;
  if (oversampled_) oversampled_->Visit(epoch, examples_, &visits);
  data_->Read(examples_, batch);
  if (oversampled_) batch->examples.swap(visits);
}

// Examples are numbered through the new ones, then the old ones.
void ExampleReader::ReadReplayed(uint64_t epoch, const Range& positions, Batch* batch) {
  const Replay& replay = *replayed_->replay;
  const auto fresh = static_cast<uint64_t>(data_->size());
  const uint64_t all = fresh + static_cast<uint64_t>(replayed_->old->size());
  ReadFresh(epoch, replay.Fresh(positions), &fresh_);
  for (uint64_t& visit : fresh_.examples) visit = visit / fresh * all + visit % fresh;
  std::vector<uint64_t> times;
  old_order_->Examples(epoch, replay.Old(positions), &examples_, &times);
  if (replayed_->old_kept) {
    for (uint32_t& example : examples_) example = (*replayed_->old_kept)[example];
  }
  replayed_->old->Read(examples_, &old_);
  for (size_t i = 0; i < times.size(); ++i) old_.examples[i] += times[i] * all + fresh;
  std::vector<bool> is_old;
  for (uint64_t p = positions.begin; p < positions.end; ++p) is_old.push_back(replay.IsOld(p));
  Interleave(fresh_, old_, is_old, batch);
}

absl::Status ExampleReader::Read(uint64_t epoch, const Range& positions, Batch* batch) {
  if (replayed_ != nullptr) {
    ReadReplayed(epoch, positions, batch);
  } else {
    ReadFresh(epoch, positions, batch);
  }
  batch->epoch = epoch;
  for (float& label : batch->labels) CONVOY_RETURN_IF_ERROR(model_->CheckLabel(label, &label));
  batch->weights.clear();
  if (!class_weights_.empty()) {
    for (const float c : batch->labels) {
      batch->weights.push_back(class_weights_[static_cast<size_t>(c)]);
    }
  }
  if (augmentation_) augmentation_->Apply(batch);
  return absl::OkStatus();
}

absl::Status CheckLabels(const Dataset& data, const Model& model) {
  if (!data.has_labels()) return absl::InvalidArgumentError("the examples have no labels");
  float mapped;
  for (int64_t i = 0; i < data.size(); ++i) {
    CONVOY_RETURN_IF_ERROR(
        Annotate(model.CheckLabel(data.label(i), &mapped), absl::StrCat("example ", i)));
  }
  return absl::OkStatus();
}

}  // namespace convoy
