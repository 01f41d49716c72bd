// The named dense variables of a model and their values at version 0.
#ifndef CONVOY_COMMON_MATH_VARIABLE_H_
#define CONVOY_COMMON_MATH_VARIABLE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "proto/coordinator.pb.h"

namespace convoy {

struct Initializer {
  enum class Kind { kZeros, kUniform, kNormal, kConstant };
  Kind kind = Kind::kZeros;
  // kUniform: in [-scale, scale]. kNormal: standard deviation. kConstant: the value.
  float scale = 0;

  static Initializer Zeros() { return {}; }
  static Initializer Constant(float value) { return {Kind::kConstant, value}; }
  // Uniform in +-sqrt(6 / (fan_in + fan_out)). Glorot & Bengio 2010, eq. 16.
  static Initializer GlorotUniform(int64_t fan_in, int64_t fan_out);
  // Normal with standard deviation sqrt(2 / fan_in). He et al. 2015, eq. 10.
  static Initializer HeNormal(int64_t fan_in);
};

struct VariableSpec {
  std::string name;            // unique in the model, e.g. "layer1/weight"
  std::vector<int64_t> shape;  // outermost first; every size >= 1
  Initializer initializer;

  int64_t size() const;
  // Rows of the row-major matrix [shape[0], product of the rest].
  int64_t rows() const { return shape.empty() ? 1 : shape[0]; }
};

// Writes the initial values of elements [offset, offset + out.size()) of the variable, float32,
// row-major. A value depends on (seed, spec.name, element index) alone, so that placement does not
// matter.
void InitializeValues(const VariableSpec& spec, uint64_t seed, int64_t offset,
                      std::span<float> out);

v1::Variable ToProto(const VariableSpec& spec);
v1::Variable::Initializer ToProto(Initializer::Kind kind);
// InvalidArgument: an unknown initializer, or a scale that is not finite or is negative where it is
// a width; says so of `owner`, e.g. `variable "w"`.
absl::Status FromProto(v1::Variable::Initializer kind, float scale, const std::string& owner,
                       Initializer* initializer);
// InvalidArgument: empty name, a size of 0, more than 2^40 elements, an unknown initializer, a
// scale that is not finite or is negative where it is a width. `spec` is then unchanged.
absl::Status FromProto(const v1::Variable& proto, VariableSpec* spec);

}  // namespace convoy

#endif  // CONVOY_COMMON_MATH_VARIABLE_H_
