// CSV files through OpenData and OpenFile: formats, caches, the learnt schema.
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/worker/data/csv/csv_text.h"
#include "worker/data/csv/learned_schema.h"
#include "worker/data/dataset.h"
#include "worker/data/file_format.h"

namespace convoy {
namespace {

using ::convoy::testing::CsvSettings;
using ::convoy::testing::Fails;
using ::convoy::testing::Gzipped;
using ::convoy::testing::kInvalid;
using ::convoy::testing::SetModificationTime;
using ::convoy::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kText[] = "x,c,y\n1,b,no\n3,a,yes\n1,a,no\n3,b,no\n";

class CsvDatasetTest : public ::testing::Test {
 protected:
  v1::Data Data(const std::string& train, const std::string& settings = "label: 'y'") const {
    v1::Data data;
    data.set_train(train);
    data.set_cache_dir(folder_ / "cache");
    *data.mutable_csv() = CsvSettings(settings + " label_type: CLASS");
    return data;
  }

  static std::vector<float> Row(const Dataset& data, uint32_t i) {
    Batch batch;
    data.Read(std::span(&i, 1), &batch);
    std::vector<float> row(static_cast<size_t>(batch.features));
    if (!batch.sparse) std::copy_n(batch.dense.data(), row.size(), row.begin());
    for (size_t k = 0; batch.sparse && k < batch.columns.size(); ++k)
      row[batch.columns[k]] = batch.values[k];
    return row;
  }

