// Numbers as reports write them.
#ifndef CONVOY_LAUNCHER_REPORT_REPORT_TEXT_H_
#define CONVOY_LAUNCHER_REPORT_REPORT_TEXT_H_

#include <string>

#include "launcher/report/comparison.h"

namespace convoy {

// "0.83 s", "12.4 s", "3 min 20 s".
std::string SecondsText(double seconds);
// Of an estimate: "40 seconds", "12 minutes".
std::string MinutesText(double seconds);
// With commas: "143,210".
std::string GroupedText(double count);
// Of a metric: four digits after the point, fewer for large values.
std::string MetricText(double value);
// "2.2 s (2.1 s to 2.4 s)", or the value alone if all runs have it. `text`: one of the above, or
// NumberText.
std::string SpreadText(const Spread& spread, std::string (*text)(double));

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_REPORT_REPORT_TEXT_H_
