#include "launcher/process/machine_memory.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace convoy {
namespace {

std::string Contents(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The number after `key` at the beginning of a line.
std::optional<uint64_t> Figure(const std::string& text, const std::string& key) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    uint64_t value = 0;
    if (words.size() >= 2 && words[0] == key && absl::SimpleAtoi(words[1], &value)) return value;
  }
  return std::nullopt;
}

std::optional<uint64_t> NumberIn(const std::string& path) {
  uint64_t value = 0;
  if (!absl::SimpleAtoi(Contents(path), &value)) return std::nullopt;  // "max", or no such file
  return value;
}

// Names of the files of one version of control groups.
struct Hierarchy {
  std::string mount;
  std::string controllers;  // second field of the line in /proc/self/cgroup
  const char* limit;
  const char* usage;
  const char* reclaimable;  // in memory.stat
};

void Restrict(const std::string& folder, const Hierarchy& names, MachineMemory* memory) {
  const std::optional<uint64_t> limit = NumberIn(absl::StrCat(folder, "/", names.limit));
  if (!limit || *limit >= memory->total_bytes) return;
  const uint64_t usage = NumberIn(absl::StrCat(folder, "/", names.usage)).value_or(0);
  const uint64_t reclaimable =
      Figure(Contents(folder + "/memory.stat"), names.reclaimable).value_or(0);
  const uint64_t used = usage - std::min(usage, reclaimable);
  memory->total_bytes = *limit;
  memory->available_bytes = std::min(memory->available_bytes, *limit - std::min(*limit, used));
  memory->limited = true;
}

// The group itself and those around it, which may have limits, too.
void RestrictByGroups(const std::string& groups, const Hierarchy& names, MachineMemory* memory) {
  for (const absl::string_view line : absl::StrSplit(groups, '\n')) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3 || fields[1] != names.controllers) continue;
    std::string path = fields[2] == "/" ? "" : fields[2];
    for (;;) {
      Restrict(names.mount + path, names, memory);
      const size_t slash = path.rfind('/');
      if (path.empty() || slash == std::string::npos) break;
      path.resize(slash);
    }
  }
}

}  // namespace

absl::StatusOr<MachineMemory> ReadMachineMemory(const std::string& root) {
  const std::string text = Contents(root + "/proc/meminfo");
  const std::optional<uint64_t> total = Figure(text, "MemTotal:");
  const std::optional<uint64_t> available = Figure(text, "MemAvailable:");
  if (!total || !available) {
    return absl::UnavailableError(
        absl::StrCat(root, "/proc/meminfo has no MemTotal and MemAvailable"));
  }
  MachineMemory memory{*total * 1024, *available * 1024, false};
  const std::string groups = Contents(root + "/proc/self/cgroup");
  RestrictByGroups(groups,
                   {root + "/sys/fs/cgroup", "", "memory.max", "memory.current", "inactive_file"},
                   &memory);
  RestrictByGroups(groups,
                   {root + "/sys/fs/cgroup/memory", "memory", "memory.limit_in_bytes",
                    "memory.usage_in_bytes", "total_inactive_file"},
                   &memory);
  return memory;
}

}  // namespace convoy
