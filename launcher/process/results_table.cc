#include "launcher/process/results_table.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "launcher/process/text_table.h"

namespace convoy {
namespace {

using SortedJson = nlohmann::json;

// Null if `object` has no such number.
std::optional<double> NumberIn(const SortedJson& object, const std::string& key) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::string Formatted(const SortedJson& object, const char* key, const char* unit, int digits) {
  const auto value = NumberIn(object, key);
  return value ? absl::StrFormat("%.*f%s", digits, *value, unit) : "-";
}

std::string TextOrDash(const SortedJson& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return "-";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string Staleness(const SortedJson& staleness) {
  return absl::StrCat("min ", Formatted(staleness, "min", "", 0), ", mean ",
                      Formatted(staleness, "mean", "", 2), ", max ",
                      Formatted(staleness, "max", "", 0));
}

uint64_t Count(const SortedJson& summary, const char* key) {
  return static_cast<uint64_t>(NumberIn(summary, key).value_or(0));
}

// Mode single.
bool IsOneProcess(const SortedJson& summary) { return NumberIn(summary, "servers") == 0.0; }

std::string Cluster(const SortedJson& summary) {
  const std::string slices = CountText(Count(summary, "slices"), "slice");
  const uint64_t each = Count(summary, "threads_per_worker");
  const std::string threads = each > 1 ? absl::StrCat(" of ", each, " threads") : "";
  if (IsOneProcess(summary))
    return absl::StrCat("one process", threads, " without servers, ", slices);
  return absl::StrCat(CountText(Count(summary, "servers"), "server"), ", ",
                      CountText(Count(summary, "workers"), "worker"), threads, ", ", slices);
}

std::string Ending(const SortedJson& summary) {
  if (summary.contains("failure")) return absl::StrCat("failed: ", TextOrDash(summary, "failure"));
  if (summary.contains("early_stopping")) {
    return absl::StrCat("early stopping: ", TextOrDash(summary, "early_stopping"));
  }
  return summary.value("stopped_early", SortedJson()) == true ? "stopped early" : "as planned";
}

std::string RunTable(const SortedJson& summary) {
  std::vector<TextRow> rows;
  const auto add = [&](const char* key, const char* title, const std::string& text) {
    if (summary.contains(key) && !summary[key].is_null()) rows.push_back({title, text});
  };
  add("stopped_early", "ended", Ending(summary));
  add("mode", "mode", TextOrDash(summary, "mode"));
  add("workers", "cluster", Cluster(summary));
  add("steps", "steps", TextOrDash(summary, "steps"));
  add("examples", "examples", TextOrDash(summary, "examples"));
  const SortedJson best = summary.value("best", SortedJson());
  if (best.is_object()) {
    add("best", "best",
        absl::StrCat(TextOrDash(best, "metric"), " ", Formatted(best, "value", "", 6),
                     ", checkpoint of step ", TextOrDash(best, "step")));
  }
  add("model_step", "model.safetensors",
      absl::StrCat("the best weights, of step ", TextOrDash(summary, "model_step")));
  if (Count(summary, "checkpoints_failed") > 0) {
    add("checkpoints_failed", "checkpoints",
        absl::StrCat(TextOrDash(summary, "checkpoints_saved"), " saved, ",
                     TextOrDash(summary, "checkpoints_failed"), " could not be saved"));
  }
  add("restarts", "restarts", TextOrDash(summary, "restarts"));
  add("workers_replaced", "workers replaced", TextOrDash(summary, "workers_replaced"));
  add("coordinators_replaced", "coordinators replaced",
      TextOrDash(summary, "coordinators_replaced"));
  add("wall_seconds", "wall time", Formatted(summary, "wall_seconds", " s", 2));
  add("examples_per_second", "speed", Formatted(summary, "examples_per_second", " examples/s", 0));
  add("dropped_gradients", "gradients dropped", TextOrDash(summary, "dropped_gradients"));
  if (IsOneProcess(summary)) return AlignColumns(rows, Side::kLeft);
  add("staleness", "staleness", Staleness(summary.value("staleness", SortedJson())));
  add("bytes_sent", "sent to servers", BytesText(NumberIn(summary, "bytes_sent").value_or(0)));
  add("bytes_received", "received from them",
      BytesText(NumberIn(summary, "bytes_received").value_or(0)));
  return AlignColumns(rows, Side::kLeft);
}

// With two classes those of class 1 say more than the means over the classes.
std::vector<const char*> MetricsToShow(const SortedJson& measured) {
  if (NumberIn(measured, "f1")) return {"loss", "accuracy", "precision", "recall", "f1", "auc"};
  return {"loss", "accuracy", "macro_precision", "macro_recall", "macro_f1", "rmse"};
}

// Metrics that the model class defines itself; an empty object if there are none.
SortedJson OwnMetrics(const SortedJson& measured) {
  const SortedJson own = measured.is_object() ? measured.value("own", SortedJson()) : SortedJson();
  return own.is_object() ? own : SortedJson::object();
}

// `rows`: titles, then one for each part.
void AddOwnMetrics(const std::vector<std::pair<const char*, SortedJson>>& parts,
                   std::vector<TextRow>* rows) {
  SortedJson names = SortedJson::object();
  for (const auto& [part, measured] : parts) names.update(OwnMetrics(measured));
  for (const auto& [name, value] : names.items()) {
    (*rows)[0].push_back(name);
    for (size_t i = 0; i < parts.size(); ++i) {
      (*rows)[i + 1].push_back(Formatted(OwnMetrics(parts[i].second), name.c_str(), "", 4));
    }
  }
}

std::string MetricsTable(const SortedJson& summary) {
  std::vector<std::pair<const char*, SortedJson>> parts;
  const auto add = [&](const SortedJson& from, const char* part, const char* title) {
    const SortedJson measured = from.is_object() ? from.value(part, SortedJson()) : SortedJson();
    if (measured.is_object()) parts.emplace_back(title, measured);
  };
  for (const char* part : {"train", "validation", "validation_old", "test"}) {
    add(summary, part, part);
  }
  const SortedJson before = summary.value("before", SortedJson());
  add(before, "validation", "before: validation");
  add(before, "validation_old", "before: validation_old");
  std::vector<TextRow> rows = {{"metric"}};
  for (const auto& [part, measured] : parts) rows.push_back({part});
  if (parts.empty()) return "";
  for (const char* metric : MetricsToShow(parts[0].second)) {
    const auto has = [&](const auto& part) { return NumberIn(part.second, metric).has_value(); };
    if (std::none_of(parts.begin(), parts.end(), has)) continue;
    rows[0].push_back(metric);
    for (size_t i = 0; i < parts.size(); ++i) {
      rows[i + 1].push_back(Formatted(parts[i].second, metric, "", 4));
    }
  }
  AddOwnMetrics(parts, &rows);
  if (rows[0].size() == 1) return "";
  return absl::StrCat("\n", AlignColumns(rows, Side::kRight));
}

std::string ProcessTable(const SortedJson& summary) {
  const auto processes = summary.find("processes");
  if (processes == summary.end() || !processes->is_array() || processes->empty()) return "";
  std::vector<TextRow> rows = {{"process", "pid", "cpu time", "peak memory"}};
  for (const SortedJson& process : *processes) {
    if (!process.is_object()) continue;
    const auto memory = NumberIn(process, "peak_rss_bytes");
    rows.push_back({absl::StrCat(TextOrDash(process, "role"), " ", TextOrDash(process, "rank")),
                    TextOrDash(process, "pid"), Formatted(process, "cpu_seconds", " s", 2),
                    memory ? BytesText(*memory) : "-"});
  }
  return absl::StrCat("\n", AlignColumns(rows, Side::kRight));
}

}  // namespace

bool WasStopped(std::string_view summary_json) {
  const SortedJson summary = SortedJson::parse(summary_json, nullptr, /*allow_exceptions=*/false);
  return summary.is_object() && summary.value("stopped_early", SortedJson()) == true &&
         !summary.contains("failure");
}

absl::StatusOr<std::string> RenderResults(std::string_view summary_json) {
  const SortedJson summary = SortedJson::parse(summary_json, nullptr, /*allow_exceptions=*/false);
  if (!summary.is_object()) {
    return absl::InvalidArgumentError("the summary is not a JSON object");
  }
  const std::string note = summary.contains("imbalance")
                               ? absl::StrCat("\nnote: ", TextOrDash(summary, "imbalance"), "\n")
                               : "";
  return RunTable(summary) + MetricsTable(summary) + ProcessTable(summary) + note;
}

std::string ShellWord(std::string_view word) {
  const auto is_plain = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("_./:=,@+-").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return std::string(word);
  std::string quoted = "'";
  for (char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::vector<NextCommand> NextCommandsAfterTraining(std::string_view program,
                                                   std::string_view job_path,
                                                   std::string_view run_dir, std::string_view mode,
                                                   std::string_view data) {
  const std::string name = ShellWord(program), run = ShellWord(run_dir);
  const std::string path = data.empty() ? "PATH" : ShellWord(data);
  const bool sync = mode == "sync";
  return {{absl::StrCat(name, " evaluate ", run, " --data ", path),
           "measure the trained model on other data"},
          {absl::StrCat(name, " predict ", run, " --data ", path, " --out predictions.csv"),
           "write its predictions"},
          {absl::StrCat(name, " train ", ShellWord(job_path), " --mode ", sync ? "async" : "sync"),
           sync ? "the same job without waiting for each other" : "the same job in lockstep"}};
}

std::string RenderNextCommands(const std::vector<NextCommand>& commands) {
  std::string text = "Try next:\n";
  for (const NextCommand& next : commands) {
    absl::StrAppend(&text, "  ", next.command, "\n      ", next.purpose, "\n");
  }
  return text;
}

}  // namespace convoy
