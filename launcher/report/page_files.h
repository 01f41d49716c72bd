// The files of launcher/report/page and the chart library, as they were when this program was
// built.
#ifndef CONVOY_LAUNCHER_REPORT_PAGE_FILES_H_
#define CONVOY_LAUNCHER_REPORT_PAGE_FILES_H_

#include <string_view>

namespace convoy {

std::string_view ReportHtml();      // page/report.html: the frame, with {{NAME}} where things go
std::string_view PageCss();         // page/page.css
std::string_view ChartsJs();        // page/charts.js: charts, for any page
std::string_view ReportJs();        // page/report.js: what a report shows
std::string_view ChartLibraryJs();  // third_party/uplot
std::string_view ChartLibraryCss();
std::string_view ChartLibraryLicense();

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_REPORT_PAGE_FILES_H_
