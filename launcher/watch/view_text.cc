#include "launcher/watch/view_text.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "launcher/process/progress_line.h"
#include "launcher/process/text_table.h"

namespace convoy {
namespace {

constexpr size_t kFewestProcesses = 4;
constexpr size_t kFewestEvents = 3;
constexpr size_t kEventsWithoutScreen = 10;
constexpr int kWidestBar = 60;

std::string Dash(const std::optional<double>& value, const char* format) {
  if (!value) return "-";
  return absl::StrFormat(*absl::ParsedFormat<'f'>::New(format), *value);
}

std::string PerSecond(const std::optional<double>& bytes) {
  return bytes ? absl::StrCat(BytesText(*bytes), "/s") : "-";
}

std::string Percent(const std::optional<double>& share) {
  return share ? absl::StrFormat("%.0f %%", 100 * *share) : "-";
}

std::string WhatItDoes(const ProcessView& process) {
  if (process.silent_seconds) return absl::StrFormat("silent for %.0f s", *process.silent_seconds);
  if (process.finished) return "done";
  return process.activity == "training" ? ""
                                        : ScreenText(process.activity, process.activity.size());
}

void AddText(const std::string& text, std::vector<std::string>* parts) {
  if (!text.empty()) parts->push_back(text);
}

std::string ValuesLine(const char* split, const MeasuredValues& values) {
  const std::string text = MeasuredText(values);
  return text.empty() ? "" : absl::StrCat(split, " ", text);
}

std::string ProgressText(const RunView& view) {
  const ProgressState& progress = view.progress;
  std::vector<std::string> parts = {view.state};
  if (progress.epochs > 0 && progress.epoch + static_cast<double>(progress.examples) > 0) {
    parts.push_back(absl::StrCat("epoch ", progress.CurrentEpoch(), "/", progress.epochs));
  }
  parts.push_back(absl::StrCat("step ", progress.step,
                               view.total_steps > 0 ? absl::StrCat(" of ", view.total_steps) : ""));
  if (progress.total_examples > 0) {
    parts.push_back(absl::StrCat(progress.examples, " of ", progress.total_examples, " examples"));
    parts.push_back(absl::StrFormat("%.0f %%", std::floor(100 * progress.Fraction())));
  }
  if (view.seconds > 0)
    parts.push_back(absl::StrCat(FormatSeconds(view.seconds), view.ended ? " in all" : " so far"));
  if (const auto left = progress.SecondsLeft(); left && !view.ended) {
    parts.push_back(absl::StrCat(FormatSeconds(*left), " left"));
  }
  return absl::StrJoin(parts, ", ");
}

std::string SpeedText(const RunView& view) {
  std::vector<std::string> parts;
  if (view.progress.examples_per_second > 0) {
    parts.push_back(absl::StrFormat("%.0f examples/s", view.progress.examples_per_second));
  }
  if (view.progress.staleness)
    parts.push_back(absl::StrFormat("staleness %.1f", *view.progress.staleness));
  if (view.dropped > 0) parts.push_back(absl::StrCat(view.dropped, " slices came too late"));
  if (view.skipped > 0) parts.push_back(absl::StrCat(view.skipped, " gradients skipped"));
  parts.push_back(view.checkpoints == 0
                      ? "no checkpoint yet"
                      : absl::StrCat(CountText(view.checkpoints, "checkpoint"),
                                     ", the newest at step ", view.newest_checkpoint));
  return absl::StrJoin(parts, ", ");
}

std::string ProgressBar(double fraction, int width) {
  const int cells = std::min(kWidestBar, width - 3);
  if (cells < 8) return "";
  const auto full = static_cast<size_t>(fraction * cells);
  return absl::StrCat("[", std::string(full, '='),
                      std::string(static_cast<size_t>(cells) - full, ' '), "]");
}

// The columns that some process has a value for.
std::vector<std::string> TableLines(std::vector<TextRow> rows) {
  std::vector<bool> used(rows[0].size(), false);
  for (size_t r = 1; r < rows.size(); ++r) {
    for (size_t c = 0; c < rows[r].size(); ++c)
      used[c] = used[c] || !(rows[r][c] == "-" || rows[r][c].empty());
  }
  for (TextRow& row : rows) {
    TextRow kept;
    for (size_t c = 0; c < row.size(); ++c) {
      if (c == 0 || used[c]) kept.push_back(std::move(row[c]));
    }
    row = std::move(kept);
  }
  std::vector<std::string> lines = absl::StrSplit(AlignColumns(rows, Side::kRight), '\n');
  lines.pop_back();
  return lines;
}

std::vector<std::string> WorkerLines(const RunView& view) {
  if (view.workers.empty()) return {};
  std::vector<TextRow> rows = {{"worker", "step", "examples/s", "waiting", "staleness",
                                view.live ? "memory" : "peak memory", "CPU", "CPU time", "received",
                                "sent", ""}};
  for (const ProcessView& worker : view.workers) {
    rows.push_back({absl::StrCat(worker.rank), worker.step ? absl::StrCat(*worker.step) : "-",
                    Dash(worker.examples_per_second, "%.0f"), Percent(worker.waiting),
                    Dash(worker.staleness, "%.1f"),
                    BytesText(static_cast<double>(worker.memory_bytes)), Percent(worker.cpu),
                    view.live ? "-" : absl::StrFormat("%.2f s", worker.cpu_seconds),
                    PerSecond(worker.received_per_second), PerSecond(worker.sent_per_second),
                    WhatItDoes(worker)});
  }
  return TableLines(std::move(rows));
}

std::vector<std::string> ServerLines(const RunView& view) {
  if (view.servers.empty()) return {};
  const bool rows_there =
      std::ranges::any_of(view.servers, [](const ProcessView& server) { return server.rows > 0; });
  std::vector<TextRow> rows = {{"server", "in", "out", view.live ? "memory" : "peak memory", "CPU",
                                "CPU time", "in all", "rows", "parked pulls", "early gradients",
                                ""}};
  for (const ProcessView& server : view.servers) {
    rows.push_back(
        {absl::StrCat(server.rank), PerSecond(server.received_per_second),
         PerSecond(server.sent_per_second), BytesText(static_cast<double>(server.memory_bytes)),
         Percent(server.cpu), view.live ? "-" : absl::StrFormat("%.2f s", server.cpu_seconds),
         BytesText(static_cast<double>(server.received + server.sent)),
         rows_there ? absl::StrCat(server.rows) : "-",
         server.parked ? absl::StrCat(*server.parked) : "-",
         server.stored_bytes ? BytesText(static_cast<double>(*server.stored_bytes)) : "-",
         WhatItDoes(server)});
  }
  return TableLines(std::move(rows));
}

// Keeps the first `count` lines of a table, its head included, and says how many there are besides.
void Shorten(size_t count, std::vector<std::string>* lines) {
  if (lines->size() <= count || count < 2) return;
  const size_t left_out = lines->size() - (count - 1);
  lines->resize(count - 1);
  lines->push_back(absl::StrCat("  ... and ", left_out, " more"));
}

void Append(const std::vector<std::string>& more, std::vector<std::string>* lines) {
  if (more.empty()) return;
  lines->push_back("");
  lines->insert(lines->end(), more.begin(), more.end());
}

std::vector<std::string> HeadLines(const RunView& view, const ViewTextOptions& options) {
  std::vector<std::string> lines = {absl::StrCat(view.job.empty() ? "(starting)" : view.job, "  ",
                                                 view.mode, "  ", view.directory)};
  lines.push_back(ProgressText(view));
  if (options.width > 0) AddText(ProgressBar(view.progress.Fraction(), options.width), &lines);
  if (!view.waiting_for.empty()) lines.push_back(absl::StrCat("waiting for ", view.waiting_for));
  AddText(ValuesLine("training   ", view.progress.train), &lines);
  AddText(ValuesLine("validation ", view.progress.validation), &lines);
  AddText(ValuesLine("old data   ", view.progress.validation_old), &lines);
  AddText(ValuesLine("test       ", view.progress.test), &lines);
  lines.push_back(SpeedText(view));
  for (const std::string& warning : view.warnings)
    lines.push_back(absl::StrCat("warning: ", warning));
  return lines;
}

}  // namespace

std::string ScreenText(std::string_view text, size_t columns) {
  std::string result;
  size_t width = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool continues = (byte & 0xc0) == 0x80;
    if (!continues && width++ == columns) break;
    result.push_back(byte < 0x20 || byte == 0x7f ? '?' : c);
  }
  return result;
}

