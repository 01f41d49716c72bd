#include "examples/criteo_like/click_model.h"

#include <algorithm>
#include <cmath>

#include "common/math/random.h"

namespace convoy::criteo_like {
namespace {

constexpr double kGrowth = 1.3;    // of the sizes of the fields
constexpr uint32_t kLeastIds = 4;  // of a field
constexpr uint64_t kCalibration = 20'000;
// Impressions that the bias is fitted to are numbered from here, beyond any log.
constexpr uint64_t kCalibrationBegin = uint64_t{1} << 48;
constexpr double kUnit = 0x1p-32;  // of 32 random bits

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Where the ids of each field begin; the sizes grow from field to field by kGrowth.
std::array<uint32_t, kFields + 1> FirstIds(uint32_t features) {
  std::array<uint32_t, kFields + 1> first;
  first[0] = 1;
  double size = features * (kGrowth - 1) / (std::pow(kGrowth, kFields) - 1);
  for (size_t field = 0; field < kFields; ++field, size *= kGrowth) {
    first[field + 1] = first[field] + std::max(kLeastIds, static_cast<uint32_t>(size));
  }
  first[kFields] = features + 1;
  return first;
}

}  // namespace

ClickModel::ClickModel(const ClickModelOptions& options)
    : options_(options), first_ids_(FirstIds(options.features)) {
  for (size_t field = 0; field < kFields; ++field) {
    fields_.emplace_back(first_ids_[field + 1] - first_ids_[field], options.exponent);
  }
  DrawWeights();
  SetBias();
}

void ClickModel::DrawWeights() {
  weights_.resize(options_.features);
  factors_.resize(options_.features);
  RandomStream(options_.seed, "true weights").FillNormal(0, weights_);
  RandomStream(options_.seed, "true factors")
      .FillNormal(0, {factors_[0].data(), factors_.size() * kFactors});
  for (float& w : weights_) w *= static_cast<float>(options_.weight_deviation);
  for (Factors& factors : factors_) {
    for (float& v : factors) v *= static_cast<float>(options_.factor_deviation);
  }
}

// By bisection, so that the mean probability of some impressions is the click rate.
void ClickModel::SetBias() {
  std::vector<double> logits;
  for (uint64_t i = 0; i < kCalibration; ++i)
    logits.push_back(Logit(DrawIds(kCalibrationBegin + i)));
  double low = -50, high = 50;
  for (int round = 0; round < 60; ++round) {
    bias_ = (low + high) / 2;
    double sum = 0;
    for (const double logit : logits) sum += Sigmoid(logit + bias_);
    (sum < options_.click_rate * kCalibration ? low : high) = bias_;
  }
}

std::array<uint32_t, kFields> ClickModel::DrawIds(uint64_t number) const {
  const RandomStream random(options_.seed, "ids", number);
  std::array<uint32_t, kFields> ids;
  for (size_t field = 0; field < kFields; ++field) {
    ids[field] =
        first_ids_[field] + fields_[field].Rank(random.Bits(2 * field), random.Bits(2 * field + 1));
  }
  return ids;
}

double ClickModel::Logit(const std::array<uint32_t, kFields>& ids) const {
  double linear = bias_, pairs = 0;
  for (const uint32_t id : ids) linear += weights_[id - 1];
  for (size_t f = 0; f < kFactors; ++f) {
    double sum = 0, squares = 0;
    for (const uint32_t id : ids) {
      const double v = factors_[id - 1][f];
      sum += v;
      squares += v * v;
    }
    pairs += (sum * sum - squares) / 2;
  }
  return linear + pairs;
}

Impression ClickModel::Draw(uint64_t number) const {
  Impression impression;
  impression.ids = DrawIds(number);
  impression.probability = Sigmoid(Logit(impression.ids));
  const uint32_t bits = RandomStream(options_.seed, "clicks", number).Bits(0);
  impression.clicked = (bits + 0.5) * kUnit < impression.probability;
  return impression;
}

}  // namespace convoy::criteo_like
