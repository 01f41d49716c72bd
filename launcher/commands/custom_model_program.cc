#include "launcher/commands/custom_model_program.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "launcher/process/run_directory.h"

namespace convoy {
namespace {

std::string Registered(std::span<const ModelRegistration> models) {
  if (models.empty()) return "this program has no models of its own";
  return absl::StrCat("this program has ",
                      absl::StrJoin(models, ", ", [](std::string* out, const ModelRegistration& m) {
                        absl::StrAppend(out, "\"", m.name, "\"");
                      }));
}

}  // namespace

absl::Status CheckModelIsHere(const v1::Model& model, std::span<const ModelRegistration> models,
                              const std::string& run_dir, const std::string& arguments) {
  if (!model.has_custom()) return absl::OkStatus();
  const std::string& name = model.custom().name();
  const auto has_name = [&](const ModelRegistration& m) { return m.name == name; };
  if (std::any_of(models.begin(), models.end(), has_name)) return absl::OkStatus();
  const std::string program = run_dir.empty() ? "" : ProgramOfRun(run_dir);
  const std::string where =
      program.empty() ? "use the program that registers it with convoy::Main"
                      : absl::StrCat("it is in ", program, ": run `", program, " ", arguments, "`");
  return absl::FailedPreconditionError(absl::StrCat("model \"", name, "\" is not in this program (",
                                                    Registered(models), "); ", where));
}

}  // namespace convoy
