#include "launcher/coordinator/throughput.h"

namespace convoy {

double Throughput::Add(uint64_t examples, absl::Time now) {
  while (points_.size() > 1 && points_[1].time <= now - window_) points_.pop_front();
  const Point& from = points_.front();
  const double seconds = absl::ToDoubleSeconds(now - from.time);
  const double rate = seconds > 0 ? static_cast<double>(examples - from.examples) / seconds : 0;
  points_.push_back({now, examples});
  return rate;
}

}  // namespace convoy
