#include "common/checkpoint/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include <fstream>
#include <sstream>

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "tests/common/files/scratch_folder.h"

namespace convoy {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kSeal[] = "  \"manifest_xxh3\": ";

CheckpointManifest GoldenManifest() {
  CheckpointManifest manifest;
  manifest.step = 1200;
  manifest.mode = "async";
  manifest.slices = 4;
  manifest.generation = 2;
  manifest.examples = 153600;
  manifest.dropped = 3;
  manifest.created = "2026-11-26T14:05:09Z";
  manifest.build = "0011";
  manifest.instruction_set = "x86-64-v3";
  manifest.job = "name: \"clicks\"\n";
  manifest.schema = R"({"label": {"column": "clicked"}})";
  manifest.data_fingerprint = 0x0123456789abcdef;
  manifest.data_examples = 60000;
  manifest.epoch_examples = 70000;
  manifest.variables = {{"layer1/weight", {784, 128}}, {"scale", {}}};
  manifest.tables = {
      {"rows", {{"weight", 1}, {"factors", 8}}, {{"weight/n", 1}, {"factors/a", 1}}}};
  manifest.slots = {{"layer1/weight", {"m", "v"}}};
  manifest.completed_tasks = {{1, 42}, {45, 46}};
  manifest.lineage = {{"/home/me/runs/a", 800, "resume"}};
  manifest.files = {{"server-0-of-1.safetensors", 1234, 0xfedcba9876543210}};
  return manifest;
}

std::string GoldenText() {
  std::ifstream stream(CONVOY_CHECKPOINT_TESTS "/golden_manifest.json", std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

// `text` without its checksum, with another one that fits.
std::string SealAgain(const std::string& text) {
  const std::string sealed = text.substr(0, text.rfind(kSeal));
  return absl::StrFormat("%s%s\"%016x\"\n}\n", sealed, kSeal,
                         XXH3_64bits(sealed.data(), sealed.size()));
}

std::string Changed(const std::string& from, const std::string& to) {
  const std::string text = GoldenText();
  EXPECT_THAT(text, HasSubstr(from));
  return SealAgain(absl::StrReplaceAll(text, {{from, to}}));
}

std::string DamageOf(const std::string& text) {
  const auto manifest = ParseManifest(text, "M");
  EXPECT_EQ(manifest.status().code(), absl::StatusCode::kDataLoss) << manifest.status();
  EXPECT_THAT(std::string(manifest.status().message()), StartsWith("M: "));
  return std::string(manifest.status().message());
}

TEST(ManifestTest, IsWrittenAsTheGoldenFile) { EXPECT_EQ(ToJson(GoldenManifest()), GoldenText()); }

TEST(ManifestTest, TheGoldenFileIsReadBack) {
  const auto manifest = ParseManifest(GoldenText(), "M");
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->step, 1200u);
  EXPECT_EQ(manifest->mode, "async");
  EXPECT_EQ(manifest->slices, 4u);
  EXPECT_EQ(manifest->dropped, 3u);
  EXPECT_EQ(manifest->data_fingerprint, 0x0123456789abcdefu);
  EXPECT_EQ(manifest->epoch_examples, 70000u);
  EXPECT_EQ(manifest->variables[0].shape, (std::vector<uint64_t>{784, 128}));
  EXPECT_EQ(manifest->variables[1].shape, std::vector<uint64_t>{});
  EXPECT_EQ(manifest->tables[0].dim(), 9u);
  EXPECT_EQ(manifest->tables[0].slot_floats(), 2u);
  EXPECT_EQ(manifest->slots.at("layer1/weight"), (std::vector<std::string>{"m", "v"}));
  EXPECT_EQ(manifest->completed_tasks[1], (std::pair<uint64_t, uint64_t>{45, 46}));
  EXPECT_EQ(manifest->lineage[0].run, "/home/me/runs/a");
  EXPECT_EQ(manifest->files[0].xxh3, 0xfedcba9876543210u);
  EXPECT_EQ(ToJson(*manifest), GoldenText());
}

TEST(ManifestTest, NoByteCanBeChangedUnnoticed) {
  const std::string text = GoldenText();
  for (size_t at = 0; at < text.size(); ++at) {
    for (const int bit : {0, 1, 4}) {
      std::string changed = text;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      ASSERT_FALSE(ParseManifest(changed, "M").ok()) << "byte " << at << ", bit " << bit;
    }
  }
}

TEST(ManifestTest, NoEndCanBeCutOffUnnoticed) {
  const std::string text = GoldenText();
  for (size_t size = 0; size < text.size(); ++size) DamageOf(text.substr(0, size));
  DamageOf(text + "\n");
}

TEST(ManifestTest, AChangedDigitIsNamedAsSuch) {
  const std::string text =
      absl::StrReplaceAll(GoldenText(), {{"\"step\": 1200", "\"step\": 1300"}});
  EXPECT_THAT(DamageOf(text), AllOf(HasSubstr("manifest_xxh3"), HasSubstr("was changed")));
}

TEST(ManifestTest, AManifestWithoutChecksumIsRefused) {
  const std::string text = GoldenText();
  const std::string cut = text.substr(0, text.rfind(",\n  \"manifest_xxh3")) + "\n}\n";
  EXPECT_THAT(DamageOf(cut), HasSubstr("manifest_xxh3: want this checksum at the end"));
}

TEST(ManifestTest, ANewerVersionIsRefusedWithAdvice) {
  const auto manifest = ParseManifest(Changed("\"version\": 1,", "\"version\": 3,"), "M");
  EXPECT_EQ(manifest.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(manifest.status().message()),
              AllOf(HasSubstr("M: version: the checkpoint is of version 3"),
                    HasSubstr("reads version 2"), HasSubstr("use a newer Convoy")));
}

TEST(ManifestTest, ANewerVersionMayEndInAnotherWay) {
  EXPECT_EQ(ParseManifest(R"({"format": "convoy checkpoint", "version": 7})", "M").status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST(ManifestTest, UnknownMembersAreIgnored) {
  EXPECT_TRUE(ParseManifest(Changed("\"mode\":", "\"mood\": [{}], \"mode\":"), "M").ok());
}

TEST(ManifestTest, ErrorsNameTheMemberAndWhatWasThere) {
  EXPECT_THAT(DamageOf(Changed("\"mode\":", "\"mood\":")), HasSubstr("mode: is missing"));
  EXPECT_THAT(DamageOf(Changed("\"step\": 1200", "\"step\": -1")),
              HasSubstr("step: got a negative number, want a number from 0"));
  EXPECT_THAT(DamageOf(Changed("\"step\": 1200", "\"step\": \"1200\"")),
              HasSubstr("step: got a text, want a number"));
  EXPECT_THAT(DamageOf(Changed("\"step\": 1200", "\"step\": 18446744073709551616")),
              HasSubstr("step: got a fraction or a number that is too large"));
  EXPECT_THAT(DamageOf(Changed("\"slices\": 4", "\"slices\": 0")),
              HasSubstr("slices: got 0, want"));
  EXPECT_THAT(DamageOf(Changed("\"bytes\": 1234", "\"bytes\": []")),
              HasSubstr("files[0].bytes: got a list, want a number"));
  EXPECT_THAT(DamageOf(Changed("fedcba9876543210", "fedc")),
              HasSubstr("files[0].xxh3: got \"fedc\", want 16 hexadecimal digits"));
  EXPECT_THAT(DamageOf(Changed("2026-11-26T", "yesterday, ")), HasSubstr("created: got"));
  EXPECT_THAT(DamageOf(Changed("convoy checkpoint", "other")),
              HasSubstr("format: got \"other\", want \"convoy checkpoint\""));
}

TEST(ManifestTest, MembersThatContradictEachOtherAreRefused) {
  EXPECT_THAT(DamageOf(Changed("\"layer1/weight\": [", "\"layer2/weight\": [")),
              HasSubstr("slots.layer2/weight: there is no variable of this name"));
  EXPECT_THAT(DamageOf(Changed("\"name\": \"scale\"", "\"name\": \"layer1/weight\"")),
              HasSubstr("variables[1].name: is given twice"));
  EXPECT_THAT(DamageOf(Changed("\"name\": \"rows\"", "\"name\": \"scale\"")),
              HasSubstr("tables[0].name: is given twice"));
  EXPECT_THAT(DamageOf(Changed("\"v\"\n", "\"m\"\n")), HasSubstr("a slot is given twice"));
  EXPECT_THAT(DamageOf(Changed("784", "0")), HasSubstr("variables[0].shape: has no values"));
  EXPECT_THAT(DamageOf(Changed("784", "9223372036854775807")), HasSubstr("variables[0].shape"));
  EXPECT_THAT(DamageOf(Changed("45", "42")),
              HasSubstr("tasks.completed: [42, 46]: want ascending ranges"));
}

TEST(ManifestTest, NamesOfFilesStayInTheFolder) {
  for (const char* name : {"../secret", "", ".", "..", "a/b", "manifest.json", "\\u0000"}) {
    EXPECT_THAT(DamageOf(Changed("server-0-of-1.safetensors", name)),
                HasSubstr("files[0].name: got"))
        << name;
  }
}

TEST(ManifestTest, DeepNestingIsRefused) {
  const std::string deep(100000, '[');
  EXPECT_THAT(DamageOf(deep), HasSubstr("nested more than 64 deep"));
  EXPECT_THAT(DamageOf(Changed("{\n      \"column\": \"clicked\"\n    }", deep)),
              HasSubstr("nested"));
}

TEST(ManifestTest, WithoutSchemaTheMemberIsLeftOut) {
  CheckpointManifest manifest = GoldenManifest();
  manifest.schema.clear();
  const std::string text = ToJson(manifest);
  EXPECT_EQ(text.find("schema"), std::string::npos);
  EXPECT_EQ(ParseManifest(text, "M")->schema, "");
}

TEST(ManifestTest, AFolderWithoutManifestIsNoCheckpoint) {
  ScratchFolder folder;
  const auto manifest = ReadManifest(folder.path());
  EXPECT_EQ(manifest.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(manifest.status().message()),
              HasSubstr(folder.path() + " is no complete checkpoint"));
}

}  // namespace
}  // namespace convoy
