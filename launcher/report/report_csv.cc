#include "launcher/report/report_csv.h"

#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/number_text.h"
#include "worker/data/csv/csv_field.h"

namespace convoy {
namespace {

std::string CsvNumber(double value) { return std::isfinite(value) ? NumberText(value) : ""; }

// In front of every line of a run.
std::string RunColumns(const RunRecord& run) {
  return absl::StrCat(CsvField(run.mode()), ",", CsvNumber(run.job.optimizer().learning_rate()),
                      ",", run.job.seed(), ",", CsvField(run.directory));
}

void AppendCurve(const RunRecord& run, const char* split, const Curve& curve, std::string* text) {
  const std::string begin = absl::StrCat(RunColumns(run), ",", split, ",");
  for (const CurvePoint& point : curve.points()) {
    const std::string place = absl::StrCat(CsvNumber(point.examples), ",", CsvNumber(point.updates),
                                           ",", CsvNumber(point.seconds));
    for (size_t i = 0; i < point.values.size(); ++i) {
      if (!std::isfinite(point.values[i])) continue;
      absl::StrAppend(text, begin, CsvField(curve.metrics()[i]), ",", place, ",",
                      CsvNumber(point.values[i]), "\r\n");
    }
  }
}

}  // namespace

std::string RunsCsv(const Comparison& all) {
  std::string text =
      "mode,learning_rate,seed,directory,examples,updates,wall_seconds,examples_per_second,seconds_"
      "to_target,"
      "examples_to_target,last_value,bytes,staleness_mean,waited_share,dropped_gradients,skipped_"
      "gradients,damaged_lines,"
      "failure\r\n";
  for (const RunRecord& run : all.runs) {
    const CurvePoint* const point = all.target ? FirstPointAt(*all.target, run) : nullptr;
    const auto last = run.curve(all.split).Last(all.metric);
    const std::optional<double> waited = WaitedShare(run.workers);
    absl::StrAppend(&text, RunColumns(run), ",", run.examples, ",", run.updates, ",",
                    CsvNumber(run.wall_seconds), ",", CsvNumber(run.examples_per_second), ",");
    absl::StrAppend(
        &text,
        point == nullptr ? ","
                         : absl::StrCat(CsvNumber(point->seconds), ",", CsvNumber(point->examples)),
        ",", last ? CsvNumber(*last) : "", ",", run.bytes, ",", CsvNumber(run.staleness_mean), ",");
    absl::StrAppend(&text, waited ? CsvNumber(*waited) : "", ",", run.dropped, ",", run.skipped,
                    ",", run.damaged_lines, ",", CsvField(run.failure), "\r\n");
  }
  return text;
}

std::string CurvesCsv(const Comparison& all) {
  std::string text =
      "mode,learning_rate,seed,directory,split,metric,examples,updates,seconds,value\r\n";
  for (const RunRecord& run : all.runs) {
    AppendCurve(run, "train", run.train, &text);
    AppendCurve(run, "validation", run.validation, &text);
  }
  return text;
}

}  // namespace convoy
