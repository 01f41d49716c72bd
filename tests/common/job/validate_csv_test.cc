#include "common/job/validate_csv.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/common/job/job_text.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Messages about the section data with `text` in it.
std::vector<std::string> MessagesOf(const std::string& text) {
  v1::Job job;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "model { mlp {} } data { train: 'x' " + text + " }", &job))
      << text;
  std::vector<std::string> messages;
  for (const Violation& violation : Validate(job)) messages.push_back(violation.message);
  return messages;
}

TEST(ValidateCsvTest, ALabelIsEnough) {
  EXPECT_THAT(MessagesOf("csv { label: 'y' }"), IsEmpty());
  EXPECT_THAT(MessagesOf("format: TSV csv { label: 'y' }"), IsEmpty());
}

TEST(ValidateCsvTest, EverySettingThatMakesNoSenseIsNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"format: CSV", "data.csv.label is missing"},
      {"csv {}", "data.csv.label is missing"},
      {"format: LIBSVM csv { label: 'y' }",
       "data.csv is for CSV and TSV files, but data.format is LIBSVM"},
      {"csv { label: 'y' separator: ', ' }", "data.csv.separator must be one character"},
      {"csv { label: 'y' separator: '\"' }", "data.csv.separator must be one character"},
      {"csv { label: 'y' separator: 'x' }", "data.csv.separator must be one character"},
      {"format: TSV csv { label: 'y' separator: ',' }", "data.format TSV means tabs"},
      {"csv { label: 'y' buckets: 1 }", "data.csv.buckets must be from 2 to 10000, got 1"},
      {"csv { label: 'y' max_categories: 0 }", "data.csv.max_categories must be from 1"},
      {"csv { label: 'y' min_count: 0 }", "data.csv.min_count must be >= 1, got 0"},
      {"csv { label: 'y' missing_number: CATEGORY }", "data.csv.missing_number must be MEAN"},
      {"csv { label: 'y' missing_category: MEAN }", "data.csv.missing_category must be CATEGORY"},
      {"scale: 2 csv { label: 'y' }", "data.scale is for IDX and libsvm files"},
      {"format: CSV zero_based: true csv { label: 'y' }", "data.zero_based is for libsvm files"},
      {"format: CSV train_labels: 'l' csv { label: 'y' }", "data.train_labels is for IDX files"},
      {"csv { label: 'y' column {} }", "data.csv.column[0].name is missing"},
      {"csv { label: 'y' column { name: 'a' } column { name: 'a' } }",
       "data.csv.column[1].name is \"a\""},
      {"csv { label: 'y' column { name: 'y' type: NUMERIC } }",
       "data.csv.column[0] is \"y\", the label"},
      {"csv { label: 'y' column { name: 'a' transform: LOG hash_buckets: 4 } }",
       "both transform, which is for numbers, and hash_buckets"},
      {"csv { label: 'y' column { name: 'a' type: CATEGORICAL missing: MEAN } }",
       "both missing MEAN"},
      {"csv { label: 'y' column { name: 'a' type: IGNORE buckets: 3 } }",
       "is ignored, so that buckets has no effect"},
      {"csv { label: 'y' column { name: 'a' transform: LOG buckets: 3 } }",
       "data.csv.column[0].buckets goes with transform BUCKET only"},
      {"csv { label: 'y' column { name: 'a' type: ID hash_buckets: 3 } }",
       "can't have both type ID, which is for ids, and hash_buckets, which is not"},
      {"csv { label: 'y' column { name: 'a' id_from: NUMBER transform: LOG } }",
       "both id_from, which is for ids, and transform"},
      {"csv { label: 'y' column { name: 'a' type: IGNORE value_separator: '|' } }",
       "is ignored, so that value_separator has no effect"},
      {"csv { label: 'y' column { name: 'a' id_from: NUMBER missing: CATEGORY } }",
       "data.csv.column[0].missing must be ZERO or ERROR with id_from NUMBER, got CATEGORY"},
      {"csv { label: 'y' column { name: 'a' value_separator: '||' } }",
       "data.csv.column[0].value_separator must be one character"},
      {"csv { label: 'y' separator: '|' column { name: 'a' value_separator: '|' } }",
       "data.csv.column[0].value_separator must be one character"},
      {"max_bad_lines: 3 csv { label: 'y' }", "see data.csv.max_bad_lines"},
      {"csv { label: 'y' column { name: 'a' buckets: 1 } }",
       "data.csv.column[0].buckets must be from 2 to 10000"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(MessagesOf(text), ElementsAre(HasSubstr(message))) << text;
  }
}

TEST(ValidateCsvTest, IdsMayHaveACategoryForMissingValues) {
  EXPECT_THAT(MessagesOf("csv { label: 'y' column { name: 'a' type: ID missing: CATEGORY } "
                         "column { name: 'b' value_separator: '|' missing: ZERO } }"),
              IsEmpty());
}

TEST(ValidateCsvTest, AllMistakesAreReportedAtOnce) {
  EXPECT_EQ(MessagesOf("csv { separator: 'ab' buckets: 0 column {} }").size(), 4U);
}

TEST(ValidateCsvTest, DefaultsAreSpelledOutAndTheLabelIsWhatTheModelLearns) {
  const auto resolved = [](const std::string& model) {
    return ResolveDefaults(Parsed("data { train: 'x' csv { label: 'y' } } model { " + model + " }"))
        .data()
        .csv();
  };
  EXPECT_EQ(resolved("linear_regression {}").label_type(), v1::Csv::NUMBER);
  EXPECT_EQ(resolved("mlp {}").label_type(), v1::Csv::CLASS);
  EXPECT_EQ(resolved("matrix_factorization {}").label_type(), v1::Csv::NUMBER);
  EXPECT_EQ(resolved("factorization_machine {}").label_type(), v1::Csv::CLASS);
  EXPECT_EQ(resolved("factorization_machine { task: SQUARED }").label_type(), v1::Csv::NUMBER);
  EXPECT_EQ(resolved("custom { name: 'm' }").label_type(), v1::Csv::BY_MODEL);
  EXPECT_THAT(resolved("mlp {}").missing_value(),
              ElementsAre("NA", "N/A", "NaN", "nan", "null", "NULL", "?"));
  EXPECT_TRUE(resolved("mlp {}").has_min_count());
}

}  // namespace
}  // namespace convoy
