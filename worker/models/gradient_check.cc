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
#include "common/math/random.h"
#include "common/status.h"
#include "worker/models/batch_parameters.h"

namespace convoy {
namespace {

constexpr float kMoved = 0.05f;
constexpr int kLargestStep = 3, kSmallestStep = 11;  // 2^-n
constexpr size_t kShown = 3;

// An element of a group of parameters.
struct Place {
  size_t group = 0;
  int64_t element = 0;
};

struct Quotient {
  double value = 0;
  double bend = 0;  // how far the model's gradient changes from the middle to both ends
  double remainder = 0;
  double rounding = 0;
  double error() const { return remainder + rounding; }
};

// Of the quotients of ever smaller steps. A smaller step's interval lies within that of a larger
// one: what the smaller ones say of the derivative there counts for the larger one.
Quotient WithSmallestError(std::vector<Quotient> quotients) {
  Quotient best = quotients.back();
  best.remainder = best.bend;
  for (size_t n = quotients.size() - 1; n-- > 0;) {
    Quotient& quotient = quotients[n];
    quotient.bend = std::max(quotient.bend, quotients[n + 1].bend);
    quotient.remainder = quotient.bend;
    for (size_t m = n + 1; m < quotients.size(); ++m) {
      const double difference = std::abs(quotient.value - quotients[m].value);
      quotient.remainder = std::max(quotient.remainder, difference - quotients[m].rounding);
    }
    if (quotient.error() < best.error()) best = quotient;
  }
  return best;
}

class Comparison {
 public:
  Comparison(Model& model, const Batch& batch, uint64_t seed)
      : model_(model), batch_(batch), seed_(seed), parameters_(model, batch, seed) {
    for (size_t g = 0; g < parameters_.groups().size(); ++g) {
      const ParameterGroup& group = parameters_.groups()[g];
      const RandomStream random(seed, "gradient check/" + group.name);
      for (int64_t i = 0; i < group.size(); ++i) {
        parameters_.weight(g, i) += kMoved * random.Normal(static_cast<uint64_t>(i));
      }
    }
  }

  absl::StatusOr<std::vector<VariableGradients>> Run(int64_t elements) {
    CONVOY_ASSIGN_OR_RETURN(const double loss, Loss());
    rounding_ = 0x1p-22 * (std::abs(loss) + static_cast<double>(batch_.size));
    // Every pass writes gradients: these are the ones to compare.
    std::vector<std::vector<float>> gradients;
    for (size_t g = 0; g < parameters_.groups().size(); ++g) {
      std::vector<float>& gradient = gradients.emplace_back();
      for (int64_t i = 0; i < parameters_.groups()[g].size(); ++i) {
        gradient.push_back(parameters_.gradient(g, i));
      }
    }
    std::vector<VariableGradients> variables;
    for (size_t g = 0; g < gradients.size(); ++g) {
      CONVOY_ASSIGN_OR_RETURN(variables.emplace_back(), Group(g, gradients[g], elements));
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

  absl::StatusOr<double> LossAt(Place place, float value) {
    const float before = std::exchange(parameters_.weight(place.group, place.element), value);
    absl::StatusOr<double> loss = Loss();
    parameters_.weight(place.group, place.element) = before;
    return loss;
  }

  absl::StatusOr<VariableGradients> Group(size_t g, std::span<const float> gradient,
                                          int64_t elements) {
    const ParameterGroup& group = parameters_.groups()[g];
    VariableGradients result = {group.name, group.shape, group.ids, 0, 0, 0, {}};
    for (const int64_t element : Chosen(group.name, gradient, elements)) {
      const double got = gradient[static_cast<size_t>(element)];
      CONVOY_ASSIGN_OR_RETURN(const Quotient best, Best({g, element}, got));
      ++result.checked;
      const double size = std::max(std::abs(best.value), std::abs(got));
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
  std::set<int64_t> Chosen(const std::string& name, std::span<const float> gradient,
                           int64_t elements) const {
    if (gradient.empty()) return {};
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
    const RandomStream random(seed_, "gradient check elements/" + name);
    for (uint64_t i = 0; i < static_cast<uint64_t>(elements); ++i) {
      chosen.insert(static_cast<int64_t>(random.Below(i, gradient.size())));
    }
    return chosen;
  }

  absl::StatusOr<Quotient> Best(Place place, double got) {
    const float unit = std::max(std::abs(parameters_.weight(place.group, place.element)), 0.25f);
    CONVOY_ASSIGN_OR_RETURN(const double noise, Noise(place, unit));
    std::vector<Quotient> quotients;
    for (int n = kLargestStep; n <= kSmallestStep; ++n) {
      CONVOY_ASSIGN_OR_RETURN(Quotient quotient, At(place, std::ldexp(unit, -n), got));
      quotient.rounding *= noise;
      quotients.push_back(quotient);
    }
    return WithSmallestError(std::move(quotients));
  }

  // `rounding` is that of losses with an error of 1.
  absl::StatusOr<Quotient> At(Place place, float step, double got) {
    const float middle = parameters_.weight(place.group, place.element);
    const float above = middle + step, below = middle - step;
    CONVOY_ASSIGN_OR_RETURN(const double right, LossAt(place, above));
    const double right_gradient = parameters_.gradient(place.group, place.element);
    CONVOY_ASSIGN_OR_RETURN(const double left, LossAt(place, below));
    const double left_gradient = parameters_.gradient(place.group, place.element);
    const double width = double{above} - double{below};
    Quotient quotient;
    quotient.value = (right - left) / width;
    quotient.bend = std::max({0.0, std::abs(right_gradient - got), std::abs(left_gradient - got)});
    quotient.rounding = 2 / width;
    return quotient;
  }

  // The error of one loss: over so small a step nothing else bends it.
  absl::StatusOr<double> Noise(Place place, float unit) {
    const float weight = parameters_.weight(place.group, place.element),
                step = std::ldexp(unit, -16);
    CONVOY_ASSIGN_OR_RETURN(const double middle, Loss());
    CONVOY_ASSIGN_OR_RETURN(const double right, LossAt(place, weight + step));
    CONVOY_ASSIGN_OR_RETURN(const double left, LossAt(place, weight - step));
    return std::max(rounding_, std::abs(right - 2 * middle + left) / 2);
  }

  Model& model_;
  const Batch& batch_;
  const uint64_t seed_;
  BatchParameters parameters_;
  double rounding_ = 0;
};

std::string Shape(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

// "layer1/weight [4, 1], element [row, column, ...]", or "rows/factors, id 42, column 3".
std::string ElementName(const VariableGradients& variable, int64_t element) {
  if (!variable.ids.empty()) {
    const int64_t columns = variable.shape[1];
    return absl::StrCat(variable.name, ", id ",
                        variable.ids[static_cast<size_t>(element / columns)], ", column ",
                        element % columns);
  }
  const std::vector<int64_t>& shape = variable.shape;
  std::vector<int64_t> index(shape.size());
  for (size_t i = shape.size(); i-- > 0; element /= shape[i]) index[i] = element % shape[i];
  return absl::StrCat(variable.name, " ", Shape(shape), ", element ", Shape(index));
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
      absl::StrAppendFormat(&text, "\n  %s: got %.6g, expected %.6g (allowed difference %.2g)",
                            ElementName(variable, wrong.element), wrong.got, wrong.expected,
                            wrong.allowed);
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
      absl::StrAppend(&text, ", ", variable.undecided, " left out where the loss bends too much");
    }
    text += "\n";
  }
  return text;
}

}  // namespace convoy
