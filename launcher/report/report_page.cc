#include "launcher/report/report_page.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "launcher/report/page_files.h"

namespace convoy {
namespace {

std::string EscapeHtml(std::string_view text) {
  return absl::StrReplaceAll({text.data(), text.size()},
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

// JSON within a script element: nothing in it may end the element or open a comment.
std::string EscapeScript(std::string_view json) {
  return absl::StrReplaceAll(
      {json.data(), json.size()},
      {{"<", "\\u003c"}, {"\xe2\x80\xa8", "\\u2028"}, {"\xe2\x80\xa9", "\\u2029"}});
}

}  // namespace

std::string ReportPage(std::string_view title, std::string_view report_json) {
  const std::pair<std::string_view, std::string> parts[] = {
      {"{{TITLE}}", EscapeHtml(title)},
      {"{{CSS}}", absl::StrCat(std::string(ChartLibraryCss()), "\n", std::string(PageCss()))},
      {"{{SCRIPTS}}",
       absl::StrCat("/* uPlot draws the charts.\n\n", std::string(ChartLibraryLicense()), "*/\n",
                    std::string(ChartLibraryJs()), "\n", std::string(ChartsJs()), "\n",
                    std::string(ReportJs()))},
      {"{{DATA}}", EscapeScript(report_json)},
  };
  // What is filled in is not looked at again.
  std::string page;
  std::string_view rest = ReportHtml();
  for (size_t at; (at = rest.find("{{")) != std::string_view::npos;) {
    page += rest.substr(0, at);
    rest.remove_prefix(at);
    bool known = false;
    for (const auto& [name, text] : parts) {
      if (!rest.starts_with(name)) continue;
      page += text;
      rest.remove_prefix(name.size());
      known = true;
      break;
    }
    if (!known) {
      page += rest.substr(0, 2);
      rest.remove_prefix(2);
    }
  }
  page += rest;
  return page;
}

}  // namespace convoy