  const TemporaryFolder folder_;
};

TEST_F(CsvDatasetTest, AGzippedCsvFileIsDetectedLearntAndRead) {
  const auto sets = OpenData(Data(folder_.Write("a.csv.gz", Gzipped(kText))), 1, nullptr);
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_EQ(sets->train->size(), 4);
  EXPECT_FALSE(sets->train->sparse());
  EXPECT_THAT(Row(*sets->train, 1), ElementsAre(1, 1, 0));
  EXPECT_EQ(sets->train->label(1), 1);
  EXPECT_THAT(sets->schema->label().class_name(), ElementsAre("no", "yes"));
}

TEST_F(CsvDatasetTest, WideFilesAreSparse) {
  std::string text = "c,x,y\n";
  for (int i = 0; i < 300; ++i) absl::StrAppend(&text, "n", i % 150, ",", i % 2, ",", i % 3, "\n");
  const auto sets = OpenData(Data(folder_.Write("a.csv", text)), 1, nullptr);
  ASSERT_TRUE(sets.ok()) << sets.status();
  ASSERT_TRUE(sets->train->sparse());
  EXPECT_EQ(sets->train->features(), 151);
  // Row 299 has n149. Sorted as text there are before it n0, n1, n10 to n14 with ten each of n100
  // to n139, and n140 to n148: 2 + 5 + 40 + 9.
  const std::vector<float> row = Row(*sets->train, 299);
  EXPECT_EQ(row[56], 1);
  EXPECT_EQ(row[150], 1);  // x = 1: mean and deviation are 0.5
  EXPECT_EQ(sets->train->label(299), 2);
}

TEST_F(CsvDatasetTest, AValidationFileIsReadByTheSchemaOfTheTrainingData) {
  v1::Data data = Data(folder_.Write("a.csv", kText));
  data.mutable_validation()->set_path(folder_.Write("b.csv", "y,c,x\nyes,a,3\n"));
  const auto sets = OpenData(data, 1, nullptr);
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_THAT(Row(*sets->validation, 0), ElementsAre(1, 1, 0));
  EXPECT_EQ(sets->validation->label(0), 1);
}

TEST_F(CsvDatasetTest, TheSchemaIsLearntOnceAndAgainWhenTheFileChanges) {
  const v1::Data data = Data(folder_.Write("a.csv", kText));
  std::vector<std::string> activities;
  const auto note = [&](const std::string& what) { activities.push_back(what); };
  const auto first = OpenData(data, 1, note);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_FALSE(activities.empty());
  activities.clear();
  const auto second = OpenData(data, 1, note);
  EXPECT_TRUE(activities.empty()) << activities[0];
  EXPECT_EQ(second->schema->SerializeAsString(), first->schema->SerializeAsString());
  EXPECT_EQ(second->train->fingerprint(), first->train->fingerprint());
  folder_.Write("a.csv", "x,c,y\n5,b,no\n7,a,yes\n5,a,no\n7,b,no\n");
  SetModificationTime(data.train(), 1'700'000'000'000'000'000);
  const auto third = OpenData(data, 1, nullptr);
  ASSERT_TRUE(third.ok()) << third.status();
  EXPECT_EQ(third->schema->column(0).numeric().mean(), 6);
  EXPECT_THAT(Row(*third->train, 1), ElementsAre(1, 1, 0));
}

TEST_F(CsvDatasetTest, ADamagedSchemaIsLearntAgain) {
  const v1::Data data = Data(folder_.Write("a.csv", kText));
  const auto first = OpenData(data, 1, nullptr);
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string path = LearnedSchemaPath(data.train(), data.csv(), false, data.cache_dir());
  ASSERT_TRUE(std::filesystem::exists(path)) << path;
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  const auto second = OpenData(data, 1, nullptr);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->schema->SerializeAsString(), first->schema->SerializeAsString());
}

TEST_F(CsvDatasetTest, OtherSettingsHaveOtherCaches) {
  const std::string path = folder_.Write("a.csv", kText);
  const auto standard = OpenData(Data(path), 1, nullptr);
  const auto as_is = OpenData(Data(path, "label: 'y' transform: AS_IS"), 1, nullptr);
  ASSERT_TRUE(as_is.ok()) << as_is.status();
  EXPECT_THAT(Row(*standard->train, 1), ElementsAre(1, 1, 0));
  EXPECT_THAT(Row(*as_is->train, 1), ElementsAre(3, 1, 0));
}

TEST_F(CsvDatasetTest, AFileIsReadWithAnotherSchemaAfterAnotherTraining) {
  const v1::Data data = Data(folder_.Write("a.csv", kText));
  const std::string other = folder_.Write("b.csv", "x,c,y\n3,a,no\n");
  FileUse use;
  use.schema = OpenData(data, 1, nullptr)->schema;
  EXPECT_THAT(Row(**OpenFile(data, other, nullptr, use), 0), ElementsAre(1, 1, 0));
  auto changed = std::make_shared<v1::Schema>(*use.schema);
  changed->mutable_column(0)->mutable_numeric()->set_mean(1);
  use.schema = changed;
  EXPECT_THAT(Row(**OpenFile(data, other, nullptr, use), 0), ElementsAre(2, 1, 0));
}

TEST_F(CsvDatasetTest, WithoutLabelsEveryLineMustBeReadable) {
  const v1::Data data = Data(folder_.Write("a.csv", kText), "label: 'y' max_bad_lines: 5");
  FileUse use;
  use.schema = OpenData(data, 1, nullptr)->schema;
  const std::string other = folder_.Write("b.csv", "x,c,y\n3,a,no\n4\n");
  EXPECT_EQ((*OpenFile(data, other, nullptr, use))->size(), 1);
  use.labels = false;
  EXPECT_THAT(OpenFile(data, other, nullptr, use).status(),
              Fails(kInvalid, HasSubstr("b.csv:3: expected 3 fields")));
}

TEST_F(CsvDatasetTest, SkippedLinesOfEveryFileAreCounted) {
  for (const char* type : {"CATEGORICAL", "ID"}) {
    SCOPED_TRACE(type);
    v1::Data data =
        Data(folder_.Write("a.csv", kText),
             absl::StrCat("label: 'y' max_bad_lines: 5 column { name: 'c' type: ", type, " }"));
    data.mutable_validation()->set_path(folder_.Write("b.csv", "x,c,y\n3,a,no\n4\n1,a,unseen\n"));
    for (int i = 0; i < 2; ++i) {  // built, then read from the cache
      const auto sets = OpenData(data, 1, nullptr);
      ASSERT_TRUE(sets.ok()) << sets.status();
      EXPECT_EQ(sets->train->skipped().count, 0U);
      EXPECT_EQ(sets->validation->size(), 1);
      EXPECT_EQ(sets->validation->skipped().Describe("b.csv"),
                "b.csv: 2 bad lines are skipped, the first: line 3");
    }
  }
}

// One of 200 columns is set in each row.
TEST_F(CsvDatasetTest, WideFilesNeedNoLabelsToBePredictedOn) {
  std::string text = "c,y\n", unlabelled = "c\n";
  for (int i = 0; i < 400; ++i) {
    absl::StrAppend(&text, "category", i % 200, ",", i % 2, "\n");
    absl::StrAppend(&unlabelled, "category", 199 - i % 200, "\n");
  }
  const v1::Data data = Data(folder_.Write("a.csv", text), "label: 'y'");
  const auto sets = OpenData(data, 1, nullptr);
  ASSERT_TRUE(sets.ok()) << sets.status();
  ASSERT_TRUE(sets->train->sparse());
  const FileUse use{sets->schema, /*labels=*/false};
  for (const std::string& path : {data.train(), folder_.Write("b.csv", unlabelled)}) {
    const auto rows = OpenFile(data, path, nullptr, use);
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_FALSE((*rows)->has_labels());
    Batch batch, with_labels;
    (*rows)->Read(std::vector<uint32_t>{7}, &batch);
    sets->train->Read(std::vector<uint32_t>{path == data.train() ? 7u : 192u}, &with_labels);
    EXPECT_EQ(batch.columns, with_labels.columns);
    EXPECT_THAT(batch.labels, IsEmpty());
  }
}

TEST_F(CsvDatasetTest, ATsvFileHasTabs) {
  const auto sets =
      OpenData(Data(folder_.Write("a.tsv", "x\tc\ty\n1\ta, b\tno\n3\ta, b\tyes\n")), 1, nullptr);
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_EQ(sets->schema->separator(), "\t");
  EXPECT_THAT(sets->schema->column(1).dictionary().category(), ElementsAre("a, b"));
}

TEST_F(CsvDatasetTest, FormatsAreToldApart) {
  const auto detect = [&](const char* name, std::string_view text) {
    return *DetectFormat(folder_.Write(name, text));
  };
  EXPECT_EQ(detect("1", "a,b\n1,2\n"), v1::Data::CSV);
  EXPECT_EQ(detect("2", "a;b\n"), v1::Data::CSV);
  EXPECT_EQ(detect("3", "a\tb\n"), v1::Data::TSV);
  EXPECT_EQ(detect("4", "1 3:1.5 7:2\n"), v1::Data::LIBSVM);
  EXPECT_EQ(detect("5", "-1\t3:1,5\n"), v1::Data::LIBSVM);
  EXPECT_EQ(detect("6", "# a, comment\n+1 1:1\n"), v1::Data::LIBSVM);
  EXPECT_EQ(detect("7", "1\n"), v1::Data::LIBSVM);
  EXPECT_EQ(detect("one.csv", "1\n"), v1::Data::CSV);
  EXPECT_EQ(detect("one.TSV.gz", Gzipped("1\n")), v1::Data::TSV);
  EXPECT_EQ(detect("8", std::string_view("\0\0\x08\x01", 4)), v1::Data::IDX);
}

TEST_F(CsvDatasetTest, WithoutALabelTheErrorSaysWhatToSet) {
  v1::Data data = Data(folder_.Write("a.csv", kText));
  data.clear_csv();
  EXPECT_THAT(OpenData(data, 1, nullptr).status(),
              Fails(kInvalid, HasSubstr("set data.csv.label")));
}

TEST_F(CsvDatasetTest, UnreadableAndEmptyFilesAreNamed) {
  EXPECT_EQ(OpenData(Data(folder_ / "absent.csv"), 1, nullptr).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_THAT(
      OpenData(Data(folder_.Write("empty.csv", "")), 1, nullptr).status(),
      Fails(kInvalid,
            HasSubstr(
                "empty.csv: expected an IDX file, CSV, libsvm or libffm text, got an empty file")));
}

}  // namespace
}  // namespace convoy
