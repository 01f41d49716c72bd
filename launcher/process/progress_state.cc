#include "launcher/process/progress_state.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

using SortedJson = nlohmann::json;

std::optional<double> Number(const SortedJson& object, const char* key) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

uint64_t Count(const SortedJson& object, const char* key, uint64_t otherwise) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<uint64_t>() : otherwise;
}

MeasuredValues Measured(const SortedJson& event) {
  MeasuredValues values = {
      Number(event, "loss"), Number(event, "accuracy"), Number(event, "rmse"), {}};
  const auto own = event.find("own");
  if (own == event.end() || !own->is_object()) return values;
  for (const auto& [name, mean] : own->items()) {
    if (mean.is_number()) values.own.emplace_back(name, mean.get<double>());
  }
  return values;
}

std::string Text(const SortedJson& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string Lines(const SortedJson& lines) {
  std::string text;
  for (const SortedJson& line : lines) {
    if (line.is_string()) absl::StrAppend(&text, text.empty() ? "" : "\n", line.get<std::string>());
  }
  return text;
}

void ApplyTrain(const SortedJson& event, ProgressState* state) {
  state->train = Measured(event);
  state->examples_per_second =
      Number(event, "examples_per_second").value_or(state->examples_per_second);
  state->staleness = Number(event.value("staleness", SortedJson()), "mean");
}

std::string RestartNotice(const SortedJson& event) {
  std::string notice = event.contains("checkpoint")
                           ? absl::StrCat("goes on from step ", Count(event, "step", 0))
                           : "begins anew";
  if (const std::string cause = Text(event, "cause"); !cause.empty()) {
    absl::StrAppend(&notice, ", restart ", Count(event, "restarts", 1), ": ", cause);
  }
  return notice;
}

// What was said of later steps did not happen.
void GoBack(const SortedJson& event, ProgressState* state) {
  state->step = Count(event, "step", 0);
  state->examples = Count(event, "examples", 0);
  state->epoch = Number(event, "epoch").value_or(0);
}

}  // namespace

uint64_t ProgressState::CurrentEpoch() const {
  const auto current = static_cast<uint64_t>(std::clamp(std::ceil(epoch), 1.0, 1e15));
  return epochs == 0 ? current : std::min(current, epochs);
}

double ProgressState::Fraction() const {
  if (total_examples == 0) return 0;
  return std::min(1.0, static_cast<double>(examples) / static_cast<double>(total_examples));
}

std::optional<double> ProgressState::SecondsLeft() const {
  if (total_examples == 0 || !(examples_per_second > 0)) return std::nullopt;
  const uint64_t left = total_examples - std::min(examples, total_examples);
  return static_cast<double>(left) / examples_per_second;
}

absl::Status ApplyEvent(std::string_view line, ProgressState* state, EventKind* kind) {
  const SortedJson event = SortedJson::parse(line, nullptr, /*allow_exceptions=*/false);
  const std::string name = event.is_object() && event.contains("kind") && event["kind"].is_string()
                               ? event["kind"].get<std::string>()
                               : "";
  if (name == "train") {
    *kind = EventKind::kTrain;
    ApplyTrain(event, state);
  } else if (name == "validation") {
    *kind = EventKind::kValidation;
    state->validation = Measured(event);
  } else if (name == "validation_old") {
    *kind = EventKind::kValidationOld;
    state->validation_old = Measured(event);
  } else if (name == "test") {
    *kind = EventKind::kTest;
    state->test = Measured(event);
  } else if (name == "resume") {
    *kind = EventKind::kNotice;
    GoBack(event, state);
    state->notice =
        absl::StrCat("goes on from step ", state->step, ", ", Text(event, "checkpoint"));
    return absl::OkStatus();
  } else if (name == "restart") {
    *kind = EventKind::kNotice;
    GoBack(event, state);
    state->notice = RestartNotice(event);
    return absl::OkStatus();
  } else if (name == "init") {
    *kind = EventKind::kNotice;
    state->notice = Lines(event.value("report", SortedJson()));
  } else if (name == "fault") {
    *kind = EventKind::kNotice;
    state->notice = absl::StrCat("rehearsal: ", Text(event, "fault"), ": done at step ",
                                 Count(event, "step", 0));
    return absl::OkStatus();
  } else if (name == "checkpoint_failed") {
    *kind = EventKind::kNotice;
    state->notice = absl::StrCat("warning: a checkpoint could not be saved, the training goes on: ",
                                 Text(event, "error"));
    return absl::OkStatus();
  } else if (name == "lost") {
    *kind = EventKind::kNotice;
    state->notice = absl::StrCat("warning: ", Text(event, "cause"), "; the job waits for another ",
                                 Text(event, "process"));
    return absl::OkStatus();
  } else if (name == "returned") {
    *kind = EventKind::kNotice;
    state->notice = absl::StrCat(Text(event, "process"), " is heard of again and goes on");
    return absl::OkStatus();
  } else if (name == "rejoined") {
    *kind = EventKind::kNotice;
    const uint64_t step = Count(event, "step", 0);
    state->notice = absl::StrCat("another ", Text(event, "process"), " has come",
                                 step > 0 ? absl::StrCat(" and goes on with step ", step) : "");
    return absl::OkStatus();
  } else if (name == "divided") {
    *kind = EventKind::kNotice;
    const uint64_t workers = Count(event, "workers", 0), before = Count(event, "workers_before", 0);
    state->notice = absl::StrCat("goes on with ", workers, workers == 1 ? " worker" : " workers",
                                 workers == before ? ", since the one that wanted to join has left"
                                                   : absl::StrCat(" instead of ", before));
    if (event.contains("step"))
      absl::StrAppend(&state->notice, " at step ", Count(event, "step", 0));
    return absl::OkStatus();
  } else if (name == "recovered") {
    *kind = EventKind::kNotice;
    state->notice = "another coordinator has come and goes on from its journal";
    return absl::OkStatus();
  } else if (name == "warning") {
    *kind = EventKind::kNotice;
    state->notice = absl::StrCat("warning: ", Text(event, "text"));
    return absl::OkStatus();
  } else if (name == "checkpoint") {
    *kind = EventKind::kCheckpoint;
    return absl::OkStatus();
  } else {
    return absl::InvalidArgumentError(absl::StrCat(
        "event has the kind \"", name, "\", want \"train\", \"validation\" or \"test\""));
  }
  state->epoch = std::max(state->epoch, Number(event, "epoch").value_or(0));
  state->step = std::max(state->step, Count(event, "step", 0));
  state->examples = std::max(state->examples, Count(event, "examples", 0));
  return absl::OkStatus();
}

}  // namespace convoy
