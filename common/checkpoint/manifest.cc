#include "common/checkpoint/manifest.h"

#include <xxhash.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/build_info.h"
#include "common/checkpoint/json_object.h"
#include "common/files/file_io.h"
#include "common/files/safetensors_header.h"
#include "common/status.h"

namespace convoy {
namespace {

using ManifestJson = nlohmann::ordered_json;

constexpr std::string_view kCheckpointFormat = "convoy checkpoint";
// A program that knows no delta checkpoints must not take one for a complete one.
constexpr int kCompleteVersion = 1, kDeltaVersion = 2;
static_assert(kDeltaVersion == kCheckpointVersion);

// The end of the text: the checksum of all that stands before it.
constexpr std::string_view kSealBegin = "  \"manifest_xxh3\": \"";
constexpr std::string_view kSealEnd = "\"\n}\n";
constexpr size_t kSealBytes = kSealBegin.size() + 16 + kSealEnd.size();

std::string SealOf(std::string_view sealed) {
  return absl::StrCat(std::string(kSealBegin), Hex64(XXH3_64bits(sealed.data(), sealed.size())),
                      std::string(kSealEnd));
}

// Of a text with a seal that is right.
uint64_t SealedChecksum(std::string_view text) {
  uint64_t checksum = 0;
  ParseHex64(text.substr(text.size() - kSealBytes + kSealBegin.size(), 16), &checksum);
  return checksum;
}

bool HasSeal(std::string_view text) {
  return text.size() >= kSealBytes && text.ends_with(kSealEnd) &&
         text.substr(text.size() - kSealBytes).starts_with(kSealBegin);
}

absl::Status CheckSeal(std::string_view text) {
  const std::string_view seal = text.substr(text.size() - kSealBytes);
  const std::string want = SealOf(text.substr(0, text.size() - kSealBytes));
  if (seal == want) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("manifest_xxh3: the text has the checksum ",
                                          want.substr(kSealBegin.size(), 16), ", but it says ",
                                          std::string(seal.substr(kSealBegin.size(), 16)),
                                          ": it was changed after it was written"));
}

absl::Status CheckVersion(const JsonObject& json, const absl::Status& status) {
  const std::string format = json.Text("format");
  const uint32_t version = json.Count("version");
  CONVOY_RETURN_IF_ERROR(status);
  if (format != kCheckpointFormat) {
    return absl::DataLossError(absl::StrCat("format: got \"", format, "\", want \"",
                                            std::string(kCheckpointFormat), "\""));
  }
  if (version <= kCheckpointVersion) return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat(
      "version: the checkpoint is of version ", version, " of the format; this program (convoy ",
      Version(), ") reads version ", kCheckpointVersion, ": use a newer Convoy"));
}

std::vector<CheckpointTable::Range> RangesFrom(const JsonObject& json, std::string_view name) {
  std::vector<CheckpointTable::Range> ranges;
  uint64_t columns = 0;
  std::set<std::string> names;
  for (const JsonObject& range : json.Objects(name)) {
    ranges.push_back({range.Name("name"), range.Count("size")});
    columns += ranges.back().size;
    if (!names.insert(ranges.back().name).second) range.Fail("name", "is given twice");
  }
  if (columns > std::numeric_limits<uint32_t>::max()) {
    json.Fail(name, absl::StrCat("has ", columns, " columns, want less than 2^32"));
  }
  return ranges;
}

void ReadVariables(const JsonObject& json, CheckpointManifest* manifest) {
  std::set<std::string> names;
  for (const JsonObject& variable : json.Objects("variables")) {
    manifest->variables.push_back({variable.Name("name"), variable.Numbers("shape")});
    const CheckpointVariable& read = manifest->variables.back();
    if (!names.insert(read.name).second) variable.Fail("name", "is given twice");
    const auto values = ValuesInShape(read.shape);
    if (!values.ok()) variable.Fail("shape", std::string(values.status().message()));
    if (values.ok() && *values == 0) variable.Fail("shape", "has no values");
  }
  for (const JsonObject& table : json.Objects("tables")) {
    manifest->tables.push_back(
        {table.Name("name"), RangesFrom(table, "ranges"), RangesFrom(table, "slots")});
    const CheckpointTable& read = manifest->tables.back();
    if (!names.insert(read.name).second) table.Fail("name", "is given twice");
    if (read.ranges.empty()) table.Fail("ranges", "is empty");
  }
  if (names.empty()) json.Fail("variables", "there are neither variables nor tables");
}

void ReadSlots(const JsonObject& json, CheckpointManifest* manifest) {
  std::set<std::string> variables;
  for (const CheckpointVariable& variable : manifest->variables) variables.insert(variable.name);
  const JsonObject slots = json.Object("slots");
  for (const std::string& variable : slots.Names()) {
    if (!variables.contains(variable)) slots.Fail(variable, "there is no variable of this name");
    std::vector<std::string> names = slots.Texts(variable);
    if (std::set<std::string>(names.begin(), names.end()).size() != names.size()) {
      slots.Fail(variable, "a slot is given twice");
    }
    manifest->slots.emplace(variable, std::move(names));
  }
}

