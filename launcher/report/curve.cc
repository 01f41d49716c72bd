#include "launcher/report/curve.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

namespace convoy {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double ValueOf(const CurvePoint& point, size_t metric) {
  return metric < point.values.size() ? point.values[metric] : kNone;
}

// The points of [begin, end) in which a metric is smallest or largest.
void KeepExtremes(const std::vector<CurvePoint>& points, size_t metric, size_t begin, size_t end,
                  std::set<size_t>* kept) {
  std::optional<size_t> least, most;
  for (size_t i = begin; i < end; ++i) {
    const double value = ValueOf(points[i], metric);
    if (!std::isfinite(value)) continue;
    if (!least || value < ValueOf(points[*least], metric)) least = i;
    if (!most || value > ValueOf(points[*most], metric)) most = i;
  }
  if (least) kept->insert(*least);
  if (most) kept->insert(*most);
}

}  // namespace

std::optional<size_t> Curve::Find(std::string_view metric) const {
  const auto found = std::find(metrics_.begin(), metrics_.end(), metric);
  if (found == metrics_.end()) return std::nullopt;
  return static_cast<size_t>(found - metrics_.begin());
}

size_t Curve::FindOrAdd(std::string_view metric) {
  if (const std::optional<size_t> found = Find(metric)) return *found;
  metrics_.emplace_back(metric);
  return metrics_.size() - 1;
}

std::optional<double> Curve::Last(std::string_view metric) const {
  const std::optional<size_t> number = Find(metric);
  if (!number || points_.empty()) return std::nullopt;
  const double value = ValueOf(points_.back(), *number);
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

void Curve::Add(CurvePoint point) { points_.push_back(std::move(point)); }

void Curve::RemoveAfter(double updates) {
  std::erase_if(points_, [updates](const CurvePoint& point) { return point.updates > updates; });
}

Curve Curve::Thinned(size_t most) const {
  // Each stretch may keep two points for each metric.
  const size_t each = std::max<size_t>(1, 2 * metrics_.size());
  if (points_.size() <= std::max(most, each)) return *this;
  const size_t stretches = std::max<size_t>(1, most / each);
  std::set<size_t> kept = {0, points_.size() - 1};
  for (size_t s = 0; s < stretches; ++s) {
    const size_t begin = s * points_.size() / stretches, end = (s + 1) * points_.size() / stretches;
    for (size_t metric = 0; metric < metrics_.size(); ++metric)
      KeepExtremes(points_, metric, begin, end, &kept);
  }
  Curve thinned;
  thinned.metrics_ = metrics_;
  for (const size_t i : kept) thinned.points_.push_back(points_[i]);
  return thinned;
}

}  // namespace convoy
