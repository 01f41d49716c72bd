#include "worker/data/id_text.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "data_files.h"

namespace convoy {
namespace {

using ::convoy::testing::Fails;
using ::convoy::testing::Gzipped;
using ::convoy::testing::kInvalid;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kLibffm = IdTextFormat::kLibffm;
constexpr auto kLibsvm = IdTextFormat::kLibsvm;

struct Parsed {
  std::vector<float> labels;
  std::vector<int64_t> row_ends;
  std::vector<uint64_t> ids;
  std::vector<uint16_t> fields;
  std::vector<float> values;
  IdSummary summary;
};

absl::StatusOr<Parsed> Parse(std::string_view text, IdTextFormat format = kLibffm,
                             uint64_t max_bad_lines = 0) {
  Parsed all;
  const auto source = Decompressed(MemorySource(text), "a.ffm");
  IdTextParser parser(format, "a.ffm", max_bad_lines);
  const auto summary = ReadIds(*source, parser, [&](const IdRows& rows) {
    const auto before = static_cast<int64_t>(all.ids.size());
    all.labels.insert(all.labels.end(), rows.labels.begin(), rows.labels.end());
    for (const int64_t end : rows.row_ends) all.row_ends.push_back(before + end);
    all.ids.insert(all.ids.end(), rows.ids.begin(), rows.ids.end());
    all.fields.insert(all.fields.end(), rows.fields.begin(), rows.fields.end());
    all.values.insert(all.values.end(), rows.values.begin(), rows.values.end());
    return absl::OkStatus();
  });
  if (!summary.ok()) return summary.status();
  all.summary = *summary;
  return all;
}

TEST(IdTextTest, LibffmLinesBecomeRowsOfFieldsIdsAndValues) {
  const auto parsed =
      Parse("1 0:7:1 2:7:0.5\r\n# all\n\n0\n-1 1:12345678901234567890123:1\n", kLibffm, 1);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->labels, ElementsAre(1, 0));
  EXPECT_THAT(parsed->row_ends, ElementsAre(2, 2));
  EXPECT_THAT(parsed->ids, ElementsAre(7, 7));
  EXPECT_THAT(parsed->fields, ElementsAre(0, 2));
  EXPECT_THAT(parsed->values, ElementsAre(1, 0.5F));
  EXPECT_EQ(parsed->summary.rows, 2U);
  EXPECT_EQ(parsed->summary.entries, 2U);
  EXPECT_EQ(parsed->summary.fields, 3U);
  EXPECT_EQ(parsed->summary.fields_line, 1U);
  EXPECT_EQ(parsed->summary.bad_lines, 1U);
  EXPECT_EQ(parsed->summary.first_bad_line, 5U);
}

TEST(IdTextTest, LibsvmIndicesAreIdsInAnyOrder) {
  const auto parsed = Parse("1 9223372036854775807:2 0:1 5:3\n", kLibsvm);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->ids, ElementsAre(9223372036854775807U, 0, 5));
  EXPECT_THAT(parsed->values, ElementsAre(2, 1, 3));
  EXPECT_EQ(parsed->summary.fields, 0U);
}

TEST(IdTextTest, LargestIdIsTwoToThe63) {
  EXPECT_THAT(Parse("1 0:9223372036854775808:1\n")->ids, ElementsAre(uint64_t{1} << 63));
  for (const char* id : {"9223372036854775809", "9999999999999999999", "18446744073709551617"}) {
    EXPECT_THAT(Parse(absl::StrCat("1 0:1:1\n0 3:", id, ":1\n")).status(),
                Fails(kInvalid, absl::StrCat("a.ffm:2: id ", id,
                                             ": the largest possible is 9223372036854775808")));
    EXPECT_THAT(Parse(absl::StrCat("1 ", id, ":1\n"), kLibsvm).status(),
                Fails(kInvalid, HasSubstr(absl::StrCat("a.ffm:1: id ", id))));
  }
}

TEST(IdTextTest, LargestFieldIs65535) {
  EXPECT_THAT(Parse("1 65535:1:1\n")->fields, ElementsAre(65535));
  EXPECT_THAT(Parse("1 65536:1:1\n").status(),
              Fails(kInvalid, "a.ffm:1: field 65536: the largest possible is 65535"));
}

TEST(IdTextTest, AFieldMayHaveSeveralIdsButNoneTwice) {
  EXPECT_THAT(Parse("1 1:5:1 1:3:1 0:5:1\n")->ids, ElementsAre(5, 3, 5));
  EXPECT_THAT(Parse("1 1:5:1 0:3:1 1:5:2\n").status(),
              Fails(kInvalid, "a.ffm:1: id 5 comes twice in field 1"));
  EXPECT_THAT(Parse("1 7:1 7:1\n", kLibsvm).status(), Fails(kInvalid, "a.ffm:1: id 7 comes twice"));
}

