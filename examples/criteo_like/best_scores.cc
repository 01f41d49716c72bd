#include "examples/criteo_like/best_scores.h"

#include <algorithm>
#include <cmath>

namespace convoy::criteo_like {

void BestScores::Add(double probability, bool clicked) {
  const double click = -std::log(probability), none = -std::log1p(-probability);
  entropy_ += probability * click + (1 - probability) * none;
  loss_ += clicked ? click : none;
  clicks_ += clicked;
  scores_.emplace_back(static_cast<float>(probability), clicked);
}

double BestScores::click_rate() const {
  return static_cast<double>(clicks_) / static_cast<double>(scores_.size());
}

double BestScores::Auc() const {
  std::vector<std::pair<float, bool>> sorted = scores_;
  std::sort(sorted.begin(), sorted.end());
  double pairs = 0, below = 0;  // below: impressions without click that were passed
  for (size_t begin = 0; begin < sorted.size();) {
    double clicks = 0, others = 0;
    size_t end = begin;
    for (; end < sorted.size() && sorted[end].first == sorted[begin].first; ++end) {
      (sorted[end].second ? clicks : others) += 1;
    }
    pairs += clicks * (below + others / 2);
    below += others;
    begin = end;
  }
  const double all = static_cast<double>(clicks_) * below;
  return all == 0 ? 0.5 : pairs / all;
}

}  // namespace convoy::criteo_like
