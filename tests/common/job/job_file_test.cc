#include "common/job/job_file.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/job/defaults.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/common/job/job_text.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using google::protobuf::util::MessageDifferencer;
using ::testing::ElementsAre;
using ::testing::StartsWith;

// A folder of its own for each test.
class LoadJobTest : public ::testing::Test {
 protected:
  LoadJobTest() {
    std::string name = ::testing::TempDir() + "job_file_test.XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~LoadJobTest() override { fs::remove_all(folder_); }

  std::string Write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  std::string ErrorsOfFile(const std::string& path,
                           const std::vector<std::string>& overrides = {}) {
    return std::string(LoadJob(path, overrides).status().message());
  }
  std::string In(const std::string& name) { return (folder_ / name).string(); }

  fs::path folder_;
};

TEST(ParseJobTest, FieldsAreReadAndUnsetOnesStayUnset) {
  const v1::Job job =
      Parsed(SmallJobAnd("optimizer { l1: 0 adam {} }\n"
                         "training { epochs: 7, batch_size: 5; mode: \"async\" }"));
  EXPECT_EQ(job.training().epochs(), 7u);
  EXPECT_EQ(job.training().batch_size(), 5u);
  EXPECT_TRUE(job.optimizer().has_l1());
  EXPECT_FALSE(job.optimizer().has_l2());
  EXPECT_TRUE(job.optimizer().has_adam());
  EXPECT_FALSE(job.has_cluster());
}

TEST(ParseJobTest, OverridesAreAppliedInOrder) {
  const v1::Job job = Parsed(kSmallJob, {"training.epochs=3", "model.mlp.hidden=4",
                                         "training.epochs=5", "model.mlp.hidden+=6"});
  EXPECT_EQ(job.training().epochs(), 5u);
  EXPECT_THAT(job.model().mlp().hidden(), ElementsAre(4, 6));
}

TEST(ParseJobTest, NameIsThatOfTheFileWithoutItsExtensions) {
  EXPECT_EQ(ParseJob(kSmallJob, "/a.b/fashion.v2.textproto", {}).value().name(), "fashion");
  EXPECT_EQ(ParseJob(kSmallJob, ".hidden.textproto", {}).value().name(), ".hidden");
  EXPECT_EQ(ParseJob(kSmallJob, "", {}).value().name(), "job");
  EXPECT_EQ(Parsed(SmallJobAnd("name: 'mine'")).name(), "mine");
}

TEST(ParseJobTest, RelativePathsAreThoseOfTheFolderOfTheFile) {
  const v1::Job job = Parsed(
      "data { train: '../a' train_labels: '/b' cache_dir: 'c/./d'\n"
      "  validation { path: 'e' labels: 'f' } }\n"
      "model { mlp {} }");
  EXPECT_EQ(job.data().train(), "/a");
  EXPECT_EQ(job.data().train_labels(), "/b");
  EXPECT_EQ(job.data().cache_dir(), "/jobs/c/d");
  EXPECT_EQ(job.data().validation().path(), "/jobs/e");
  EXPECT_EQ(job.data().validation().labels(), "/jobs/f");
}

TEST(ParseJobTest, PathsOfARelativeFileBecomeAbsolute) {
  const v1::Job job = ParseJob(kSmallJob, "sub/x.textproto", {}).value();
  EXPECT_EQ(job.data().train(), (fs::current_path() / "sub/train.libsvm").string());
}

TEST(JobToTextTest, ParsingItAgainGivesTheSameJob) {
  const v1::Job job = ResolveDefaults(Parsed(
      "name: \"Größe \\\"1\\\" \\001\" data { train: 'ä' scale: 0.1 }\n"
      "model { custom { name: 'm' parameters { key: 'b' value: '2' }\n"
      "  parameters { key: 'a' value: '1' } } }\n"
      "optimizer { learning_rate: 1e-30 l2: 0.30000000000000004 override { match: 'x.*' l1: 0 } }\n"
      "training { mode: 'ssp:3' max_steps: 18446744073709551615 }"));
  const std::string text = JobToText(job);
  const v1::Job again = Parsed(text);
  EXPECT_TRUE(MessageDifferencer::Equals(job, again)) << text;
  EXPECT_EQ(JobToText(again), text);
}

TEST(JobToTextTest, HasTheFieldsInTheOrderOfTheSchema) {
  EXPECT_EQ(JobToText(Parsed("model { mlp { hidden: [2, 3] activation: RELU } } seed: 0\n"
                             "data { train: '/t' }")),
            "name: \"x\"\n"
            "seed: 0\n"
            "data {\n"
            "  train: \"/t\"\n"
            "}\n"
            "model {\n"
            "  mlp {\n"
            "    hidden: [2, 3]\n"
            "    activation: RELU\n"
            "  }\n"
            "}\n");
}

TEST_F(LoadJobTest, FileIsLoadedWithItsDataBesideIt) {
  Write("train.libsvm", "1 1:1\n");
  const v1::Job job = LoadJob(Write("small.textproto", kSmallJob), {}).value();
  EXPECT_EQ(job.name(), "small");
  EXPECT_EQ(job.data().train(), In("train.libsvm"));
}

TEST_F(LoadJobTest, AbsentJobFileIsNotFound) {
  const absl::Status status = LoadJob(In("none.textproto"), {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(std::string(status.message()),
            "cannot read the job file " + In("none.textproto") + ": No such file or directory");
}

TEST_F(LoadJobTest, FolderInsteadOfAJobFileIsNotFound) {
  const absl::Status status = LoadJob(folder_.string(), {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(std::string(status.message()),
            "cannot read the job file " + folder_.string() + ": Is a directory");
}

TEST_F(LoadJobTest, AbsentDataFilesAreReportedWithTheOtherErrors) {
  const std::string path = Write("x.textproto",
                                 "data { train: 'a'\n"
                                 "  train_labels: 'b'\n"
                                 "  validation { path: 'c' } test { path: 'd' } }\n"
                                 "model { mlp { dropout: 2 } }");
  Write("b", "");
  EXPECT_EQ(ErrorsOfFile(path),
            path + ":1: data.train: cannot read " + In("a") + ": No such file or directory\n" +
                path + ":3: data.validation.path: cannot read " + In("c") +
                ": No such file or directory\n" + path + ":3: data.test.path: cannot read " +
                In("d") + ": No such file or directory\n" + path +
                ":4: model.mlp.dropout must be in [0, 1), got 2");
}

TEST_F(LoadJobTest, DerivedLabelsMustExistToo) {
  Write("train-images-idx3", "");
  const std::string path =
      Write("x.textproto", "data {\n train: 'train-images-idx3' }\nmodel { mlp {} }");
  EXPECT_EQ(ErrorsOfFile(path), path + ":1: data.train_labels: cannot read " +
                                    In("train-labels-idx1") + ": No such file or directory");
}

TEST_F(LoadJobTest, DerivedLabelsMayBeCompressedOrNotUnlikeTheImages) {
  for (const std::string suffix : {"", ".gz"}) {
    Write("a-images-idx3" + suffix, "");
    const std::string other = In("a-labels-idx1" + std::string(suffix.empty() ? ".gz" : ""));
    Write(fs::path(other).filename().string(), "");
    const std::string path =
        Write("x.textproto", "data { train: 'a-images-idx3" + suffix + "' }\nmodel { mlp {} }");
    const absl::StatusOr<v1::Job> job = LoadJob(path, {});
    ASSERT_TRUE(job.ok()) << job.status();
    EXPECT_EQ(ResolveDefaults(*job).data().train_labels(), other);
    // The name that is as that of the images goes first.
    Write("a-labels-idx1" + suffix, "");
    EXPECT_EQ(ResolveDefaults(*LoadJob(path, {})).data().train_labels(),
              In("a-labels-idx1" + suffix));
    for (const char* labels : {"a-labels-idx1", "a-labels-idx1.gz"}) fs::remove(In(labels));
  }
}

TEST_F(LoadJobTest, FolderAsDataIsRefused) {
  const std::string path = Write("x.textproto", kSmallJob);
  EXPECT_EQ(ErrorsOfFile(path, {"data.train=."}),
            "--set data.train=.: data.train: cannot read " + In("") + ": Is a directory");
}

TEST_F(LoadJobTest, ZeroByteInAFileNameIsRefused) {
  Write("a", "");
  const std::string path = Write("x.textproto", "data { train: 'a\\000b' }\nmodel { mlp {} }");
  EXPECT_THAT(ErrorsOfFile(path), StartsWith(path + ":1: data.train: cannot read "));
}

}  // namespace
}  // namespace convoy
