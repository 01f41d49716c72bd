// Where a model's gradients go in training: out to the servers while they are still being computed,
// or first through what the job asks for: adding up neighbouring slices, looking for NaN, clipping
// by norm.
#ifndef CONVOY_WORKER_GRADIENT_PUSH_H_
#define CONVOY_WORKER_GRADIENT_PUSH_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "common/aligned_buffer.h"
#include "worker/gradient_rules.h"
#include "worker/models/model.h"
#include "worker/parameter_client.h"
#include "worker/pulled_weights.h"

namespace convoy {

// One thread. At most two gradients are held: the one that is kept or under way, and one being
// computed. Of frozen variables there are none: models do not report them, see PartlyFrozenModel.
class GradientPush final : public GradientSink {
 public:
  struct Options {
    bool skip_not_finite = false;  // training.nan_policy SKIP
    double clip_norm = 0;          // optimizer.clip_norm; 0: none
  };

  // `client` outlives this.
  GradientPush(ParameterClient* client, Options options);

  // Starts a push. It is made of one slice, or of two neighbours (left, then right) that are added
  // up here.
  absl::Status Begin(const ParameterClient::PushHeader& header);
  // The next slice's gradient comes (through GradientSink). `last`: no further slice of this push
  // follows, so blocks may leave as they are ready. `tables`: the rows that the slice's batch
  // reads, by table; a push of a model with tables is made of one slice.
  void BeginSlice(bool last, const TableBatches& tables = {});
  // The slice's gradient is complete; it is over `examples`. Returns false if it was not finite and
  // is skipped.
  absl::StatusOr<bool> EndSlice(uint32_t examples);
  // Sends what has not left yet.
  absl::Status End();

  std::span<float> Gradient(int variable) override;
  absl::Status Ready(int variable, int64_t begin, int64_t end) override;
  std::span<float> RowGradients(int table) override;
  absl::Status RowsReady(int table) override;

 private:
  using Buffer = std::shared_ptr<AlignedBuffer>;

  // Adds elements to what is kept of the left slice, or takes them as they are, and lets them go.
  absl::Status Forward(int variable, int64_t begin, int64_t end);
  absl::Status WaitUntilFree(const Buffer& buffer);
  bool WithholdsSlice() const { return options_.skip_not_finite || options_.clip_norm > 0; }
  // What was computed of this slice.
  GradientSpans SliceSpans() const;

  ParameterClient* const client_;
  const Options options_;
  std::vector<Buffer> sum_;     // by variable: the gradient that is sent
  std::vector<Buffer> addend_;  // by variable: a right slice, while it is computed
  std::vector<Buffer> spare_;   // overlap: what the push before sent, takes turns with sum_
  TableBatches tables_;         // of the slice
  bool kept_ = false;           // sum_ holds a left slice
  bool last_ = false;
  absl::Status failure_;  // of a wait inside Gradient()
};

}  // namespace convoy

#endif  // CONVOY_WORKER_GRADIENT_PUSH_H_
