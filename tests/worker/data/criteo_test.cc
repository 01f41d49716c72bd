#include "worker/data/criteo.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data_files.h"
#include "worker/data/dataset.h"

namespace convoy {
namespace {

using ::convoy::testing::Fails;
using ::convoy::testing::kInvalid;
using ::convoy::testing::TemporaryFolder;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A line with some columns (from 1: 1 is the label) set and all others empty.
std::string Line(std::string_view label, std::vector<std::pair<size_t, std::string>> columns = {}) {
  std::vector<std::string> all(40);
  all[0] = label;
  for (auto& [column, text] : columns) all[column - 1] = text;
  return absl::StrJoin(all, "\t") + "\n";
}

class CriteoTest : public ::testing::Test {
 protected:
  absl::StatusOr<DataSets> Open(const std::string& text) {
    data_.set_train(folder_.Write("day_0.tsv", text));
    data_.set_format(v1::Data::CRITEO);
    data_.set_cache_dir(folder_ / "cache");
    return OpenData(data_, 1, nullptr);
  }

  TemporaryFolder folder_;
  v1::Data data_;
};

// ln(3)^2 = 1.207, ln(20)^2 = 8.97, ln(21)^2 = 9.27, ln(10^6)^2 = 190.87.
TEST_F(CriteoTest, NumbersAbove2AreInBucketsOfTheSquaredLogarithm) {
  EXPECT_EQ(CriteoNumberToken(3), "1");
  EXPECT_EQ(CriteoNumberToken(20), "8");
  EXPECT_EQ(CriteoNumberToken(21), "9");
  EXPECT_EQ(CriteoNumberToken(1'000'000), "190");
  EXPECT_EQ(CriteoNumberToken(2), "SP2");
  EXPECT_EQ(CriteoNumberToken(1), "SP1");
  EXPECT_EQ(CriteoNumberToken(0), "SP0");
  EXPECT_EQ(CriteoNumberToken(-3), "SP-3");
}

TEST_F(CriteoTest, EveryColumnIsAFieldWithOneId) {
  const auto sets = Open(Line("1", {{2, "20"}, {14, "-1"}, {15, "68fd1e64"}, {40, "a"}}) + "\r\n" +
                         Line("0", {{2, "19"}, {40, "A"}}));
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_EQ(sets->train->fields(), 39);
  Batch batch;
  sets->train->Read(std::vector<uint32_t>{0, 1}, &batch);
  EXPECT_THAT(batch.labels, ElementsAre(1, 0));
  EXPECT_THAT(batch.row_offsets, ElementsAre(0, 39, 78));
  EXPECT_THAT(batch.values, Each(1));
  for (uint32_t k = 0; k < 78; ++k) EXPECT_EQ(batch.fields[k], k % 39);
  EXPECT_EQ(batch.ids[0], HashedId("8", 0));
  EXPECT_EQ(batch.ids[12], HashedId("SP-1", 12));
  EXPECT_EQ(batch.ids[13], HashedId("68fd1e64", 13));
  EXPECT_EQ(batch.ids[38], HashedId("a", 38));
  EXPECT_EQ(batch.ids[39], batch.ids[0]);  // 19 is in the bucket of 20
  EXPECT_EQ(batch.ids[77], HashedId("A", 38));
  for (const uint64_t id : batch.ids) EXPECT_LT(id, kMaxId);
}

TEST_F(CriteoTest, AMissingValueIsAnIdOfItsField) {
  const auto sets = Open(Line("1"));
  ASSERT_TRUE(sets.ok()) << sets.status();
  Batch batch;
  sets->train->Read(std::vector<uint32_t>{0}, &batch);
  for (uint64_t k = 0; k < 39; ++k) EXPECT_EQ(batch.ids[k], HashedId("", k));
  EXPECT_NE(batch.ids[0], batch.ids[1]);
}

TEST_F(CriteoTest, WhatIsWrongIsNamedWithLineAndColumn) {
  const std::pair<std::string, std::string> cases[] = {
      {Line("2"), "column 1: expected the label 0 or 1, got \"2\""},
      {Line(""), "column 1: expected the label 0 or 1, got \"\""},
      {Line("1", {{3, "1.5"}}),
       "column 3: expected a whole number of at most 18 digits or nothing, "
       "got \"1.5\""},
      {Line("1", {{3, "+5"}}), "column 3: "},
      {Line("1", {{3, "-"}}), "column 3: "},
      {Line("1", {{3, "9223372036854775807"}}), "column 3: "},
      {Line("1", {{14, "68fd1e64"}}), "column 14: expected a whole number"},
      {Line("1", {{15, "xyz"}}),
       "column 15: expected at most 16 hexadecimal digits or nothing, got "
       "\"xyz\""},
      {Line("1", {{40, "00000000000000000"}}), "column 40: "},
      {"1\t2\n", "expected 40 columns between tabs (label, 13 numbers, 26 categories), got 2"},
      {"1\t" + Line("1"), "expected 40 columns"},
      {"1 2\n", "expected 40 columns between tabs (label, 13 numbers, 26 categories), got 1"},
  };
  for (const auto& [line, problem] : cases) {
    EXPECT_THAT(Open(Line("0") + line + Line("1")).status(),
                Fails(kInvalid, HasSubstr(absl::StrCat("day_0.tsv:2: ", problem))))
        << line;
  }
}

TEST_F(CriteoTest, BadLinesAreSkippedAndCounted) {
  data_.set_max_bad_lines(2);
  const auto sets = Open(Line("1") + "x\n" + Line("0") + Line("1", {{30, "?"}}));
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_EQ(sets->train->size(), 2);
  EXPECT_EQ(sets->train->skipped().count, 2U);
  EXPECT_EQ(sets->train->skipped().first, 2U);
}

TEST_F(CriteoTest, AnyDamagedTextGivesRowsOrAnError) {
  std::mt19937_64 random(testing::PrintedSeed());
  const std::string text =
      Line("1", {{2, "20"}, {14, "-1"}, {15, "68fd1e64"}, {40, "a"}}) + Line("0");
  for (int i = 0; i < 3000; ++i) {
    const std::string damaged = testing::Mutated(text, 2, random);
    const auto source = MemorySource(damaged);
    CriteoParser parser("c", i % 3);
    const auto summary = ReadIds(*source, parser, [](const IdRows& rows) {
      EXPECT_EQ(rows.ids.size(), rows.labels.size() * 39);
      return absl::OkStatus();
    });
    if (!summary.ok()) {
      EXPECT_EQ(summary.status().code(), kInvalid);
    }
  }
}

}  // namespace
}  // namespace convoy
