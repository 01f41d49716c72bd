#include "worker/data/csv/csv_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/worker/data/data_files.h"

namespace convoy {
namespace {

using ::convoy::testing::Fails;
using ::convoy::testing::kInvalid;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Row {
  uint64_t line;
  std::vector<std::string> fields;
  std::string problem;
};

absl::StatusOr<std::vector<Row>> Read(std::string_view text, const CsvDialect& dialect = {}) {
  const auto source = MemorySource(text);
  CsvReader reader(source.get(), "a.csv", dialect);
  std::vector<Row> rows;
  while (true) {
    const auto record = reader.Next();
    if (!record.ok()) return record.status();
    if (*record == nullptr) return rows;
    rows.push_back({(*record)->line,
                    {(*record)->fields.begin(), (*record)->fields.end()},
                    (*record)->problem});
  }
}

std::vector<std::string> OneRow(std::string_view text, const CsvDialect& dialect = {}) {
  const auto rows = Read(text, dialect);
  EXPECT_TRUE(rows.ok()) << rows.status();
  if (!rows.ok() || rows->size() != 1) return {"expected one row"};
  EXPECT_EQ((*rows)[0].problem, "");
  return (*rows)[0].fields;
}

TEST(CsvReaderTest, FieldsAreDividedBySeparatorsAndRowsByLineBreaks) {
  const auto rows = Read("a,bc,\r\n,,\nlast,1,2");
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 3U);
  EXPECT_THAT((*rows)[0].fields, ElementsAre("a", "bc", ""));
  EXPECT_THAT((*rows)[1].fields, ElementsAre("", "", ""));
  EXPECT_THAT((*rows)[2].fields, ElementsAre("last", "1", "2"));
  EXPECT_EQ((*rows)[2].line, 3U);
}

TEST(CsvReaderTest, QuotesEncloseSeparatorsLineBreaksAndDoubledQuotes) {
  EXPECT_THAT(OneRow("\"a,b\",\"say \"\"hi\"\"\",\"two\r\nlines\",\"\"\n"),
              ElementsAre("a,b", "say \"hi\"", "two\r\nlines", ""));
  EXPECT_THAT(OneRow("\"\"\"\"\"\",x"), ElementsAre("\"\"", "x"));
}

TEST(CsvReaderTest, LinesAreCountedThroughQuotes) {
  const auto rows = Read("\"1\n2\n3\",x\n\n\nsixth,y\n");
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[1].line, 6U);
}

TEST(CsvReaderTest, AQuotedEmptyFieldIsARow) {
  const auto rows = Read("1\n\"\"\n\n3\n");
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 3U);
  EXPECT_THAT((*rows)[1].fields, ElementsAre(""));
}

TEST(CsvReaderTest, BlanksAroundFieldsAreDroppedButNotWithinQuotes) {
  EXPECT_THAT(OneRow(" a b , \" c \" ,d\n"), ElementsAre("a b", " c ", "d"));
}

TEST(CsvReaderTest, AQuoteWithinAnUnquotedFieldIsACharacter) {
  EXPECT_THAT(OneRow("5\" pipe,a\"b\"\n"), ElementsAre("5\" pipe", "a\"b\""));
}

TEST(CsvReaderTest, WithoutQuotesAQuoteIsACharacterAnywhere) {
  EXPECT_THAT(OneRow("\"a\t\"b\"\n", {'\t', false}), ElementsAre("\"a", "\"b\""));
}

TEST(CsvReaderTest, AByteOrderMarkIsSkipped) {
  EXPECT_THAT(OneRow("\xEF\xBB\xBFname,x\n"), ElementsAre("name", "x"));
}

TEST(CsvReaderTest, TextBehindAClosingQuoteIsAProblemOfTheRowAlone) {
  const auto rows = Read("\"a\"b,1\nc,2\n");
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_THAT((*rows)[0].problem, HasSubstr("field 1: text after the closing quote"));
  EXPECT_EQ((*rows)[1].problem, "");
}

TEST(CsvReaderTest, BytesThatAreNoTextAreAProblemOfTheRow) {
  const auto rows = Read(std::string_view("caf\xE9,1\nb\0c,2\n\xC3\xA9,3\n", 18));
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 3U);
  EXPECT_THAT((*rows)[0].problem, HasSubstr("byte 0xe9 is no UTF-8"));
  EXPECT_THAT((*rows)[1].problem, HasSubstr("byte 0x00"));
  EXPECT_EQ((*rows)[2].problem, "");
}

TEST(CsvReaderTest, AQuoteThatIsNeverClosedIsNamedByItsLine) {
  EXPECT_THAT(Read("a,b\n1,2\n3,\"open\n4,5\n").status(),
              Fails(kInvalid, HasSubstr("a.csv:3: the quote that opens here")));
  std::string large = "a,b\n1,\"";
  large.append(65 << 20, 'x');
  EXPECT_THAT(Read(large).status(),
              Fails(kInvalid, HasSubstr("a.csv:2: the quote that opens here")));
}

TEST(CsvReaderTest, EndlessLinesAndUtf16AreRefused) {
  EXPECT_THAT(Read(std::string(65 << 20, 'x')).status(),
              Fails(kInvalid, HasSubstr("a.csv:1: the line is longer than 64 MiB")));
  EXPECT_THAT(Read(std::string_view("\xFF\xFE"
                                    "a\0,\0",
                                    6))
                  .status(),
              Fails(kInvalid, HasSubstr("UTF-16")));
}

TEST(CsvReaderTest, EmptyTextHasNoRows) {
  EXPECT_THAT(*Read(""), IsEmpty());
  EXPECT_THAT(*Read("\n\r\n\n"), IsEmpty());
}

std::string Written(const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields) {
    std::string quoted;
    for (const char c : field) quoted.append(c == '"' ? 2 : 1, c);
    line += (line.empty() ? "\"" : ",\"") + quoted + "\"";
  }
  return line + "\n";
}

// Blocks are of 256 KiB: records of all lengths lie across their ends.
TEST(CsvReaderTest, RecordsAcrossTheEndsOfBlocksAreReadWhole) {
  std::mt19937 random(3);
  std::string text;
  std::vector<std::vector<std::string>> written;
  while (text.size() < (3 << 20)) {
    std::vector<std::string> fields = {std::to_string(written.size())};
    for (int i = 0; i < 3; ++i) {
      std::string field;
      const size_t size = random() % 200 == 0 ? random() % 400'000 : random() % 40;
      while (field.size() < size) field += "ab,\"\n\r x"[random() % 8];
      fields.push_back(field);
    }
    text += Written(fields);
    written.push_back(fields);
  }
  const auto rows = Read(text);
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), written.size());
  for (size_t i = 0; i < written.size(); ++i)
    ASSERT_EQ((*rows)[i].fields, written[i]) << "row " << i;
}

}  // namespace
}  // namespace convoy
