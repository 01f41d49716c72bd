// A comparison as JSON: report.json, and, with curves, what the page draws (docs/compare.md).
#ifndef CONVOY_LAUNCHER_REPORT_REPORT_JSON_H_
#define CONVOY_LAUNCHER_REPORT_REPORT_JSON_H_

#include <string>

#include "launcher/report/comparison.h"
#include "launcher/report/verdict.h"

namespace convoy {

enum class Curves { kNone, kThinned };

// One line. Numbers have six significant digits. Thinned: all runs together about 12,000 points of
// each split, every extreme among them.
std::string ReportJson(const Comparison& all, const Verdict& verdict, Curves curves);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_REPORT_REPORT_JSON_H_