std::vector<std::string> RenderView(const RunView& view, const ViewTextOptions& options) {
  std::vector<std::string> lines = HeadLines(view, options);
  std::vector<std::string> workers = WorkerLines(view), servers = ServerLines(view);
  size_t events = std::min(view.events.size(), kEventsWithoutScreen);
  if (options.height > 0) {
    const auto height = static_cast<size_t>(options.height);
    const size_t head = lines.size() + 2 + (events > 0 ? 1 + std::min(events, kFewestEvents) : 0);
    const size_t room = height > head ? height - head : 0;
    // Servers are few; workers get what is left.
    Shorten(std::max(kFewestProcesses, room > workers.size() ? room - workers.size() : room / 2),
            &servers);
    Shorten(std::max(kFewestProcesses, room > servers.size() ? room - servers.size() : 0),
            &workers);
    const size_t taken =
        lines.size() + workers.size() + servers.size() + !workers.empty() + !servers.empty() + 1;
    events = std::min(view.events.size(), height > taken ? height - taken : 0);
  }
  Append(workers, &lines);
  Append(servers, &lines);
  Append({view.events.end() - static_cast<ptrdiff_t>(events), view.events.end()}, &lines);
  if (options.height > 0 && lines.size() > static_cast<size_t>(options.height)) {
    lines.resize(static_cast<size_t>(options.height));
  }
  const size_t columns =
      options.width > 0 ? static_cast<size_t>(std::max(1, options.width - 1)) : SIZE_MAX;
  for (std::string& line : lines) {
    const bool warning = line.starts_with("warning: ");
    line = ScreenText(line, columns);
    if (options.color && warning) line = absl::StrCat("\033[33m", line, "\033[0m");
  }
  if (options.color) lines[0] = absl::StrCat("\033[1m", lines[0], "\033[0m");
  return lines;
}

}  // namespace convoy
