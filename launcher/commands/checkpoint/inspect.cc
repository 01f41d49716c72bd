#include "launcher/commands/checkpoint/inspect.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/json_object.h"
#include "common/mode.h"
#include "launcher/commands/checkpoint/texts.h"
#include "launcher/process/text_table.h"

namespace convoy {
namespace {

std::string ExamplesText(const CheckpointManifest& manifest) {
  std::string text = absl::StrCat(manifest.examples);
  if (manifest.epoch_examples > 0) {
    absl::StrAppendFormat(
        &text, " (%.2f epochs of %d)",
        static_cast<double>(manifest.examples) / static_cast<double>(manifest.epoch_examples),
        manifest.epoch_examples);
  }
  return text;
}

// What a step is depends on the mode.
std::string StepText(const CheckpointManifest& manifest) {
  const absl::StatusOr<Mode> mode = ParseMode(manifest.mode);
  if (!mode.ok()) return absl::StrCat(manifest.step);
  if (mode->rounds()) return absl::StrCat(manifest.step, ", which the whole model has taken");
  return absl::StrCat(manifest.step, mode->local() ? " pushes" : " batches",
                      " that server 0 has counted");
}

// Empty in modes with steps, which have none.
std::string TasksText(const CheckpointManifest& manifest) {
  const absl::StatusOr<Mode> mode = ParseMode(manifest.mode);
  if (mode.ok() && mode->rounds()) return "";
  uint64_t tasks = 0;
  for (const auto& [first, last] : manifest.completed_tasks) tasks += last - first + 1;
  return tasks == 0 ? "none is complete" : absl::StrCat(tasks, " complete");
}

std::string JobText(const CheckpointManifest& manifest) {
  const auto lines = std::count(manifest.job.begin(), manifest.job.end(), '\n');
  return absl::StrCat(CountText(static_cast<uint64_t>(lines), "line"), ", shown by --job");
}

std::vector<TextRow> ManifestRows(const CheckpointReader& checkpoint, absl::Time now) {
  const CheckpointManifest& manifest = checkpoint.manifest();
  const std::string age = AgeText(manifest.created, now);
  std::vector<TextRow> rows = {{"step", StepText(manifest)}};
  if (manifest.base) {
    rows.push_back({"rows of tables",
                    absl::StrCat("changed since step ", manifest.base->step, ", the others are in ",
                                 CheckpointName(manifest.base->step))});
  }
  const std::vector<TextRow> others = {
      {"examples", ExamplesText(manifest)},
      {"mode", absl::StrCat(manifest.mode, ", ", CountText(manifest.slices, "slice"))},
      {"dropped slices", absl::StrCat(manifest.dropped)},
      {"created", absl::StrCat(CreatedText(manifest.created), ", ", age,
                               age == "in the future" ? "" : " ago")},
      {"written by", absl::StrCat(CountText(checkpoint.servers(), "server"), " of generation ",
                                  manifest.generation)},
      {"program", absl::StrCat("build ", manifest.build, ", ", manifest.instruction_set)},
      {"training data", absl::StrCat(CountText(manifest.data_examples, "example"), ", fingerprint ",
                                     Hex64(manifest.data_fingerprint))},
      {"schema", manifest.schema.empty() ? "none" : "of a table, as in schema.json"},
      {"job", JobText(manifest)}};
  rows.insert(rows.end(), others.begin(), others.end());
  if (const std::string tasks = TasksText(manifest); !tasks.empty()) {
    rows.push_back({"data tasks", tasks});
  }
  rows.push_back({"began as", manifest.lineage.empty() ? "a new training" : ""});
  for (const CheckpointAncestor& ancestor : manifest.lineage) {
    if (!rows.back()[1].empty()) rows.push_back({"then as", ""});
    rows.back()[1] = AncestorText(ancestor);
  }
  return rows;
}

std::vector<TextRow> VariableRows(const CheckpointReader& checkpoint) {
  std::vector<TextRow> rows = {{"variable", "shape", "values", "blocks", "slots"}};
  for (size_t v = 0; v < checkpoint.variables().size(); ++v) {
    const WeightArchive::Variable& variable = checkpoint.variables()[v];
    const auto blocks = checkpoint.blocks(v);
    rows.push_back({variable.name, ShapeText(variable.shape), absl::StrCat(blocks.back().end),
                    absl::StrCat(blocks.size()),
                    variable.slots.empty() ? "-" : absl::StrJoin(variable.slots, ", ")});
  }
  return rows;
}

std::string ColumnsText(const std::vector<WeightArchive::Table::Columns>& columns) {
  if (columns.empty()) return "-";
  return absl::StrJoin(columns, ", ", [](std::string* out, const auto& range) {
    absl::StrAppend(out, range.name, " ", range.size);
  });
}

std::vector<TextRow> TableRowsText(const CheckpointReader& checkpoint) {
  std::vector<TextRow> rows = {{"table", "rows", "waiting ids", "columns", "slots"}};
  for (size_t t = 0; t < checkpoint.tables().size(); ++t) {
    const WeightArchive::Table& table = checkpoint.tables()[t];
    rows.push_back({table.name, absl::StrCat(table.rows), absl::StrCat(checkpoint.waiting_ids(t)),
                    ColumnsText(table.ranges), ColumnsText(table.slots)});
  }
  return rows;
}

std::vector<TextRow> FileRows(const CheckpointManifest& manifest) {
  std::vector<TextRow> rows = {{"file", "size", "xxh3"}};
  for (const CheckpointFile& file : manifest.files) {
    rows.push_back({file.name, BytesText(static_cast<double>(file.bytes)), Hex64(file.xxh3)});
  }
  return rows;
}

}  // namespace

std::string InspectText(const CheckpointReader& checkpoint, absl::Time now) {
  std::string text = absl::StrCat("checkpoint ", checkpoint.path(), "\n",
                                  AlignColumns(ManifestRows(checkpoint, now), Side::kLeft));
  if (!checkpoint.variables().empty()) {
    absl::StrAppend(&text, "\n", AlignColumns(VariableRows(checkpoint), Side::kRight));
  }
  if (!checkpoint.tables().empty()) {
    absl::StrAppend(&text, "\n", AlignColumns(TableRowsText(checkpoint), Side::kRight));
  }
  absl::StrAppend(&text, "\n", AlignColumns(FileRows(checkpoint.manifest()), Side::kRight));
  return text;
}

}  // namespace convoy
