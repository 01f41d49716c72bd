#include "common/job/origins.h"

#include "absl/strings/match.h"

namespace convoy {
namespace {

// "a.b[1]" -> "a.b" -> "a" -> "".
std::string_view Parent(std::string_view path) {
  const size_t end = path.find_last_of(".[");
  return end == std::string_view::npos ? std::string_view() : path.substr(0, end);
}

}  // namespace

Origins::Origins(const FieldLines& lines) {
  for (const auto& [path, line] : lines) places_[path].line = line;
}

void Origins::SetByArgument(const std::string& path, int argument) {
  std::erase_if(places_, [&](const auto& entry) {
    const std::string& other = entry.first;
    return absl::StartsWith(other, path) && other.size() > path.size() &&
           (other[path.size()] == '.' || other[path.size()] == '[');
  });
  places_[path] = {0, argument};
  for (std::string_view group = Parent(path); !group.empty(); group = Parent(group)) {
    places_.try_emplace(std::string(group), Place{0, argument});
  }
}

Place Origins::Find(std::string_view path) const {
  for (; !path.empty(); path = Parent(path)) {
    if (const auto found = places_.find(path); found != places_.end()) return found->second;
  }
  return {};
}

}  // namespace convoy