// Against a set of pairs; few different ids, so that about half of the lines have a repeat, and
// rows of very different lengths share the table of the parser.
TEST(IdTextTest, RepeatsAreFoundExactlyWhereASetFindsThem) {
  std::mt19937_64 random(testing::PrintedSeed());
  std::string text;
  std::vector<bool> good;
  for (int row = 0; row < 3000; ++row) {
    std::set<std::pair<uint64_t, uint64_t>> seen;
    bool repeated = false;
    absl::StrAppend(&text, row);
    const uint64_t entries = random() % 3 == 0 ? random() % 300 : random() % 12;
    for (uint64_t k = 0; k < entries; ++k) {
      const uint64_t field = random() % 8, id = random() % (entries * entries / 8 + 1);
      repeated = !seen.emplace(field, id).second || repeated;
      absl::StrAppend(&text, " ", field, ":", id, ":1");
    }
    text += '\n';
    good.push_back(!repeated);
  }
  const auto parsed = Parse(text, kLibffm, 3000);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  std::vector<float> expected;
  for (size_t row = 0; row < good.size(); ++row) {
    if (good[row]) expected.push_back(static_cast<float>(row));
  }
  EXPECT_EQ(parsed->labels, expected);
  EXPECT_EQ(parsed->summary.bad_lines, good.size() - expected.size());
}

TEST(IdTextTest, WhatIsNoEntryIsQuotedWithItsLine) {
  const struct {
    const char* line;
    const char* problem;
  } kCases[] = {
      {"yes 0:1:1", "label: expected a number, got \"yes\""},
      {"nan 0:1:1", "label: expected a finite float32, got \"nan\""},
      {"1 0:1:", "value of id 1: expected a number, got \"\""},
      {"1 0:1:abc", "value of id 1: expected a number, got \"abc\""},
      {"1 0:1:1e39", "value of id 1: expected a finite float32, got \"1e39\""},
      {"1 5:1", "expected field:id:value, got \"5:1\""},
      {"1 5", "expected field:id:value, got \"5\""},
      {"1 0:-1:1", "expected field:id:value, got \"0:-1:1\""},
      {"1 -1:1:1", "expected field:id:value, got \"-1:1:1\""},
      {"1 0:1.5:1", "expected field:id:value, got \"0:1.5:1\""},
      {"1 0::1", "expected field:id:value, got \"0::1\""},
      {"1 0:1:1:1", "value of id 1: expected a number, got \"1:1\""},
      {"1 qid:3 0:1:1", "qid is not supported (ranking data); remove it from the file"},
  };
  for (const auto& bad : kCases) {
    EXPECT_THAT(Parse(absl::StrCat("1 0:1:1\n", bad.line, "\n")).status(),
                Fails(kInvalid, absl::StrCat("a.ffm:2: ", bad.problem)))
        << bad.line;
  }
}

TEST(IdTextTest, BadLinesAreSkippedAndCountedUpToTheLimit) {
  const std::string text = "1 0:1:1\nx 0:2:1\n0 0:3:1 0:4:y\n1 0:5:1\n";
  const auto parsed = Parse(text, kLibffm, 2);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->ids, ElementsAre(1, 5));
  EXPECT_THAT(parsed->row_ends, ElementsAre(1, 2));
  EXPECT_EQ(parsed->summary.bad_lines, 2U);
  EXPECT_EQ(parsed->summary.first_bad_line, 2U);
  EXPECT_THAT(Parse(text, kLibffm, 1).status(),
              Fails(kInvalid,
                    "a.ffm:3: value of id 4: expected a number, got \"y\"; this is bad line 2, and "
                    "data.max_bad_lines is 1; the first was line 2: label: expected a number, got "
                    "\"x\""));
}

TEST(IdTextTest, AFileWithoutExamplesIsAnError) {
  EXPECT_THAT(Parse("# nothing\n").status(), Fails(kInvalid, "a.ffm: no examples in 1 lines"));
  EXPECT_THAT(Parse("x\n", kLibffm, 5).status(),
              Fails(kInvalid, HasSubstr("no examples in 1 lines; bad: line 1: label")));
}

TEST(IdTextTest, GzipIsUndoneAndTheLastLineNeedsNoEnd) {
  EXPECT_THAT(Parse(Gzipped("1 0:1:1\n0 1:2:3"))->ids, ElementsAre(1, 2));
}

// 2 MB, so that lines are cut at the ends of blocks.
TEST(IdTextTest, LinesAcrossBlocksAreWhole) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) absl::StrAppend(&text, i % 7, " 1:", i, ":1 3:", 2 * i, ":1\n");
  const auto parsed = Parse(text);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  ASSERT_EQ(parsed->ids.size(), 200'000U);
  for (size_t i = 0; i < 100'000; ++i) {
    ASSERT_EQ(parsed->labels[i], static_cast<float>(i % 7));
    ASSERT_EQ(parsed->ids[2 * i + 1], 2 * i);
  }
}

TEST(IdTextTest, AnyDamagedTextGivesRowsOrAnError) {
  std::mt19937_64 random(testing::PrintedSeed());
  const std::string text = "1 0:7:1 2:7:0.5\n0 1:99:-3e2 # c\n1 0:9223372036854775808:1\n";
  for (int i = 0; i < 5000; ++i) {
    const auto parsed = Parse(testing::Mutated(text, 3, random), kLibffm, i % 4);
    if (!parsed.ok()) {
      EXPECT_EQ(parsed.status().code(), kInvalid);
      continue;
    }
    EXPECT_EQ(parsed->ids.size(), parsed->values.size());
    EXPECT_THAT(std::count_if(parsed->ids.begin(), parsed->ids.end(),
                              [](uint64_t id) { return id > kMaxId; }),
                0);
  }
}

}  // namespace
}  // namespace convoy
