#include "worker/data/negative_sampling.h"

#include "common/math/random.h"

namespace convoy {

std::vector<uint32_t> SampleNegatives(std::span<const uint32_t> classes, double rate,
                                      uint64_t seed) {
  const RandomStream random(seed, "negative sampling");
  const auto limit = static_cast<uint64_t>(rate * 4294967296.0);  // of 32 random bits
  std::vector<uint32_t> kept;
  for (uint32_t example = 0; example < classes.size(); ++example) {
    if (classes[example] != 0 || random.Bits(example) < limit) kept.push_back(example);
  }
  return kept;
}

float CorrectForSampling(float p, double rate) {
  const double sampled = p;
  return static_cast<float>(sampled / (sampled + (1 - sampled) / rate));
}

}  // namespace convoy
