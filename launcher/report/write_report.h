// Writes a comparison into a folder: report.html, report.json, runs.csv and curves.csv.
#ifndef CONVOY_LAUNCHER_REPORT_WRITE_REPORT_H_
#define CONVOY_LAUNCHER_REPORT_WRITE_REPORT_H_

#include <string>

#include "absl/status/status.h"
#include "launcher/report/comparison.h"
#include "launcher/report/verdict.h"

namespace convoy {

// Makes the folder if it is not there. Each file appears complete or not at all.
absl::Status WriteReport(const std::string& folder, const Comparison& all, const Verdict& verdict);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_REPORT_WRITE_REPORT_H_
