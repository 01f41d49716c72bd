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

v1::Variable::Initializer ToProto(Initializer::Kind kind) {
  switch (kind) {
    case Initializer::Kind::kZeros:
      return v1::Variable::ZEROS;
    case Initializer::Kind::kUniform:
      return v1::Variable::UNIFORM;
    case Initializer::Kind::kNormal:
      return v1::Variable::NORMAL;
    case Initializer::Kind::kConstant:
      return v1::Variable::CONSTANT;
  }
  return v1::Variable::ZEROS;
}

absl::Status FromProto(v1::Variable::Initializer kind, float scale, const std::string& owner,
                       Initializer* initializer) {
  if (!v1::Variable::Initializer_IsValid(kind)) {
    return absl::InvalidArgumentError(absl::StrCat(owner, ": unknown initializer ",
                                                   static_cast<int>(kind),
                                                   ", want zeros, uniform, normal or constant"));
  }
  const bool is_width = kind == v1::Variable::UNIFORM || kind == v1::Variable::NORMAL;
  if (!std::isfinite(scale) || (is_width && scale < 0)) {
    return absl::InvalidArgumentError(absl::StrCat(owner, ": got initializer scale ", scale,
                                                   ", want a finite number",
                                                   is_width ? " >= 0" : ""));
  }
  *initializer = {Initializer::Kind::kZeros, scale};
  if (kind == v1::Variable::UNIFORM) initializer->kind = Initializer::Kind::kUniform;
  if (kind == v1::Variable::NORMAL) initializer->kind = Initializer::Kind::kNormal;
  if (kind == v1::Variable::CONSTANT) initializer->kind = Initializer::Kind::kConstant;
  return absl::OkStatus();
}

v1::Variable ToProto(const VariableSpec& spec) {
  v1::Variable proto;
  proto.set_name(spec.name);
  for (const int64_t size : spec.shape) proto.add_shape(static_cast<uint64_t>(size));
  proto.set_initializer(ToProto(spec.initializer.kind));
  proto.set_scale(spec.initializer.scale);
  return proto;
}

absl::Status FromProto(const v1::Variable& proto, VariableSpec* spec) {
  if (proto.name().empty()) return absl::InvalidArgumentError("a variable has an empty name");
  if (absl::Status status = CheckShape(proto); !status.ok()) return status;
  Initializer initializer;
  if (absl::Status status =
          FromProto(proto.initializer(), proto.scale(),
                    absl::StrCat("variable \"", proto.name(), "\""), &initializer);
      !status.ok()) {
    return status;
  }
  *spec = {proto.name(), {proto.shape().begin(), proto.shape().end()}, initializer};
  return absl::OkStatus();
}

}  // namespace convoy
