#include "launcher/report/write_report.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/files/atomic_file.h"
#include "common/status.h"
#include "launcher/report/report_csv.h"
#include "launcher/report/report_json.h"
#include "launcher/report/report_page.h"

namespace convoy {

absl::Status WriteReport(const std::string& folder, const Comparison& all, const Verdict& verdict) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return absl::PermissionDeniedError(absl::StrCat("cannot make ", folder, ": ", error.message()));
  CONVOY_RETURN_IF_ERROR(
      WriteFileAtomically(folder + "/report.json", ReportJson(all, verdict, Curves::kNone) + "\n"));
  CONVOY_RETURN_IF_ERROR(WriteFileAtomically(folder + "/runs.csv", RunsCsv(all)));
  CONVOY_RETURN_IF_ERROR(WriteFileAtomically(folder + "/curves.csv", CurvesCsv(all)));
  return WriteFileAtomically(folder + "/report.html",
                             ReportPage(absl::StrCat(all.job, ": modes compared"),
                                        ReportJson(all, verdict, Curves::kThinned)));
}

}  // namespace convoy
