// The page of a comparison: one HTML file that needs nothing else.
#ifndef CONVOY_LAUNCHER_REPORT_REPORT_PAGE_H_
#define CONVOY_LAUNCHER_REPORT_REPORT_PAGE_H_

#include <string>
#include <string_view>

namespace convoy {

// `title`: of the page. `report_json`: ReportJson with curves.
std::string ReportPage(std::string_view title, std::string_view report_json);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_REPORT_REPORT_PAGE_H_
