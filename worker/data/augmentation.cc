#include "worker/data/augmentation.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "common/math/random.h"

namespace convoy {
namespace {

absl::Status CheckImages(const v1::Augment& config, const Dataset& data) {
  const ExampleShape shape = data.example_shape();
  if (data.sparse() || shape.height < 2 || shape.width < 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        "data.augment needs images, got ", data.sparse() ? "sparse" : "dense", " examples of ",
        shape.height, " x ", shape.width, " x ", shape.channels, "; remove data.augment"));
  }
  if (config.crop() < std::min(shape.height, shape.width)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("data.augment.crop: got ", config.crop(),
                                                 ", want less than the ", shape.height, " x ",
                                                 shape.width, " pixels of an image"));
}

}  // namespace

absl::StatusOr<Augmentation> Augmentation::Create(const v1::Augment& config, uint64_t seed,
                                                  const Dataset& data) {
  if (absl::Status status = CheckImages(config, data); !status.ok()) return status;
  return Augmentation(config, seed, data.example_shape());
}

Augmentation::Augmentation(const v1::Augment& config, uint64_t seed, const ExampleShape& shape)
    : config_(config),
      seed_(seed),
      shape_(shape),
      scratch_(static_cast<size_t>(shape.height * shape.width * shape.channels)) {}

void Augmentation::Apply(Batch* batch) {
  const uint64_t shifts = 2 * uint64_t{config_.crop()} + 1;
  const auto offset = [&](uint64_t drawn) { return static_cast<int64_t>(drawn) - config_.crop(); };
  for (size_t i = 0; i < batch->examples.size(); ++i) {
    const std::span<float> image =
        batch->dense.span().subspan(i * scratch_.size(), scratch_.size());
    const RandomStream random(seed_, "augmentation", batch->epoch, batch->examples[i]);
    if (config_.flip() && random.Below(0, 2) == 1) Flip(image);
    if (config_.crop() > 0) {
      Shift(offset(random.Below(1, shifts)), offset(random.Below(2, shifts)), image);
    }
    if (config_.noise() > 0) AddNoise(batch->epoch, batch->examples[i], image);
  }
}

void Augmentation::Flip(std::span<float> image) const {
  const auto pixel = [&](int64_t x, int64_t y) {
    return image.begin() + (y * shape_.width + x) * shape_.channels;
  };
  for (int64_t y = 0; y < shape_.height; ++y) {
    for (int64_t left = 0, right = shape_.width - 1; left < right; ++left, --right) {
      std::swap_ranges(pixel(left, y), pixel(left, y) + shape_.channels, pixel(right, y));
    }
  }
}

void Augmentation::Shift(int64_t dy, int64_t dx, std::span<float> image) {
  if (dy == 0 && dx == 0) return;
  std::copy(image.begin(), image.end(), scratch_.begin());
  std::fill(image.begin(), image.end(), 0.0f);
  const int64_t row = shape_.width * shape_.channels;
  const int64_t kept = row - std::abs(dx) * shape_.channels;
  const int64_t from = std::max<int64_t>(-dx, 0) * shape_.channels;
  const int64_t to = std::max<int64_t>(dx, 0) * shape_.channels;
  for (int64_t y = std::max<int64_t>(dy, 0); y < shape_.height + std::min<int64_t>(dy, 0); ++y) {
    std::copy_n(scratch_.begin() + (y - dy) * row + from, kept, image.begin() + y * row + to);
  }
}

void Augmentation::AddNoise(uint64_t epoch, uint64_t example, std::span<float> image) {
  RandomStream(seed_, "augmentation noise", epoch, example).FillNormal(0, scratch_);
  const float deviation = static_cast<float>(config_.noise());
  for (size_t i = 0; i < image.size(); ++i) image[i] += deviation * scratch_[i];
}

}  // namespace convoy
