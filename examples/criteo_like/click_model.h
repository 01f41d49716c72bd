// Click logs whose true model is known: 39 fields of Zipf-distributed ids, and clicks drawn from a
// factorization machine.
#ifndef CONVOY_EXAMPLES_CRITEO_LIKE_CLICK_MODEL_H_
#define CONVOY_EXAMPLES_CRITEO_LIKE_CLICK_MODEL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "examples/criteo_like/zipf.h"

namespace convoy::criteo_like {

inline constexpr int kFields = 39;
inline constexpr int kFactors = 4;

struct ClickModelOptions {
  uint64_t seed = 1;
  uint32_t features = 1'000'000;   // ids of all fields together, from 1; at least 10,000
  double exponent = 1.05;          // of Zipf's law within a field
  double click_rate = 0.25;        // mean of the true probabilities, in (0, 1)
  double weight_deviation = 0.2;   // of the linear weights, which are normal
  double factor_deviation = 0.13;  // of the factors, which are normal; 0: a logistic model
};

// One line of the log.
struct Impression {
  std::array<uint32_t, kFields> ids;  // one of each field, ascending, from 1
  double probability = 0;             // of a click, by the true model
  bool clicked = false;
};

// Immutable; 24 bytes a feature. Impressions are a pure function of (options, number), so that any
// stretch of the log can be made on its own: training and test data are stretches of one log.
class ClickModel {
 public:
  explicit ClickModel(const ClickModelOptions& options);

  Impression Draw(uint64_t number) const;

  // Ids of field f are first_id(f) to first_id(f + 1) - 1.
  uint32_t first_id(int field) const { return first_ids_[static_cast<size_t>(field)]; }

 private:
  using Factors = std::array<float, kFactors>;

  void DrawWeights();
  void SetBias();
  // b + sum of w_i + sum over pairs of <v_i, v_j>, by Rendle's linear-time formula ("Factorization
  // machines", ICDM 2010, lemma 3.1).
  double Logit(const std::array<uint32_t, kFields>& ids) const;
  std::array<uint32_t, kFields> DrawIds(uint64_t number) const;

  const ClickModelOptions options_;
  std::array<uint32_t, kFields + 1> first_ids_;
  std::vector<Zipf> fields_;
  std::vector<float> weights_;    // by id - 1
  std::vector<Factors> factors_;  // by id - 1
  double bias_ = 0;
};

}  // namespace convoy::criteo_like

#endif  // CONVOY_EXAMPLES_CRITEO_LIKE_CLICK_MODEL_H_
