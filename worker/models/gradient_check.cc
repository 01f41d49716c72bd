#include "worker/models/gradient_check.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/aligned_buffer.h"
#include "common/math/random.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr float kMoved = 0.05f;
constexpr int kLargestStep = 3, kSmallestStep = 9;  // 2^-n
constexpr size_t kShown = 3;

// Weights and gradients in memory.
class Parameters final : public WeightSource, public GradientSink {
 public:
  Parameters(const std::vector<VariableSpec>& variables, uint64_t seed) {
    for (const VariableSpec& spec : variables) {
      AlignedBuffer& weights = weights_.emplace_back(spec.size());
      gradients_.emplace_back(spec.size());
      InitializeValues(spec, seed, 0, weights.span());
      const RandomStream random(seed, "gradient check/" + spec.name);
      for (size_t i = 0; i < weights.size(); ++i) weights[i] += kMoved * random.Normal(i);
    }
  }
  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    return weights_[static_cast<size_t>(variable)].span();
  }
  std::span<float> Gradient(int variable) override {
    return gradients_[static_cast<size_t>(variable)].span();
  }
  absl::Status Ready(int, int64_t, int64_t) override { return absl::OkStatus(); }

  float& weight(size_t variable, int64_t element) { return weights_[variable][element]; }
  std::span<const float> gradient(size_t variable) const { return gradients_[variable].span(); }

 private:
  std::vector<AlignedBuffer> weights_, gradients_;
};

struct Quotient {
  double value = 0;
  double remainder = std::numeric_limits<double>::infinity();  // estimate of the Taylor remainder
  double rounding = 0;                                         // bound
  double error() const { return remainder + rounding; }
};

class Comparison {
 public:
  Comparison(Model& model, const Batch& batch, uint64_t seed)
      : model_(model), batch_(batch), seed_(seed), parameters_(model.variables(), seed) {}

  absl::StatusOr<std::vector<VariableGradients>> Run(int64_t elements) {
    CONVOY_ASSIGN_OR_RETURN(const double loss, Loss());
    rounding_ = 0x1p-22 * (std::abs(loss) + static_cast<double>(batch_.size));
    // Every pass writes gradients: these are the ones to compare.
    std::vector<std::vector<float>> gradients;
    for (size_t v = 0; v < model_.variables().size(); ++v) {
      gradients.emplace_back(parameters_.gradient(v).begin(), parameters_.gradient(v).end());
    }
    std::vector<VariableGradients> variables;
    for (size_t v = 0; v < gradients.size(); ++v) {
      CONVOY_ASSIGN_OR_RETURN(variables.emplace_back(), Variable(v, gradients[v], elements));
    }
    return variables;
  }

 private:
  absl::StatusOr<double> Loss() {
    CONVOY_ASSIGN_OR_RETURN(const BatchOutput output,
                            model_.Train(batch_, parameters_, parameters_));
    if (std::isfinite(output.loss)) return output.loss;
    return absl::InternalError(absl::StrCat("the loss of the batch is ", output.loss));
  }

  absl::StatusOr<double> LossAt(float& weight, float value) {
    const float before = std::exchange(weight, value);
    absl::StatusOr<double> loss = Loss();
    weight = before;
    return loss;
  }

  absl::StatusOr<VariableGradients> Variable(size_t v, std::span<const float> gradient,
                                             int64_t elements) {
    const VariableSpec& spec = model_.variables()[v];
    VariableGradients result = {spec.name, spec.shape, 0, 0, 0, {}};
    for (const int64_t element : Chosen(spec, gradient, elements)) {
      CONVOY_ASSIGN_OR_RETURN(const Quotient best, Best(parameters_.weight(v, element)));
      const double got = gradient[static_cast<size_t>(element)];
      ++result.checked;
      const double size = std::max(std::abs(got), std::abs(best.value));
      if (best.remainder > best.rounding && best.remainder > 0.25 * size) {
        ++result.undecided;
        continue;
      }
      const double difference = std::abs(got - best.value);
      const double allowed = 2 * best.error() + 0.01 * size;
      result.largest_difference = std::max(result.largest_difference, difference);
      if (!(difference <= allowed)) result.wrong.push_back({element, got, best.value, allowed});
    }
    return result;
  }

