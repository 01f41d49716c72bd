#include "launcher/watch/event_history.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "launcher/process/progress_line.h"
#include "launcher/process/text_table.h"

namespace convoy {
namespace {

using EventJson = nlohmann::json;

double MemberOf(const EventJson& event, const char* name) {
  const auto found = event.find(name);
  return found != event.end() && found->is_number() ? found->get<double>() : 0;
}

uint64_t CountOf(const EventJson& event, const char* name) {
  return static_cast<uint64_t>(std::clamp(MemberOf(event, name), 0.0, 1e18));
}

uint64_t StepOf(const EventJson& event) { return CountOf(event, "step"); }

std::string TextOf(const EventJson& event, const char* name) {
  const auto found = event.find(name);
  return found != event.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string WithValues(const std::string& what, const MeasuredValues& values) {
  const std::string text = MeasuredText(values);
  return text.empty() ? what : absl::StrCat(what, ", ", text);
}

}  // namespace

void EventHistory::Keep(const std::string& text) {
  lines_.push_back(
      absl::StrCat(FormatSeconds(seconds_), "  ", absl::StrReplaceAll(text, {{"\n", "; "}})));
  if (lines_.size() > kept_) lines_.pop_front();
}

void EventHistory::Add(std::string_view line) {
  EventKind kind;
  if (!ApplyEvent(line, &state_, &kind).ok()) {
    ++damaged_;
    return;
  }
  const EventJson event = EventJson::parse(line, nullptr, /*allow_exceptions=*/false);
  seconds_ = MemberOf(event, "time");
  switch (kind) {
    case EventKind::kTrain:
      loss_is_broken_ = event.contains("loss") && event["loss"].is_null();
      break;
    case EventKind::kValidation:
      Keep(WithValues(absl::StrCat("validation at step ", StepOf(event)), state_.validation));
      break;
    case EventKind::kValidationOld:
      Keep(WithValues(absl::StrCat("validation of old data at step ", StepOf(event)),
                      state_.validation_old));
      break;
    case EventKind::kTest:
      Keep(WithValues("test", state_.test));
      break;
    case EventKind::kCheckpoint:
      ++checkpoints_;
      newest_checkpoint_ = StepOf(event);
      checkpoint_failure_.clear();
      Keep(absl::StrCat("checkpoint at step ", newest_checkpoint_, ", ",
                        BytesText(MemberOf(event, "bytes"))));
      break;
    case EventKind::kNotice:
      if (event["kind"] == "checkpoint_failed") checkpoint_failure_ = TextOf(event, "error");
      Keep(state_.notice);
      break;
  }
}

}  // namespace convoy
