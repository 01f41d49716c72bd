#include "common/job/set_argument.h"

#include <utility>

#include "absl/strings/ascii.h"

namespace convoy {
namespace {

absl::Status BadForm() {
  return absl::InvalidArgumentError(
      "expected path.to.field=value, e.g. optimizer.learning_rate=0.1");
}

// Cuts the name at the front off `text`.
std::string TakeName(std::string_view* text) {
  size_t length = 0;
  while (length < text->size() &&
         (absl::ascii_isalnum(static_cast<unsigned char>((*text)[length])) ||
          (*text)[length] == '_')) {
    ++length;
  }
  std::string name(text->substr(0, length));
  text->remove_prefix(length);
  return name;
}

bool Take(char c, std::string_view* text) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

absl::StatusOr<SetStep> TakeStep(std::string_view* text) {
  SetStep step;
  step.name = TakeName(text);
  if (step.name.empty()) return BadForm();
  if (!Take('[', text)) return step;
  const size_t end = text->find(']');
  if (end == std::string_view::npos) {
    return absl::InvalidArgumentError("\"[\" is not closed by \"]\"");
  }
  step.key = std::string(text->substr(0, end));
  text->remove_prefix(end + 1);
  return step;
}

}  // namespace

absl::StatusOr<SetArgument> ParseSetArgument(std::string_view text) {
  SetArgument argument;
  do {
    absl::StatusOr<SetStep> step = TakeStep(&text);
    if (!step.ok()) return step.status();
    argument.path.push_back(*std::move(step));
  } while (Take('.', &text));
  argument.append = Take('+', &text);
  if (!Take('=', &text)) return BadForm();
  argument.value = std::string(text);
  return argument;
}

}  // namespace convoy
