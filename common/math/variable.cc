#include "common/math/variable.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/math/random.h"

namespace convoy {
namespace {

constexpr uint64_t kMaxElements = uint64_t{1} << 40;

template <typename... Args>
absl::Status Invalid(const std::string& name, const Args&... args) {
  return absl::InvalidArgumentError(absl::StrCat("variable \"", name, "\": ", args...));
}

absl::Status CheckShape(const v1::Variable& proto) {
  uint64_t elements = 1;
  for (const uint64_t size : proto.shape()) {
    if (size == 0) {
      return Invalid(proto.name(), "got a size of 0, want every size of the shape >= 1");
    }
    if (size > kMaxElements / elements) {
      return Invalid(proto.name(), "got more than 2^40 elements; split it into several variables");
    }
    elements *= size;
  }
  return absl::OkStatus();
}

absl::Status CheckInitializer(const v1::Variable& proto) {
  if (!v1::Variable::Initializer_IsValid(proto.initializer())) {
    return Invalid(proto.name(), "unknown initializer ", static_cast<int>(proto.initializer()),
                   ", want zeros, uniform, normal or constant");
  }
  const bool is_width =
      proto.initializer() == v1::Variable::UNIFORM || proto.initializer() == v1::Variable::NORMAL;
  if (!std::isfinite(proto.scale()) || (is_width && proto.scale() < 0)) {
    return Invalid(proto.name(), "got initializer scale ", proto.scale(), ", want a finite number",
                   is_width ? " >= 0" : "");
  }
  return absl::OkStatus();
}

}  // namespace

Initializer Initializer::GlorotUniform(int64_t fan_in, int64_t fan_out) {
  const double fans = static_cast<double>(std::max<int64_t>(1, fan_in + fan_out));
  return {Kind::kUniform, static_cast<float>(std::sqrt(6.0 / fans))};
}

Initializer Initializer::HeNormal(int64_t fan_in) {
  const double fan = static_cast<double>(std::max<int64_t>(1, fan_in));
  return {Kind::kNormal, static_cast<float>(std::sqrt(2.0 / fan))};
}

int64_t VariableSpec::size() const {
  int64_t elements = 1;
  for (const int64_t size : shape) elements *= size;
  return elements;
}

void InitializeValues(const VariableSpec& spec, uint64_t seed, int64_t offset,
                      std::span<float> out) {
  // The prefix keeps these numbers apart from others that are named after the same layer.
  const RandomStream stream(seed, absl::StrCat("initial_value/", spec.name));
  const uint64_t first = static_cast<uint64_t>(offset);
  const float scale = spec.initializer.scale;
  switch (spec.initializer.kind) {
    case Initializer::Kind::kZeros:
      std::fill(out.begin(), out.end(), 0.0f);
      break;
    case Initializer::Kind::kConstant:
      std::fill(out.begin(), out.end(), scale);
      break;
    case Initializer::Kind::kUniform:
      stream.FillUniform(first, out);
      for (float& value : out) value = (2.0f * value - 1.0f) * scale;
      break;
    case Initializer::Kind::kNormal:
      stream.FillNormal(first, out);
      for (float& value : out) value *= scale;
      break;
  }
}

v1::Variable ToProto(const VariableSpec& spec) {
  v1::Variable proto;
  proto.set_name(spec.name);
  for (const int64_t size : spec.shape) proto.add_shape(static_cast<uint64_t>(size));
  switch (spec.initializer.kind) {
    case Initializer::Kind::kZeros:
      proto.set_initializer(v1::Variable::ZEROS);
      break;
    case Initializer::Kind::kUniform:
      proto.set_initializer(v1::Variable::UNIFORM);
      break;
    case Initializer::Kind::kNormal:
      proto.set_initializer(v1::Variable::NORMAL);
      break;
    case Initializer::Kind::kConstant:
      proto.set_initializer(v1::Variable::CONSTANT);
      break;
  }
  proto.set_scale(spec.initializer.scale);
  return proto;
}

absl::Status FromProto(const v1::Variable& proto, VariableSpec* spec) {
  if (proto.name().empty()) return absl::InvalidArgumentError("a variable has an empty name");
  if (absl::Status status = CheckShape(proto); !status.ok()) return status;
  if (absl::Status status = CheckInitializer(proto); !status.ok()) return status;
  Initializer::Kind kind = Initializer::Kind::kZeros;
  if (proto.initializer() == v1::Variable::UNIFORM) kind = Initializer::Kind::kUniform;
  if (proto.initializer() == v1::Variable::NORMAL) kind = Initializer::Kind::kNormal;
  if (proto.initializer() == v1::Variable::CONSTANT) kind = Initializer::Kind::kConstant;
  *spec = {proto.name(), {proto.shape().begin(), proto.shape().end()}, {kind, proto.scale()}};
  return absl::OkStatus();
}

}  // namespace convoy
