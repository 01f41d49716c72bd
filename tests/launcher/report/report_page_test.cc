#include "launcher/report/report_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/report/page_files.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ReportPageTest, IsOneFileThatAsksForNothing) {
  const std::string page = ReportPage("a <b> & \"c\"", "{}");
  EXPECT_THAT(page, HasSubstr("<title>a &lt;b&gt; &amp; &quot;c&quot;</title>"));
  EXPECT_THAT(page, HasSubstr("https://github.com/leeoniya/uPlot (v1.6.32)"))
      << "the library, with where it comes from";
  EXPECT_THAT(page, HasSubstr("Permission is hereby granted")) << "and its licence";
  for (const char* reference :
       {"src=\"", "url(", "@import", "fetch(", "<link rel=\"stylesheet\""}) {
    EXPECT_THAT(page, Not(HasSubstr(reference)));
  }
}

TEST(ReportPageTest, NothingInTheDataEndsTheScriptElement) {
  const std::string page = ReportPage("x", R"({"failure": "</script><!-- {{CSS}}"})");
  EXPECT_THAT(page, HasSubstr(R"({"failure": "\u003c/script>\u003c!-- {{CSS}}"})"));
}

TEST(ReportPageTest, NothingThatIsBuiltInEndsItsElement) {
  for (const std::string_view script : {ChartLibraryJs(), ChartsJs(), ReportJs()}) {
    EXPECT_FALSE(script.empty());
    EXPECT_EQ(script.find("</script"), std::string_view::npos);
  }
  for (const std::string_view style : {ChartLibraryCss(), PageCss()})
    EXPECT_EQ(style.find("</style"), std::string_view::npos);
}

}  // namespace
}  // namespace convoy
