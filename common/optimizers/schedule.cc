#include "common/optimizers/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace convoy {
namespace {

// examples / period, where a period of 0 means `fallback`.
double Periods(uint64_t examples, uint64_t period, uint64_t fallback) {
  const uint64_t divisor = std::max<uint64_t>(1, period != 0 ? period : fallback);
  return static_cast<double>(examples) / static_cast<double>(divisor);
}

double Warmup(const v1::Schedule& schedule, uint64_t examples) {
  if (examples >= schedule.warmup_examples()) return 1;
  return (static_cast<double>(examples) + 1) / static_cast<double>(schedule.warmup_examples());
}

double Shape(const v1::Schedule& schedule, uint64_t examples, uint64_t epoch_examples,
             uint64_t total_examples) {
  switch (schedule.kind_case()) {
    case v1::Schedule::kStep: {
      const v1::StepDecay& step = schedule.step();
      return std::pow(step.factor(),
                      std::floor(Periods(examples, step.every_examples(), epoch_examples)));
    }
    case v1::Schedule::kExponential: {
      const v1::ExponentialDecay& decay = schedule.exponential();
      return std::pow(decay.factor(), Periods(examples, decay.every_examples(), epoch_examples));
    }
    case v1::Schedule::kCosine: {
      const v1::CosineDecay& cosine = schedule.cosine();
      const double part = std::min(1.0, Periods(examples, cosine.over_examples(), total_examples));
      const double rest = 1 - cosine.final_fraction();
      return cosine.final_fraction() + rest * (1 + std::cos(std::numbers::pi * part)) / 2;
    }
    case v1::Schedule::kConstant:
    case v1::Schedule::KIND_NOT_SET:
      return 1;
  }
  return 1;
}

}  // namespace

double ScheduleFactor(const v1::Schedule& schedule, uint64_t examples, uint64_t epoch_examples,
                      uint64_t total_examples) {
  return Warmup(schedule, examples) * Shape(schedule, examples, epoch_examples, total_examples);
}

}  // namespace convoy
