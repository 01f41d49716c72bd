// What the true model itself would score: no model can be expected to do better.
#ifndef CONVOY_EXAMPLES_CRITEO_LIKE_BEST_SCORES_H_
#define CONVOY_EXAMPLES_CRITEO_LIKE_BEST_SCORES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace convoy::criteo_like {

// 8 bytes an impression.
class BestScores {
 public:
  // The true probability, strictly between 0 and 1, and what happened.
  void Add(double probability, bool clicked);

  uint64_t impressions() const { return scores_.size(); }
  double click_rate() const;
  // Mean entropy of the true probabilities: the log loss that the true model is expected to have.
  double entropy() const { return entropy_ / static_cast<double>(scores_.size()); }
  // Log loss of the true model on these impressions.
  double log_loss() const { return loss_ / static_cast<double>(scores_.size()); }
  // Area under the ROC curve of the true model on these impressions; equal probabilities count
  // half. 0.5 unless both outcomes occur.
  double Auc() const;

 private:
  std::vector<std::pair<float, bool>> scores_;
  uint64_t clicks_ = 0;
  double entropy_ = 0;  // sums
  double loss_ = 0;
};

}  // namespace convoy::criteo_like

#endif  // CONVOY_EXAMPLES_CRITEO_LIKE_BEST_SCORES_H_
