#include "examples/criteo_like/zipf.h"

#include <cmath>

namespace convoy::criteo_like {
namespace {

// Probabilities times n: 1 on average.
std::vector<double> Shares(uint32_t n, double exponent) {
  std::vector<double> shares(n);
  double sum = 0;
  for (uint32_t k = 0; k < n; ++k) sum += shares[k] = std::pow(k + 1.0, -exponent);
  for (double& share : shares) share *= n / sum;
  return shares;
}

}  // namespace

// Vose's construction: a rank with less than its slot leaves the rest to one that has more.
Zipf::Zipf(uint32_t n, double exponent) : slots_(n) {
  std::vector<double> shares = Shares(n, exponent);
  std::vector<uint32_t> small, large;
  for (uint32_t k = 0; k < n; ++k) {
    slots_[k].alias = k;
    (shares[k] < 1 ? small : large).push_back(k);
  }
  while (!small.empty() && !large.empty()) {
    const uint32_t less = small.back(), more = large.back();
    small.pop_back();
    slots_[less] = {static_cast<uint32_t>(shares[less] * 4294967296.0), more};
    shares[more] -= 1 - shares[less];
    if (shares[more] >= 1) continue;
    large.pop_back();
    small.push_back(more);
  }
}

}  // namespace convoy::criteo_like
