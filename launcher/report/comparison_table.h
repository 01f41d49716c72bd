// A comparison for a terminal.
#ifndef CONVOY_LAUNCHER_REPORT_COMPARISON_TABLE_H_
#define CONVOY_LAUNCHER_REPORT_COMPARISON_TABLE_H_

#include <string>

#include "launcher/report/comparison.h"
#include "launcher/report/verdict.h"

namespace convoy {

// A line for each mode that is judged, then the rates that were not, what failed, and the verdict.
// Each line ends with a new line.
std::string RenderComparison(const Comparison& all, const Verdict& verdict);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_REPORT_COMPARISON_TABLE_H_
