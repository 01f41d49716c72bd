#include <re2/re2.h>

#include "absl/strings/str_cat.h"
#include "common/optimizers/optimizer.h"
#include "common/status.h"

namespace convoy {
namespace {

absl::StatusOr<bool> IsFrozenByName(const v1::Optimizer& config, std::string_view name) {
  for (const std::string& match : config.freeze()) {
    const RE2 pattern(match, RE2::Quiet);
    if (!pattern.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("optimizer.freeze: got \"", match,
                       "\", want an RE2 regular expression: ", pattern.error()));
    }
    if (RE2::FullMatch(re2::StringPiece(name.data(), name.size()), pattern)) return true;
  }
  return false;
}

absl::StatusOr<bool> Matches(const v1::Override& entry, int index, std::string_view name) {
  if (!entry.has_match()) {
    return absl::InvalidArgumentError(absl::StrCat("optimizer.override[", index,
                                                   "]: match is not set, want a regular expression",
                                                   " for names of variables, e.g. \"layer1/.*\""));
  }
  const RE2 pattern(entry.match(), RE2::Quiet);
  if (!pattern.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("optimizer.override[", index, "].match: got \"", entry.match(),
                     "\", want an RE2 regular expression: ", pattern.error()));
  }
  return RE2::FullMatch(re2::StringPiece(name.data(), name.size()), pattern);
}

double OwnDecay(const v1::Optimizer& config) {
  return config.has_adamw() ? config.adamw().weight_decay() : 0;
}

// The alternatives of an override have the names and types of those of the optimizer.
void ReplaceAlgorithm(const v1::Override& entry, OptimizerSettings* settings) {
  const auto* const alternatives = v1::Override::descriptor()->FindOneofByName("algorithm");
  const google::protobuf::Reflection& from = *entry.GetReflection();
  const auto* const chosen = from.GetOneofFieldDescriptor(entry, alternatives);
  if (chosen == nullptr) return;
  const auto* const same = v1::Optimizer::descriptor()->FindFieldByName(chosen->name());
  v1::Optimizer& config = settings->config;
  config.GetReflection()->MutableMessage(&config, same)->CopyFrom(from.GetMessage(entry, chosen));
  settings->weight_decay = OwnDecay(config);
}

void Replace(const v1::Override& entry, OptimizerSettings* settings) {
  ReplaceAlgorithm(entry, settings);
  if (entry.has_learning_rate()) settings->learning_rate = entry.learning_rate();
  if (entry.has_l1()) settings->l1 = entry.l1();
  if (entry.has_l2()) settings->l2 = entry.l2();
  if (entry.has_weight_decay()) settings->weight_decay = entry.weight_decay();
  if (entry.has_clip_value()) settings->clip_value = entry.clip_value();
  if (entry.has_anchor()) settings->anchor = entry.anchor();
}

}  // namespace

absl::StatusOr<OptimizerSettings> SettingsFor(const v1::Optimizer& config, std::string_view name) {
  OptimizerSettings settings = {
      .name = std::string(name),
      .config = config,
      .learning_rate = config.learning_rate(),
      .l1 = config.l1(),
      .l2 = config.l2(),
      .weight_decay = OwnDecay(config),
      .clip_value = config.clip_value(),
      .anchor = config.anchor(),
  };
  for (int i = 0; i < config.override_size(); ++i) {
    CONVOY_ASSIGN_OR_RETURN(const bool matches, Matches(config.override(i), i, name));
    if (matches) Replace(config.override(i), &settings);
  }
  CONVOY_ASSIGN_OR_RETURN(const bool frozen, IsFrozenByName(config, name));
  if (frozen) settings.learning_rate = 0;
  if (settings.learning_rate == 0) settings.anchor = 0;
  return settings;
}

}  // namespace convoy
