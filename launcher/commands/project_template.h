// The files of examples/custom_model, compiled into the program: what `convoy new` writes.
#ifndef CONVOY_LAUNCHER_COMMANDS_PROJECT_TEMPLATE_H_
#define CONVOY_LAUNCHER_COMMANDS_PROJECT_TEMPLATE_H_

#include <span>
#include <string_view>

namespace convoy {

// Stands for the project's name in names and texts.
inline constexpr std::string_view kTemplateName = "custom_model";

struct TemplateFile {
  std::string_view name;
  std::string_view text;
};

std::span<const TemplateFile> ProjectTemplate();

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_PROJECT_TEMPLATE_H_
