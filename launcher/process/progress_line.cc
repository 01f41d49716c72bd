#include "launcher/process/progress_line.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace convoy {
namespace {

constexpr int kMinBar = 8;
constexpr int kMaxBar = 30;

// A part of the line; those with the highest `priority` go last.
struct Part {
  int priority;
  std::string text;
};

std::string Epoch(const ProgressState& state) {
  if (state.epochs == 0) return absl::StrCat("epoch ", state.CurrentEpoch());
  return absl::StrCat("epoch ", state.CurrentEpoch(), "/", state.epochs);
}

// 987, 9.9k, 48k, 1.2M
std::string Short(double value) {
  if (!(value < 1e15)) return "?";
  if (value < 1000) return absl::StrFormat("%.0f", value);
  const bool mega = value >= 999'500;
  const double scaled = value / (mega ? 1e6 : 1e3);
  return absl::StrFormat("%.*f%s", scaled < 9.95 ? 1 : 0, scaled, mega ? "M" : "k");
}

std::vector<Part> Parts(const ProgressState& state) {
  std::vector<Part> parts = {{0, absl::StrFormat("%3.0f%%", std::floor(100 * state.Fraction()))}};
  if (!state.waiting_for.empty()) {
    parts.push_back({0, absl::StrCat("waiting for ", state.waiting_for)});
  }
  parts.push_back({2, Epoch(state)});
  const auto add = [&](int priority, const char* name, const std::optional<double>& value) {
    if (value) parts.push_back({priority, absl::StrFormat("%s %.4f", name, *value)});
  };
  add(3, "loss", state.train.loss);
  add(4, "accuracy", state.train.accuracy);
  add(4, "rmse", state.train.rmse);
  for (const auto& [name, mean] : state.train.own) add(9, name.c_str(), mean);
  add(7, "validation", state.validation.accuracy);
  add(7, "validation", state.validation.rmse);
  add(8, "old", state.validation_old.accuracy);
  add(8, "old", state.validation_old.rmse);
  if (state.examples_per_second > 0) {
    parts.push_back({6, absl::StrCat(Short(state.examples_per_second), " examples/s")});
  }
  if (const auto left = state.SecondsLeft()) {
    parts.push_back({5, absl::StrCat(FormatSeconds(*left), " left")});
  }
  if (state.staleness && *state.staleness > 0) {
    parts.push_back({8, absl::StrFormat("staleness %.1f", *state.staleness)});
  }
  return parts;
}

std::string Join(const std::vector<Part>& parts) {
  return absl::StrJoin(parts, "  ",
                       [](std::string* out, const Part& part) { out->append(part.text); });
}

// Leaves out parts until the rest fits `room` columns; those of priority 0 are cut.
std::string Fit(std::vector<Part> parts, size_t room) {
  std::string text = Join(parts);
  while (text.size() > room) {
    const auto last =
        std::max_element(parts.begin(), parts.end(),
                         [](const Part& a, const Part& b) { return a.priority < b.priority; });
    if (last->priority == 0) break;
    parts.erase(last);
    text = Join(parts);
  }
  return text.substr(0, room);
}

std::string Bar(double fraction, int cells, bool color) {
  const int full = static_cast<int>(fraction * cells);
  std::string bar(static_cast<size_t>(full), '=');
  if (full < cells) bar.push_back('>');
  std::string rest(static_cast<size_t>(cells) - bar.size(), ' ');
  if (color) bar = absl::StrCat("\033[32m", bar, "\033[0m");
  return absl::StrCat("[", bar, rest, "] ");
}

}  // namespace

std::string MeasuredText(const MeasuredValues& values) {
  std::vector<std::string> parts;
  const auto add = [&](std::string_view name, double value) {
    parts.push_back(absl::StrFormat("%s %.4f", name, value));
  };
  if (values.loss) add("loss", *values.loss);
  if (values.accuracy) add("accuracy", *values.accuracy);
  if (values.rmse) add("rmse", *values.rmse);
  for (const auto& [name, mean] : values.own) add(name, mean);
  return absl::StrJoin(parts, ", ");
}

namespace {

void AppendMeasured(const MeasuredValues& values, std::string* line) {
  const std::string text = MeasuredText(values);
  if (!text.empty()) absl::StrAppend(line, ", ", text);
}

}  // namespace

std::string FormatSeconds(double seconds) {
  const auto total = static_cast<int64_t>(std::clamp(std::ceil(seconds), 0.0, 3'599'999.0));
  const int64_t hours = total / 3600, minutes = total / 60 % 60;
  if (hours > 0) return absl::StrFormat("%d:%02d:%02d", hours, minutes, total % 60);
  return absl::StrFormat("%d:%02d", minutes, total % 60);
}

std::string RenderTerminalLine(const ProgressState& state, int width, bool color) {
  // One column stays free, so that the cursor does not go to the next line.
  const int room = std::max(width - 1, 0);
  const std::string text = Fit(Parts(state), static_cast<size_t>(room));
  const int cells =
      std::min(kMaxBar, room - static_cast<int>(text.size()) - static_cast<int>(sizeof("[] ") - 1));
  return cells < kMinBar ? text : Bar(state.Fraction(), cells, color) + text;
}

std::string RenderTrainLine(const ProgressState& state) {
  std::string line = absl::StrCat(Epoch(state), ", step ", state.step, ", ", state.examples);
  if (state.total_examples > 0) absl::StrAppend(&line, " of ", state.total_examples);
  absl::StrAppend(&line, " examples");
  AppendMeasured(state.train, &line);
  if (state.examples_per_second > 0) {
    absl::StrAppendFormat(&line, ", %.0f examples/s", state.examples_per_second);
  }
  if (state.staleness && *state.staleness > 0) {
    absl::StrAppendFormat(&line, ", staleness %.1f", *state.staleness);
  }
  if (const auto left = state.SecondsLeft()) {
    absl::StrAppend(&line, ", ", FormatSeconds(*left), " left");
  }
  return line;
}

std::string RenderValidationLine(const ProgressState& state) {
  std::string line = absl::StrCat(Epoch(state), ", step ", state.step, ", validation");
  AppendMeasured(state.validation, &line);
  return line;
}

std::string RenderValidationOldLine(const ProgressState& state) {
  std::string line = absl::StrCat(Epoch(state), ", step ", state.step, ", validation of old data");
  AppendMeasured(state.validation_old, &line);
  return line;
}

std::string RenderTestLine(const ProgressState& state) {
  std::string line = absl::StrCat("step ", state.step, ", test");
  AppendMeasured(state.test, &line);
  return line;
}

}  // namespace convoy
