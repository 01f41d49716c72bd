#include "launcher/report/comparison_table.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/number_text.h"
#include "launcher/process/text_table.h"
#include "launcher/report/report_text.h"

namespace convoy {
namespace {

constexpr char kNothing[] = "-";

std::string MedianText(const std::optional<Spread>& spread, std::string (*text)(double)) {
  return spread ? text(spread->median) : kNothing;
}

std::string WithRange(const std::optional<Spread>& spread, std::string (*text)(double)) {
  return spread ? SpreadText(*spread, text) : kNothing;
}

// "reached in 2 of 3 runs" where it is not all.
std::string ToTarget(const ComparedMode& mode) {
  const size_t reached = mode.seconds ? mode.seconds->runs : 0;
  const size_t runs = mode.runs.size();
  if (reached == 0) return runs == 0 ? kNothing : "not reached";
  const std::string time = SpreadText(*mode.seconds, SecondsText);
  return reached == runs ? time : absl::StrCat(time, ", in ", reached, " of ", runs, " runs");
}

// From the worker that waited least to the one that waited most.
std::string WaitedText(const ComparedMode& mode) {
  double least = 1, most = 0;
  for (const WorkerTimes& worker : mode.workers) {
    if (worker.trained <= 0) return kNothing;
    least = std::min(least, worker.waited / worker.trained);
    most = std::max(most, worker.waited / worker.trained);
  }
  if (mode.workers.empty()) return kNothing;
  return mode.workers.size() == 1 ? absl::StrFormat("%.0f %%", 100 * most)
                                  : absl::StrFormat("%.0f-%.0f %%", 100 * least, 100 * most);
}

bool HasSeveralRates(const Comparison& all) {
  return std::ranges::any_of(all.modes, [&](const ComparedMode& mode) {
    return mode.learning_rate != all.modes[0].learning_rate || !mode.judged;
  });
}

std::string StalenessText(double value) { return absl::StrFormat("%.2f", value); }

TextRow TitleRow(const Comparison& all, bool rates) {
  TextRow row = {"mode"};
  if (rates) row.push_back("rate");
  if (all.target)
    row.insert(row.end(), {absl::StrCat("to ", all.metric, " ", NumberText(all.target->value)),
                           "examples to it"});
  row.insert(row.end(),
             {absl::StrCat("last ", all.metric), "examples/s", "moved", "staleness", "waited"});
  return row;
}

TextRow RowOf(const Comparison& all, const ComparedMode& mode, bool rates, bool drops) {
  TextRow row = {mode.name};
  if (rates) row.push_back(NumberText(mode.learning_rate));
  if (all.target) row.insert(row.end(), {ToTarget(mode), MedianText(mode.examples, GroupedText)});
  row.insert(row.end(), {WithRange(mode.last, MetricText), MedianText(mode.speed, GroupedText),
                         mode.bytes ? BytesText(mode.bytes->median) : kNothing,
                         MedianText(mode.staleness, StalenessText), WaitedText(mode)});
  if (drops) row.push_back(MedianText(mode.dropped, GroupedText));
  return row;
}

std::string Table(const Comparison& all) {
  const bool rates = HasSeveralRates(all);
  const bool drops = std::ranges::any_of(
      all.modes, [](const ComparedMode& mode) { return mode.dropped && mode.dropped->high > 0; });
  std::vector<TextRow> rows = {TitleRow(all, rates)};
  if (drops) rows[0].push_back("dropped");
  for (const ComparedMode& mode : all.modes) {
    if (mode.judged) rows.push_back(RowOf(all, mode, rates, drops));
  }
  return AlignColumns(rows, Side::kRight);
}

std::string OtherRates(const Comparison& all) {
  std::string text;
  for (const ComparedMode& mode : all.modes) {
    if (mode.judged) continue;
    absl::StrAppend(&text, "  ", mode.name, " at rate ", NumberText(mode.learning_rate), ": ",
                    all.target ? absl::StrCat(ToTarget(mode), ", ") : "", "last ", all.metric, " ",
                    WithRange(mode.last, MetricText), "\n");
  }
  return text.empty() ? text : absl::StrCat("\nnot their best rate:\n", text);
}

}  // namespace

std::string RenderComparison(const Comparison& all, const Verdict& verdict) {
  std::string text = absl::StrCat(Table(all), OtherRates(all), "\n", verdict.headline, "\n");
  for (const std::string& sentence : verdict.sentences)
    absl::StrAppend(&text, "- ", sentence, "\n");
  for (const std::string& note : all.notes) absl::StrAppend(&text, "note: ", note, "\n");
  return text;
}

}  // namespace convoy
