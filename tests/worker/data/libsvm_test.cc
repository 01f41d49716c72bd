#include "worker/data/libsvm.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data_files.h"
#include "worker/data/decimal.h"

namespace convoy {
namespace {

using ::convoy::testing::Fails;
using ::convoy::testing::Gzipped;
using ::convoy::testing::kInvalid;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct ParsedLibsvm {
  std::vector<float> labels;
  std::vector<int64_t> row_ends;
  std::vector<uint32_t> columns;
  std::vector<float> values;
  LibsvmSummary summary;
};

absl::StatusOr<ParsedLibsvm> ParseLibsvm(std::string_view text, bool zero_based = false) {
  ParsedLibsvm all;
  const auto source = Decompressed(MemorySource(text), "a.libsvm");
  const auto summary =
      ReadLibsvm(*source, "a.libsvm", {zero_based, 0}, [&](const LibsvmRows& rows) {
        const auto before = static_cast<int64_t>(all.columns.size());
        all.labels.insert(all.labels.end(), rows.labels.begin(), rows.labels.end());
        for (const int64_t end : rows.row_ends) all.row_ends.push_back(before + end);
        all.columns.insert(all.columns.end(), rows.columns.begin(), rows.columns.end());
        all.values.insert(all.values.end(), rows.values.begin(), rows.values.end());
        return absl::OkStatus();
      });
  if (!summary.ok()) return summary.status();
  all.summary = *summary;
  return all;
}

TEST(LibsvmReaderTest, LinesBecomeCompressedRows) {
  const auto parsed = ParseLibsvm("-1 1:0.5 3:2\n+1\n2.5 2:-1e-3\n");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->labels, ElementsAre(-1, 1, 2.5F));
  EXPECT_THAT(parsed->row_ends, ElementsAre(2, 2, 3));
  EXPECT_THAT(parsed->columns, ElementsAre(0, 2, 1));
  EXPECT_THAT(parsed->values, ElementsAre(0.5F, 2, -0.001F));
  EXPECT_EQ(parsed->summary.rows, 3U);
  EXPECT_EQ(parsed->summary.entries, 3U);
  EXPECT_EQ(parsed->summary.columns, 3U);
  EXPECT_EQ(parsed->summary.columns_line, 1U);
}

TEST(LibsvmReaderTest, CommentsBlankLinesAndCarriageReturnsAreSkipped) {
  const auto parsed = ParseLibsvm("# head\r\n\r\n \t\n1 1:1 # tail 9:9\r\n  0\t2:3\t\r\n1 1:7#x\n");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->labels, ElementsAre(1, 0, 1));
  EXPECT_THAT(parsed->columns, ElementsAre(0, 1, 0));
  EXPECT_THAT(parsed->values, ElementsAre(1, 3, 7));
}

TEST(LibsvmReaderTest, LastLineNeedsNoEnd) {
  EXPECT_THAT(ParseLibsvm("1 1:1\n0 2:5")->values, ElementsAre(1, 5));
  EXPECT_THAT(ParseLibsvm("1")->labels, ElementsAre(1));
  EXPECT_THAT(ParseLibsvm("1 1:1\n# end")->labels, ElementsAre(1));
}

TEST(LibsvmReaderTest, GzipIsUndone) {
  EXPECT_THAT(ParseLibsvm(Gzipped("1 4:2\n"))->columns, ElementsAre(3));
}

TEST(LibsvmReaderTest, ZeroBasedIndicesStartAtZero) {
  EXPECT_THAT(ParseLibsvm("1 0:1 5:1\n", true)->columns, ElementsAre(0, 5));
  EXPECT_THAT(ParseLibsvm("1 1:1\n0 0:1\n").status(),
              Fails(kInvalid, HasSubstr("a.libsvm:2: index 0")));
}

