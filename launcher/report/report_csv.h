// A comparison as tables for other programs: RFC 4180, a header line, empty fields where nothing is
// known.
#ifndef CONVOY_LAUNCHER_REPORT_REPORT_CSV_H_
#define CONVOY_LAUNCHER_REPORT_REPORT_CSV_H_

#include <string>

#include "launcher/report/comparison.h"

namespace convoy {

// A line for each run: runs.csv.
std::string RunsCsv(const Comparison& all);
// A line for each metric of each point of each run, none left out: curves.csv.
std::string CurvesCsv(const Comparison& all);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_REPORT_REPORT_CSV_H_
