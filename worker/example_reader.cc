#include "worker/example_reader.h"

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {

absl::Status ExampleReader::Read(uint64_t epoch, const Range& positions, Batch* batch) {
  order_.Examples(epoch, positions, &examples_);
  data_->Read(examples_, batch);
  batch->epoch = epoch;
  for (float& label : batch->labels) CONVOY_RETURN_IF_ERROR(model_->CheckLabel(label, &label));
  return absl::OkStatus();
}

absl::Status CheckLabels(const Dataset& data, const Model& model) {
  if (!data.has_labels()) return absl::InvalidArgumentError("the examples have no labels");
  float mapped;
  for (int64_t i = 0; i < data.size(); ++i) {
    CONVOY_RETURN_IF_ERROR(Annotate(model.CheckLabel(data.label(i), &mapped), absl::StrCat("example ", i)));
  }
  return absl::OkStatus();
}

}  // namespace convoy