TEST(LibsvmReaderTest, IndicesMustAscendAndAreNotRepeated) {
  EXPECT_THAT(
      ParseLibsvm("1 1:1\n\n1 5:1 3:1\n").status(),
      Fails(kInvalid, "a.libsvm:3: index 3 comes after 5; indices must ascend within a line"));
  EXPECT_THAT(ParseLibsvm("1 5:1 5:1\n").status(),
              Fails(kInvalid, "a.libsvm:1: index 5 comes twice"));
}

TEST(LibsvmReaderTest, LargestIndexIs32Bits) {
  EXPECT_THAT(ParseLibsvm("1 4294967295:1\n")->columns, ElementsAre(4294967294));
  EXPECT_EQ(ParseLibsvm("1 4294967295:1\n", true)->summary.columns, 4294967296U);
  EXPECT_THAT(ParseLibsvm("1 4294967296:1\n").status(),
              Fails(kInvalid, HasSubstr("the largest possible is 4294967295")));
  EXPECT_FALSE(ParseLibsvm("1 99999999999999999999999:1\n").ok());
}

TEST(LibsvmReaderTest, QidIsRefused) {
  EXPECT_THAT(ParseLibsvm("1 qid:3 1:1\n").status(), Fails(kInvalid, HasSubstr("a.libsvm:1: qid")));
}

TEST(LibsvmReaderTest, WhatIsNoNumberIsQuotedWithItsLine) {
  EXPECT_THAT(ParseLibsvm("1 1:1\nyes 1:1\n").status(),
              Fails(kInvalid, "a.libsvm:2: label: expected a number, got \"yes\""));
  EXPECT_THAT(ParseLibsvm("1 7:abc\n").status(),
              Fails(kInvalid, "a.libsvm:1: value of index 7: expected a number, got \"abc\""));
  EXPECT_THAT(ParseLibsvm("1 7:\n").status(), Fails(kInvalid, HasSubstr("got \"\"")));
  EXPECT_THAT(ParseLibsvm("1 7\n").status(), Fails(kInvalid, HasSubstr("index:value, got \"7\"")));
  EXPECT_THAT(ParseLibsvm("1 -7:1\n").status(), Fails(kInvalid, HasSubstr("got \"-7:1\"")));
  EXPECT_THAT(ParseLibsvm("1:1 2:1\n").status(), Fails(kInvalid, HasSubstr("label")));
  EXPECT_THAT(ParseLibsvm("1,2 2:1\n").status(), Fails(kInvalid, HasSubstr("label")));
  EXPECT_THAT(ParseLibsvm(std::string_view("1 1:\0001\n", 7)).status(),
              Fails(kInvalid, HasSubstr("\\x00")));
  for (const char* number : {"1.2.3", "0x10", "1e", "--1", "+-1", "1_000", ".", "-", "+"}) {
    EXPECT_FALSE(ParseLibsvm(absl::StrCat("1 1:", number, "\n")).ok()) << number;
  }
}

TEST(LibsvmReaderTest, ValuesThatAreNotFiniteAreRefused) {
  for (const char* number : {"nan", "inf", "-inf", "1e39", "-1e999", "Infinity"}) {
    EXPECT_THAT(ParseLibsvm(absl::StrCat("1 1:", number, "\n")).status(),
                Fails(kInvalid, HasSubstr("expected a finite float32")));
    EXPECT_FALSE(ParseLibsvm(absl::StrCat(number, " 1:1\n")).ok()) << number;
  }
}

TEST(LibsvmReaderTest, AFileWithoutExamplesIsRefused) {
  EXPECT_THAT(ParseLibsvm("# nothing\n\n").status(),
              Fails(kInvalid, "a.libsvm: no examples in 2 lines"));
  EXPECT_THAT(ParseLibsvm("").status(), Fails(kInvalid, "a.libsvm: no examples in 0 lines"));
}

