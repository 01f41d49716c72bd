// The files that the dashboard's page is made of besides those of launcher/report/page_files.h.
#ifndef CONVOY_LAUNCHER_DASHBOARD_DASHBOARD_FILES_H_
#define CONVOY_LAUNCHER_DASHBOARD_DASHBOARD_FILES_H_

#include <string_view>

namespace convoy {

std::string_view DashboardHtml();  // with {{CSS}} and {{SCRIPTS}}
std::string_view DashboardCss();
std::string_view DashboardJs();

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_DASHBOARD_DASHBOARD_FILES_H_