void ReadTasks(const JsonObject& json, CheckpointManifest* manifest) {
  const JsonObject tasks = json.Object("tasks");
  manifest->completed_tasks = tasks.Pairs("completed");
  const std::pair<uint64_t, uint64_t>* before = nullptr;
  for (const auto& range : manifest->completed_tasks) {
    const bool too_large = range.second == std::numeric_limits<uint64_t>::max();
    if (too_large || range.second < range.first ||
        (before != nullptr && range.first <= before->second)) {
      tasks.Fail("completed",
                 absl::StrCat("[", range.first, ", ", range.second,
                              "]: want ascending ranges [first, last] below 2^64 - 1"));
    }
    before = &range;
  }
}

void ReadBest(const JsonObject& json, const ManifestJson& document, CheckpointManifest* manifest) {
  if (!json.Has("best")) return;
  const JsonObject best = json.Object("best");
  manifest->best = {best.Name("metric"), best.Number("step"), 0};
  if (!best.Has("value") || !document["best"]["value"].is_number()) {
    return best.Fail("value", "want a number");
  }
  manifest->best->value = document["best"]["value"].get<double>();
}

void ReadLineage(const JsonObject& json, CheckpointManifest* manifest) {
  for (const JsonObject& ancestor : json.Objects("lineage")) {
    manifest->lineage.push_back(
        {ancestor.Name("run"), ancestor.Number("step"), ancestor.Name("how")});
  }
}

bool IsFileName(const std::string& name) {
  return !name.empty() && name[0] != '.' && name != kManifestName &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
}

void ReadFiles(const JsonObject& json, CheckpointManifest* manifest) {
  std::set<std::string> names;
  for (const JsonObject& file : json.Objects("files")) {
    manifest->files.push_back({file.Text("name"), file.Number("bytes"), file.Hex("xxh3")});
    const std::string& name = manifest->files.back().name;
    if (!IsFileName(name)) {
      file.Fail("name",
                absl::StrCat("got \"", name, "\", want the name of a file beside this one"));
    }
    if (!names.insert(name).second) file.Fail("name", "is given twice");
  }
  if (names.empty()) json.Fail("files", "is empty");
}

void ReadPlainMembers(const JsonObject& json, CheckpointManifest* manifest) {
  manifest->step = json.Number("step");
  if (json.Has("base")) {
    const JsonObject base = json.Object("base");
    manifest->base = {base.Number("step"), base.Hex("xxh3")};
    if (manifest->base->step >= manifest->step) {
      base.Fail("step", absl::StrCat("got ", manifest->base->step, ", want a step before ",
                                     manifest->step));
    }
  }
  manifest->mode = json.Name("mode");
  manifest->slices = json.Count("slices");
  manifest->generation = json.Number("generation");
  manifest->examples = json.Number("examples");
  manifest->dropped = json.Number("dropped");
  manifest->created = json.Name("created");
  absl::Time time;
  if (!absl::ParseTime(absl::RFC3339_full, manifest->created, &time, nullptr)) {
    json.Fail("created", absl::StrCat("got \"", manifest->created,
                                      "\", want a time like 2026-11-26T14:05:09Z"));
  }
  manifest->build = json.Text("build");
  manifest->instruction_set = json.Text("instruction_set");
  manifest->job = json.Text("job");
  const JsonObject data = json.Object("data");
  manifest->data_fingerprint = data.Hex("fingerprint");
  manifest->data_examples = data.Number("examples");
  manifest->epoch_examples = data.Number("epoch_examples");
}

absl::StatusOr<CheckpointManifest> ParseSealed(std::string_view text) {
  ManifestJson document;
  CONVOY_RETURN_IF_ERROR(ParseJson(text, &document));
  const bool sealed = HasSeal(text);
  if (sealed) CONVOY_RETURN_IF_ERROR(CheckSeal(text));
  absl::Status status;
  const JsonObject json(document, "", &status);
  CONVOY_RETURN_IF_ERROR(CheckVersion(json, status));
  if (!sealed) {
    return absl::DataLossError(
        "manifest_xxh3: want this checksum at the end: the text was changed after it was written");
  }
  CheckpointManifest manifest;
  ReadPlainMembers(json, &manifest);
  if (json.Has("schema")) {
    json.Object("schema");
    manifest.schema = document["schema"].dump(2) + "\n";
  }
  ReadVariables(json, &manifest);
  ReadSlots(json, &manifest);
  ReadTasks(json, &manifest);
  ReadLineage(json, &manifest);
  ReadBest(json, document, &manifest);
  if (json.Has("progress")) {
    json.Object("progress");
    manifest.progress = document["progress"].dump();
  }
  ReadFiles(json, &manifest);
  CONVOY_RETURN_IF_ERROR(status);
  manifest.xxh3 = SealedChecksum(text);
  return manifest;
}