TEST(LibsvmReaderTest, LinesAcrossBlocksKeepTheirNumbersAndValues) {
  // About 1.3 MB, several blocks; one line alone is longer than a block.
  std::string text;
  for (int i = 0; i < 20'000; ++i) absl::StrAppend(&text, i, " 1:", i, " 2:0.25\n");
  text += "7";
  for (int i = 1; i <= 100'000; ++i) absl::StrAppend(&text, " ", i, ":1");
  text += "\n";
  const auto parsed = ParseLibsvm(text);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  ASSERT_EQ(parsed->labels.size(), 20'001U);
  ASSERT_EQ(parsed->values.size(), 140'000U);
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_EQ(parsed->labels[static_cast<size_t>(i)], static_cast<float>(i));
    ASSERT_EQ(parsed->values[static_cast<size_t>(2 * i)], static_cast<float>(i));
  }
  EXPECT_EQ(parsed->summary.columns_line, 20'001U);
  EXPECT_THAT(ParseLibsvm(text + "x\n").status(),
              Fails(kInvalid, HasSubstr("a.libsvm:20002: label")));
}

TEST(LibsvmReaderTest, ALineWithoutEndIsRefusedAtALimit) {
  const std::string text = "1 1:1\n" + std::string(66 << 20, ' ') + "1";
  EXPECT_THAT(ParseLibsvm(text).status(),
              Fails(kInvalid, "a.libsvm:2: the line is longer than 64 MiB"));
}

TEST(LibsvmReaderTest, MutatedFilesNeverCrash) {
  std::mt19937_64 random(testing::PrintedSeed());
  const std::string plain = "-1 1:0.5 3:2 # c\r\n+1\n\n2.5 2:-1e-3 17:123456.75\n0 4294967295:1";
  const std::string compressed = Gzipped(plain);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string& base = i % 4 != 0 ? plain : compressed;
    accepted += ParseLibsvm(testing::Mutated(base, 1 + i % 4, random)).ok() ? 1 : 0;
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, 20'000);
}

float Decimal(const std::string& text) {
  const std::string line = text + "\n";
  const char* cursor = line.c_str();
  float value = 0;
  EXPECT_EQ(ParseDecimal(&cursor, &value), DecimalResult::kOk) << text;
  EXPECT_EQ(*cursor, '\n') << text;
  return value;
}

TEST(DecimalTest, ShortNumbersRoundAsTheStandardLibrary) {
  std::mt19937_64 random(testing::PrintedSeed());
  for (int i = 0; i < 200'000; ++i) {
    const int64_t mantissa = static_cast<int64_t>(random() >> (random() % 64));
    std::string text = std::to_string(mantissa);
    const size_t from_end = random() % 14;
    if (from_end < text.size()) text.insert(text.size() - from_end, 1, '.');
    float expected = 0;
    std::from_chars(text.data(), text.data() + text.size(), expected);
    ASSERT_EQ(Decimal(text), expected) << text;
  }
}

// Where rounding to float64 first would go wrong: texts of numbers at and beside the middle of two
// neighbouring float32, between 2^-10 and 2^30, in 9 to 17 digits.
TEST(DecimalTest, NumbersHalfwayBetweenFloatsRoundAsTheStandardLibrary) {
  std::mt19937_64 random(testing::PrintedSeed());
  for (int i = 0; i < 200'000; ++i) {
    const double significand = static_cast<double>((1U << 24) + 2 * (random() % (1U << 23)) + 1);
    const double halfway = std::ldexp(significand, static_cast<int>(random() % 40) - 34);
    const int whole_digits = std::max(1, static_cast<int>(std::log10(halfway)) + 1);
    const int places = std::max(0, 9 + static_cast<int>(random() % 9) - whole_digits);
    const std::string text = absl::StrFormat("%.*f", places, halfway);
    float expected = 0;
    std::from_chars(text.data(), text.data() + text.size(), expected);
    ASSERT_EQ(Decimal(text), expected) << text;
  }
}

TEST(DecimalTest, UnderflowIsRoundedNotRefused) {
  EXPECT_EQ(Decimal("1e-60"), 0.0F);
  EXPECT_EQ(Decimal("1e-400"), 0.0F);
  EXPECT_EQ(Decimal("1e-45"), std::numeric_limits<float>::denorm_min());
  EXPECT_TRUE(std::signbit(Decimal("-0")));
}

}  // namespace
}  // namespace convoy
