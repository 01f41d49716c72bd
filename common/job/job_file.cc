#include "common/job/job_file.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/job/error_report.h"
#include "common/job/origins.h"
#include "common/job/paths.h"
#include "common/job/set_field.h"
#include "common/job/text_parse.h"
#include "common/job/validate.h"
#include "common/status.h"
#include "google/protobuf/text_format.h"

namespace convoy {
namespace {

// Who passes a file larger than this has mistaken the data for the job.
constexpr size_t kMaxJobBytes = size_t{4} << 20;

absl::StatusOr<std::string> ReadJobFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxJobBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    const int error = errno == 0 ? EIO : errno;
    return absl::NotFoundError(absl::StrCat("cannot read the job file ", path, ": ",
                                            std::generic_category().message(error)));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

void ApplyOverrides(std::span<const std::string> overrides, v1::Job* job, Origins* origins,
                    ErrorReport* report) {
  for (size_t i = 0; i < overrides.size(); ++i) {
    const int argument = static_cast<int>(i);
    const absl::StatusOr<std::string> changed = SetField(overrides[i], job);
    if (changed.ok()) {
      origins->SetByArgument(*changed, argument);
    } else {
      report->Add({0, argument}, std::string(changed.status().message()));
    }
  }
}

bool IsWithin(const std::string& path, const std::string& group) {
  return absl::StartsWith(path, group) &&
         (path.size() == group.size() || path[group.size()] == '.' || path[group.size()] == '[');
}

// Whether a field seems absent only because it was written wrongly, which has been reported.
bool IsMistaken(const Violation& violation, const std::vector<std::string>& mistaken_fields) {
  return violation.missing &&
         std::any_of(mistaken_fields.begin(), mistaken_fields.end(), [&](const std::string& field) {
           return IsWithin(violation.path, field) || IsWithin(field, violation.path);
         });
}

}  // namespace

absl::StatusOr<v1::Job> ParseJob(std::string_view text, const std::string& filename,
                                 std::span<const std::string> overrides, DataFiles data_files) {
  if (text.size() > kMaxJobBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(filename, ": more than ", kMaxJobBytes, " bytes: this is no job file"));
  }
  ErrorReport report(filename, overrides);
  v1::Job job;
  const TextParse parse = ParseText(text, "", &job);
  for (const LineMessage& mistake : parse.mistakes) report.Add({mistake.line}, mistake.message);
  if (!parse.usable) return report.ToStatus();

  Origins origins(parse.lines);
  ApplyOverrides(overrides, &job, &origins, &report);
  ResolvePaths(filename, &job);
  std::vector<Violation> violations = Validate(job);
  if (data_files == DataFiles::kChecked) {
    for (Violation& violation : CheckFiles(job)) violations.push_back(std::move(violation));
  }
  for (const Violation& violation : violations) {
    if (IsMistaken(violation, parse.mistaken_fields)) continue;
    report.Add(origins.Find(violation.path), violation.message);
  }
  if (!report.empty()) return report.ToStatus();
  if (!job.has_name()) job.set_name(JobNameOf(filename));
  return job;
}

absl::StatusOr<v1::Job> LoadJob(const std::string& path, std::span<const std::string> overrides) {
  CONVOY_ASSIGN_OR_RETURN(const std::string text, ReadJobFile(path));
  return ParseJob(text, path, overrides, DataFiles::kChecked);
}

std::string JobToText(const v1::Job& job) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseShortRepeatedPrimitives(true);
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  printer.PrintToString(job, &text);
  return text;
}

}  // namespace convoy
