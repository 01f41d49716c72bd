// `convoy train --init-from` with embedding tables: rows go on with their slots, stay as they are,
// or are too many.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/files/safetensors_writer.h"
#include "tests/integration/init_command_fixture.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(InitCommandTest, RowsOfTablesGoOnToTheBitToo) {
  WriteFile(folder_ / "a.libsvm", IdExamples(500, 1));
  WriteTableJob("a.libsvm");
  TrainWell("long", {"--epochs", "2"});
  TrainWell("first");
  TrainWell("second", {"--init-from", folder_ / "first", "--servers", "3"});
  EXPECT_TRUE(SameBytes("second", "long"));
  TrainWell("single", {"--init-from", folder_ / "first@10", "--mode", "single"});
  EXPECT_TRUE(SameBytes("single", "long"));
}

TEST_F(InitCommandTest, FrozenTableGetsNoRowsAndChangesNone) {
  WriteFile(folder_ / "a.libsvm", IdExamples(500, 1));
  WriteFile(folder_ / "b.libsvm", IdExamples(500, 101));  // half of the ids are new
  WriteTableJob("a.libsvm");
  TrainWell("old");
  WriteTableJob("b.libsvm");
  for (const char* mode : {"sync", "async", "single", "geo:2"}) {
    SCOPED_TRACE(mode);
    const std::string run = absl::StrCat("new-", mode);
    TrainWell(run, {"--init-from", folder_ / "old", "--freeze", "rows/.*", "--mode", mode});
    EXPECT_EQ(Model(run).at("rows/rows"), Model("old").at("rows/rows"));
    EXPECT_NE(Model(run).at("bias"), Model("old").at("bias"));
  }
}

// As with frozen layers: the columns of a row, and the slots that belong to them.
TEST_F(InitCommandTest, FrozenColumnsKeepTheirSlots) {
  WriteFile(folder_ / "a.libsvm", IdExamples(500, 1));
  WriteTableJob("a.libsvm");
  TrainWell("old");
  for (const char* mode : {"sync", "single"}) {
    SCOPED_TRACE(mode);
    const std::string run = absl::StrCat("frozen-", mode);
    TrainWell(run, {"--init-from", folder_ / "old", "--freeze", "rows/factors", "--mode", mode});
    const RowsOfRun before = Rows("old"), after = Rows(run);
    ASSERT_EQ(after.size(), before.size());
    // A row: its weight and its 4 factors; the slots m and v of the weight, m and v of the factors.
    for (const auto& [id, row] : after) {
      const std::vector<float>& old = before.at(id);
      ASSERT_EQ(row.size(), 5u + 10u);
      EXPECT_NE(row[0], old[0]) << "weight " << id;
      for (const size_t i : {1u, 2u, 3u, 4u, 7u, 8u, 9u, 10u, 11u, 12u, 13u, 14u})
        EXPECT_EQ(row[i], old[i]) << "float " << i << " of " << id;
    }
    TrainWell(absl::StrCat("again-", mode), {"--init-from", folder_ / run, "--mode", mode});
  }
  EXPECT_TRUE(SameBytes("again-sync", "again-single"));
}

// One row more than there are buckets, each of which may have one: with servers and without.
TEST_F(InitCommandTest, ATableBeyondTheBudgetIsRefused) {
  constexpr uint64_t kRows = 1025;
  WriteFile(folder_ / "a.libsvm", IdExamples(500, 1));
  WriteTableJob("a.libsvm", "table { max_rows: 1024 }\n");
  const std::string path = folder_ / "other.safetensors";
  auto writer = SafetensorsWriter::Create(
      path, {{"rows/ids", {kRows}, "U64"}, {"bias", {1}}, {"rows/rows", {kRows, 5}}}, {});
  ASSERT_TRUE(writer.ok()) << writer.status();
  std::vector<uint64_t> ids(kRows);
  std::iota(ids.begin(), ids.end(), uint64_t{1});
  const std::vector<float> bias(1), rows(5 * kRows, 0.5f);
  ASSERT_TRUE((*writer)->WriteU64("rows/ids", 0, ids).ok());
  ASSERT_TRUE((*writer)->Write("bias", 0, bias).ok());
  ASSERT_TRUE((*writer)->Write("rows/rows", 0, rows).ok());
  ASSERT_TRUE((*writer)->Commit().ok());
  for (const char* mode : {"sync", "single"}) {
    SCOPED_TRACE(mode);
    const std::string run = absl::StrCat("new-", mode);
    const ProgramResult refused = Train(run, {"--init-from", path, "--mode", mode});
    EXPECT_NE(refused.exit_code, 0) << refused.output;
    EXPECT_THAT(refused.output,
                AllOf(HasSubstr("table \"rows\": init.from has more rows than the 1024 "),
                      HasSubstr("raise table.max_rows or table.max_mb")));
    EXPECT_FALSE(std::filesystem::exists(ModelPath(run)));
  }
}

}  // namespace
}  // namespace convoy::testing
