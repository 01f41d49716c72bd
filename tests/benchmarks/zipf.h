// Random ranks by Zipf's law, as the ids of click data are distributed.
#ifndef CONVOY_TESTS_BENCHMARKS_ZIPF_H_
#define CONVOY_TESTS_BENCHMARKS_ZIPF_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>

namespace convoy {

// Ranks 1 to n with probability proportional to rank^-exponent, by rejection-inversion: Hoermann &
// Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions", ACM
// TOMACS 6(3), 1996. No table, and about one draw for each rank.
class ZipfDistribution {
 public:
  // n >= 1; exponent > 0, not 1.
  ZipfDistribution(uint64_t n, double exponent)
      : n_(static_cast<double>(n)),
        exponent_(exponent),
        low_(Integral(1.5) - 1),
        high_(Integral(n_ + 0.5)) {}

  template <typename Random>
  uint64_t operator()(Random& random) const {
    std::uniform_real_distribution<double> uniform(low_, high_);
    for (;;) {
      const double area = uniform(random);
      const double rank = std::clamp(std::round(Inverse(area)), 1.0, n_);
      if (area >= Integral(rank + 0.5) - std::pow(rank, -exponent_))
        return static_cast<uint64_t>(rank);
    }
  }

 private:
  // Of x^-exponent, and its inverse.
  double Integral(double x) const { return (std::pow(x, 1 - exponent_) - 1) / (1 - exponent_); }
  double Inverse(double area) const {
    return std::pow(1 + area * (1 - exponent_), 1 / (1 - exponent_));
  }

  const double n_;
  const double exponent_;
  const double low_;
  const double high_;
};

}  // namespace convoy

#endif  // CONVOY_TESTS_BENCHMARKS_ZIPF_H_
