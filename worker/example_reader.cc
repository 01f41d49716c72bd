#include "worker/example_reader.h"

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {

ExampleReader::ExampleReader(const Dataset* data, const Model* model)
    : data_(data),
      model_(model),
      order_(static_cast<uint64_t>(data->size()), /*seed=*/0, /*shuffle=*/false) {}

ExampleReader::ExampleReader(const TrainingData* training, const Model* model)
    : data_(training->examples),
      model_(model),
      class_weights_(training->class_weights),
      order_(training->epoch_size(), training->seed, training->shuffle),
      augmentation_(training->augmentation) {
  if (training->kept) kept_ = &*training->kept;
  if (training->oversampling) {
    oversampled_.emplace(&*training->oversampling, training->seed, training->shuffle);
  }
}

absl::Status ExampleReader::Read(uint64_t epoch, const Range& positions, Batch* batch) {
  order_.Examples(epoch, positions, &examples_);
  if (kept_ != nullptr) {
    for (uint32_t& example : examples_) example = (*kept_)[example];
  }
  std::vector<uint64_t> visits;
  if (oversampled_) oversampled_->Visit(epoch, examples_, &visits);
  data_->Read(examples_, batch);
  if (oversampled_) batch->examples.swap(visits);
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
