#include "launcher/coordinator/liveness.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace convoy {
namespace {

constexpr size_t kMaxNamed = 5;

std::string LostText(const Process& process, absl::Time now) {
  std::string text =
      absl::StrCat(process.name(), " was not heard of for ", Seconds(now - process.heard));
  if (process.step > 0) absl::StrAppend(&text, ", last seen at step ", process.step);
  if (!process.activity.empty()) {
    absl::StrAppend(&text, ", it last said \"", process.activity, "\"");
  }
  return text;
}

std::string NotReadyText(const Process& process, absl::Time now) {
  std::string text =
      absl::StrCat(process.name(), " (registered ", Seconds(now - process.registered), " ago");
  if (!process.activity.empty())
    absl::StrAppend(&text, " and last said \"", process.activity, "\"");
  return text + ")";
}

std::string NamedFirst(std::vector<std::string> missing) {
  if (missing.empty()) return "";
  const size_t more = missing.size() - std::min(missing.size(), kMaxNamed);
  missing.resize(missing.size() - more);
  return absl::StrCat(absl::StrJoin(missing, ", "),
                      more > 0 ? absl::StrCat(" and ", more, " more") : "");
}

// Takes over an earlier deadline. Returns whether it has come.
bool Consider(absl::Time deadline, absl::Time now, Missed* missed) {
  missed->deadline = std::min(missed->deadline, deadline);
  return deadline <= now;
}

}  // namespace

Missed MissedAtStart(const Membership& members, absl::Duration startup, absl::Duration lost,
                     absl::Time listening_since, absl::Time now) {
  Missed missed;
  for (size_t i = 0; i < members.slots() && missed.text.empty(); ++i) {
    const Process* process = members.slot(i);
    if (process != nullptr && process->beats &&
        Consider(std::max(process->heard, listening_since) + lost, now, &missed)) {
      missed.text = LostText(*process, now);
      missed.lost = true;
    } else if (process == nullptr || !process->ready) {
      const absl::Time sign = process == nullptr ? members.last_registration() : process->active;
      if (Consider(sign + startup, now, &missed)) {
        missed.text = absl::StrCat("the job could not start within ", Seconds(startup),
                                   ": waiting for ", WaitingForProcesses(members, now));
      }
    }
  }
  return missed;
}

Missed MissedInTraining(const Membership& members, absl::Duration startup, absl::Duration lost,
                        absl::Duration place, absl::Time listening_since, bool workers,
                        absl::Time now) {
  Missed missed;
  for (size_t i = 0; i < members.slots() && missed.text.empty(); ++i) {
    const Process* process = members.slot(i);
    if (process == nullptr || (process->identity.role() == v1::WORKER && !workers)) continue;
    if (!process->lost.empty()) {
      absl::Time deadline = process->lost_at + startup;
      if (process->identity.incarnation() == 0) {
        deadline = std::min(deadline, std::max(process->heard, listening_since) + place);
      }
      if (process->finished || !Consider(deadline, now, &missed)) continue;
      missed.text =
          absl::StrCat(process->lost, ", and nobody took its place within ", Seconds(startup));
      missed.lost = true;
    } else if (Consider(std::max(process->heard, listening_since) + lost, now, &missed)) {
      missed.text = LostText(*process, now);
      missed.lost = true;
      missed.slot = i;
    } else if (!process->ready && Consider(process->active + startup, now, &missed)) {
      missed.text = absl::StrCat("waiting for ", NotReadyText(*process, now));
      missed.slot = i;
    }
  }
  return missed;
}

std::string WaitingForProcesses(const Membership& members, absl::Time now) {
  std::vector<std::string> missing;
  for (size_t i = 0; i < members.slots(); ++i) {
    const Process* process = members.slot(i);
    if (process == nullptr) {
      missing.push_back(members.SlotName(i) + " (never registered)");
    } else if (!process->ready) {
      missing.push_back(NotReadyText(*process, now));
    }
  }
  return NamedFirst(std::move(missing));
}

std::string WaitingForOthers(const Membership& members, absl::Time now) {
  std::vector<std::string> missing;
  for (size_t i = 0; i < members.slots(); ++i) {
    const Process* process = members.slot(i);
    if (process == nullptr || process->finished) continue;
    if (process->identity.incarnation() == 0) {
      missing.push_back(members.SlotName(i) + " (not there yet)");
    } else if (!process->lost.empty()) {
      missing.push_back(absl::StrCat("another ", members.SlotName(i), " (", process->lost, ")"));
    } else if (!process->ready) {
      missing.push_back(NotReadyText(*process, now));
    }
  }
  return NamedFirst(std::move(missing));
}

std::string Seconds(absl::Duration duration) {
  return absl::StrFormat("%.10g s", std::round(absl::ToDoubleSeconds(duration) * 10) / 10);
}

}  // namespace convoy