uint32_t ColumnsOfRanges(const std::vector<CheckpointTable::Range>& ranges) {
  return std::accumulate(ranges.begin(), ranges.end(), 0u,
                         [](uint32_t sum, const auto& range) { return sum + range.size; });
}

ManifestJson RangesJson(const std::vector<CheckpointTable::Range>& ranges) {
  ManifestJson json = ManifestJson::array();
  for (const CheckpointTable::Range& range : ranges) {
    json.push_back({{"name", range.name}, {"size", range.size}});
  }
  return json;
}

ManifestJson VariablesJson(const CheckpointManifest& manifest) {
  ManifestJson json = ManifestJson::array();
  for (const CheckpointVariable& variable : manifest.variables) {
    json.push_back({{"name", variable.name}, {"shape", variable.shape}});
  }
  return json;
}

ManifestJson TablesJson(const CheckpointManifest& manifest) {
  ManifestJson json = ManifestJson::array();
  for (const CheckpointTable& table : manifest.tables) {
    json.push_back({{"name", table.name},
                    {"ranges", RangesJson(table.ranges)},
                    {"slots", RangesJson(table.slots)}});
  }
  return json;
}

ManifestJson LineageJson(const CheckpointManifest& manifest) {
  ManifestJson json = ManifestJson::array();
  for (const CheckpointAncestor& ancestor : manifest.lineage) {
    json.push_back({{"run", ancestor.run}, {"step", ancestor.step}, {"how", ancestor.how}});
  }
  return json;
}

ManifestJson FilesJson(const CheckpointManifest& manifest) {
  ManifestJson json = ManifestJson::array();
  for (const CheckpointFile& file : manifest.files) {
    json.push_back({{"name", file.name}, {"bytes", file.bytes}, {"xxh3", Hex64(file.xxh3)}});
  }
  return json;
}

}  // namespace

uint32_t CheckpointTable::dim() const { return ColumnsOfRanges(ranges); }
uint32_t CheckpointTable::slot_floats() const { return ColumnsOfRanges(slots); }

std::string ToJson(const CheckpointManifest& manifest) {
  ManifestJson json = {{"format", std::string(kCheckpointFormat)},
                       {"version", manifest.base ? kDeltaVersion : kCompleteVersion},
                       {"step", manifest.step}};
  if (manifest.base) {
    json["base"] = {{"step", manifest.base->step}, {"xxh3", Hex64(manifest.base->xxh3)}};
  }
  json["mode"] = manifest.mode;
  json["slices"] = manifest.slices;
  json["generation"] = manifest.generation;
  json["examples"] = manifest.examples;
  json["dropped"] = manifest.dropped;
  json["created"] = manifest.created;
  json["build"] = manifest.build;
  json["instruction_set"] = manifest.instruction_set;
  json["job"] = manifest.job;
  if (!manifest.schema.empty()) {
    json["schema"] = ManifestJson::parse(manifest.schema, nullptr, /*allow_exceptions=*/false);
  }
  json["data"] = {{"fingerprint", Hex64(manifest.data_fingerprint)},
                  {"examples", manifest.data_examples},
                  {"epoch_examples", manifest.epoch_examples}};
  json["variables"] = VariablesJson(manifest);
  json["tables"] = TablesJson(manifest);
  json["slots"] = manifest.slots;
  json["tasks"]["completed"] = manifest.completed_tasks;
  json["lineage"] = LineageJson(manifest);
  if (manifest.best) {
    json["best"] = {{"metric", manifest.best->metric},
                    {"step", manifest.best->step},
                    {"value", manifest.best->value}};
  }
  if (!manifest.progress.empty()) {
    json["progress"] = ManifestJson::parse(manifest.progress, nullptr, /*allow_exceptions=*/false);
  }
  json["files"] = FilesJson(manifest);
  std::string text = json.dump(2, ' ', false, ManifestJson::error_handler_t::replace);
  text.replace(text.size() - 2, 2, ",\n");  // "\n}"
  return text + SealOf(text);
}

uint64_t ChecksumOf(const CheckpointManifest& manifest) { return SealedChecksum(ToJson(manifest)); }

absl::StatusOr<CheckpointManifest> ParseManifest(std::string_view json, const std::string& where) {
  absl::StatusOr<CheckpointManifest> manifest = ParseSealed(json);
  if (!manifest.ok()) return Annotate(manifest.status(), where);
  return manifest;
}

absl::StatusOr<CheckpointManifest> ReadManifest(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/", kManifestName);
  const absl::StatusOr<std::string> text = ReadFile(path, kMaxManifestBytes);
  if (absl::IsNotFound(text.status())) {
    return absl::NotFoundError(
        absl::StrCat(folder, " is no complete checkpoint: there is no ", kManifestName, " in it"));
  }
  CONVOY_RETURN_IF_ERROR(text.status());
  return ParseManifest(*text, path);
}

}  // namespace convoy
