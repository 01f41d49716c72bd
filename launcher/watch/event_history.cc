#include "launcher/watch/event_history.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
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

uint64_t StepOf(const EventJson& event) {
  return static_cast<uint64_t>(std::clamp(MemberOf(event, "step"), 0.0, 1e18));
}

std::string ValuesText(const MeasuredValues& values) {
  std::string text;
  if (values.loss) absl::StrAppendFormat(&text, ", loss %.4f", *values.loss);
  if (values.accuracy) absl::StrAppendFormat(&text, ", accuracy %.4f", *values.accuracy);
  if (values.rmse) absl::StrAppendFormat(&text, ", rmse %.4f", *values.rmse);
  for (const auto& [name, mean] : values.own) absl::StrAppendFormat(&text, ", %s %.4f", name, mean);
  return text;
}

}  // namespace

void EventHistory::Keep(const std::string& text) {
  lines_.push_back(absl::StrCat(FormatSeconds(seconds_), "  ", absl::StrReplaceAll(text, {{"\n", "; "}})));
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
      Keep(absl::StrCat("validation at step ", StepOf(event), ValuesText(state_.validation)));
      break;
    case EventKind::kValidationOld:
      Keep(absl::StrCat("validation on old data at step ", StepOf(event),
                        ValuesText(state_.validation_old)));
      break;
    case EventKind::kTest:
      Keep(absl::StrCat("test", ValuesText(state_.test)));
      break;
    case EventKind::kCheckpoint:
      ++checkpoints_;
      newest_checkpoint_ = StepOf(event);
      checkpoint_failure_.clear();
      Keep(absl::StrCat("checkpoint at step ", newest_checkpoint_, ", ", BytesText(MemberOf(event, "bytes"))));
      break;
    case EventKind::kNotice:
      if (event["kind"] == "checkpoint_failed") checkpoint_failure_ = event.value("error", "");
      if (event["kind"] == "resume") {
        // What was said of later steps did not happen.
        state_.step = StepOf(event);
        state_.examples = static_cast<uint64_t>(MemberOf(event, "examples"));
        state_.epoch = 0;
      }
      Keep(state_.notice);
      break;
  }
}

}  // namespace convoy
