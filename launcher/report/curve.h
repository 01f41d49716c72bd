// Metrics over the course of a training.
#ifndef CONVOY_LAUNCHER_REPORT_CURVE_H_
#define CONVOY_LAUNCHER_REPORT_CURVE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace convoy {

struct CurvePoint {
  double seconds = 0;   // since the training began
  double examples = 0;  // trained on so far
  double updates = 0;
  std::vector<double> values;  // by metric of the curve; NaN: not measured, or not finite
};

class Curve {
 public:
  const std::vector<std::string>& metrics() const { return metrics_; }
  const std::vector<CurvePoint>& points() const { return points_; }
  bool empty() const { return points_.empty(); }

  // The number of a metric; nothing if no point has it.
  std::optional<size_t> Find(std::string_view metric) const;
  // The same, added if it is new.
  size_t FindOrAdd(std::string_view metric);
  // The value of the last point; nothing if there is none or it is not finite.
  std::optional<double> Last(std::string_view metric) const;

  // `point.values` may be shorter than metrics().
  void Add(CurvePoint point);
  // What an earlier life of the job said of later steps did not happen.
  void RemoveAfter(double updates);

  // At most about `most` points: of each stretch those in which some metric is smallest or largest,
  // and the first and the last of all. No extreme is lost.
  Curve Thinned(size_t most) const;

 private:
  std::vector<std::string> metrics_;
  std::vector<CurvePoint> points_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_REPORT_CURVE_H_
