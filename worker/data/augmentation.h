// Random changes of training images.
#ifndef CONVOY_WORKER_DATA_AUGMENTATION_H_
#define CONVOY_WORKER_DATA_AUGMENTATION_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "worker/data/batch.h"
#include "worker/data/dataset.h"

namespace convoy {

// What happens to an image is a pure function of (seed, epoch, Batch::examples): the same in every
// process, slice and mode. Flipping and shifting with zero padding are the augmentation of He et
// al., "Deep residual learning for image recognition", CVPR 2016, section 4.2. One thread.
class Augmentation {
 public:
  // InvalidArgument: the examples of `data` are no images (sparse, or of a height or width of 1),
  // or smaller than the shift.
  static absl::StatusOr<Augmentation> Create(const v1::Augment& config, uint64_t seed,
                                             const Dataset& data);

  // Changes the features of a dense batch.
  void Apply(Batch* batch);

 private:
  Augmentation(const v1::Augment& config, uint64_t seed, const ExampleShape& shape);

  // `image`: row-major [height, width, channels].
  void Flip(std::span<float> image) const;
  // image(y, x) = old image(y - dy, x - dx), 0 outside.
  void Shift(int64_t dy, int64_t dx, std::span<float> image);
  void AddNoise(uint64_t epoch, uint64_t example, std::span<float> image);

  v1::Augment config_;
  uint64_t seed_;
  ExampleShape shape_;
  std::vector<float> scratch_;  // of one image
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_AUGMENTATION_H_
