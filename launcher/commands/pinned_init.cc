#include "launcher/commands/pinned_init.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/best_checkpoint.h"
#include "common/checkpoint/init_source.h"
#include "common/files/file_io.h"
#include "common/job/job_file.h"
#include "common/status.h"

namespace convoy {
namespace {

absl::Status CheckAndPin(std::string* from) {
  CONVOY_ASSIGN_OR_RETURN(const InitSource source, FindInitSource(*from));
  const std::string pinned =
      !source.run.empty() && source.step ? absl::StrCat(source.run, "@", *source.step) : *from;
  CONVOY_RETURN_IF_ERROR(CheckInitSource(pinned));
  *from = pinned;
  return absl::OkStatus();
}

bool MayBePinnedFrom(const std::string& pinned, std::string from) {
  const std::string best = absl::StrCat("@", kBestStep);
  if (from.ends_with(best)) from.resize(from.size() - best.size());
  from.push_back('@');
  if (!pinned.starts_with(from) || pinned.size() == from.size()) return false;
  return pinned.find_first_not_of("0123456789", from.size()) == std::string::npos;
}

}  // namespace

absl::Status PinInit(v1::Job* job) {
  if (!job->has_init()) return absl::OkStatus();
  return Annotate(CheckAndPin(job->mutable_init()->mutable_from()), "init.from");
}

void KeepPinnedInit(const v1::Job& was, v1::Job* now) {
  if (was.has_init() && now->has_init() && MayBePinnedFrom(was.init().from(), now->init().from()))
    now->mutable_init()->set_from(was.init().from());
}

void KeepPinnedInitOf(const std::string& job_path, v1::Job* now) {
  const auto text = ReadFile(job_path);
  if (!text.ok()) return;
  if (const auto was = ParseJob(*text, job_path, {}); was.ok()) KeepPinnedInit(*was, now);
}

}  // namespace convoy