  // In ascending order.
  std::set<int64_t> Chosen(const VariableSpec& spec, std::span<const float> gradient,
                           int64_t elements) const {
    std::vector<int64_t> largest(gradient.size());
    std::iota(largest.begin(), largest.end(), 0);
    const auto count = std::min<size_t>(largest.size(), static_cast<size_t>(elements));
    // NaN counts as largest: it is what to report first.
    const auto size = [&](int64_t i) {
      const float value = std::abs(gradient[static_cast<size_t>(i)]);
      return std::isnan(value) ? std::numeric_limits<float>::infinity() : value;
    };
    std::partial_sort(
        largest.begin(), largest.begin() + static_cast<int64_t>(count), largest.end(),
        [&](int64_t a, int64_t b) { return std::pair(-size(a), a) < std::pair(-size(b), b); });
    std::set<int64_t> chosen(largest.begin(), largest.begin() + static_cast<int64_t>(count));
    const RandomStream random(seed_, "gradient check elements/" + spec.name);
    for (uint64_t i = 0; i < static_cast<uint64_t>(elements); ++i) {
      chosen.insert(static_cast<int64_t>(random.Below(i, gradient.size())));
    }
    return chosen;
  }

  absl::StatusOr<Quotient> Best(float& weight) {
    const float unit = std::max(std::abs(weight), 0.25f);
    CONVOY_ASSIGN_OR_RETURN(const double noise, Noise(weight, unit));
    Quotient best, before;
    for (int n = kLargestStep; n <= kSmallestStep; ++n) {
      CONVOY_ASSIGN_OR_RETURN(Quotient quotient, At(weight, std::ldexp(unit, -n), noise));
      if (n > kLargestStep) quotient.remainder = std::abs(quotient.value - before.value);
      if (n > kLargestStep && quotient.error() < best.error()) best = quotient;
      before = quotient;
    }
    return best;
  }

  absl::StatusOr<Quotient> At(float& weight, float step, double noise) {
    const float above = weight + step, below = weight - step;
    CONVOY_ASSIGN_OR_RETURN(const double right, LossAt(weight, above));
    CONVOY_ASSIGN_OR_RETURN(const double left, LossAt(weight, below));
    const double width = double{above} - double{below};
    Quotient quotient;
    quotient.value = (right - left) / width;
    quotient.rounding = 2 * noise / width;
    return quotient;
  }

  // The error of one loss: over so small a step nothing else bends it.
  absl::StatusOr<double> Noise(float& weight, float unit) {
    const float step = std::ldexp(unit, -16);
    CONVOY_ASSIGN_OR_RETURN(const double middle, Loss());
    CONVOY_ASSIGN_OR_RETURN(const double right, LossAt(weight, weight + step));
    CONVOY_ASSIGN_OR_RETURN(const double left, LossAt(weight, weight - step));
    return std::max(rounding_, std::abs(right - 2 * middle + left) / 2);
  }

  Model& model_;
  const Batch& batch_;
  const uint64_t seed_;
  Parameters parameters_;
  double rounding_ = 0;
};

std::string Shape(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

// [row, column, ...] of the element.
std::string Index(int64_t element, const std::vector<int64_t>& shape) {
  std::vector<int64_t> index(shape.size());
  for (size_t i = shape.size(); i-- > 0; element /= shape[i]) index[i] = element % shape[i];
  return Shape(index);
}

}  // namespace

absl::StatusOr<std::vector<VariableGradients>> CompareGradients(Model& model, const Batch& batch,
                                                                uint64_t seed, int64_t elements) {
  return Comparison(model, batch, seed).Run(elements);
}

absl::Status GradientsVerdict(const std::vector<VariableGradients>& variables) {
  std::string text;
  for (const VariableGradients& variable : variables) {
    for (size_t i = 0; i < std::min(kShown, variable.wrong.size()); ++i) {
      const GradientElement& wrong = variable.wrong[i];
      absl::StrAppendFormat(
          &text, "\n  %s %s, element %s: got %.6g, expected %.6g (allowed difference %.2g)",
          variable.name, Shape(variable.shape), Index(wrong.element, variable.shape), wrong.got,
          wrong.expected, wrong.allowed);
    }
    if (variable.wrong.size() > kShown) {
      absl::StrAppend(&text, "\n  ", variable.name, ": ", variable.wrong.size() - kShown,
                      " more of the ", variable.checked, " elements that were looked at");
    }
  }
  if (text.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError("gradients are not those of the loss:" + text);
}

std::string GradientsTable(const std::vector<VariableGradients>& variables) {
  std::string text;
  for (const VariableGradients& variable : variables) {
    absl::StrAppendFormat(&text, "  %s %s: %d elements, largest difference %.2g", variable.name,
                          Shape(variable.shape), variable.checked, variable.largest_difference);
    if (variable.undecided > 0) {
      absl::StrAppend(&text, ", ", variable.undecided, " left out at kinks of the loss");
    }
    text += "\n";
  }
  return text;
}

}  // namespace convoy
