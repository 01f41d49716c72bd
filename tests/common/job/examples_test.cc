// The job files of the examples.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "common/job/job_file.h"
#include "gtest/gtest.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> ExampleJobs() {
  std::vector<fs::path> jobs;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(CONVOY_EXAMPLES_DIR)) {
    if (entry.path().extension() == ".textproto") jobs.push_back(entry.path());
  }
  return jobs;
}

std::string ReadText(const fs::path& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(ExamplesTest, EveryJobFileIsValid) {
  const std::vector<fs::path> jobs = ExampleJobs();
  EXPECT_GE(jobs.size(), 2u);
  for (const fs::path& path : jobs) {
    const absl::StatusOr<v1::Job> job = ParseJob(ReadText(path), path.string(), {});
    EXPECT_TRUE(job.ok()) << job.status();
  }
}

TEST(ExamplesTest, EveryJobFileSurvivesBeingResolvedAndWritten) {
  for (const fs::path& path : ExampleJobs()) {
    const v1::Job job = ResolveDefaults(ParseJob(ReadText(path), path.string(), {}).value());
    const absl::StatusOr<v1::Job> again = ParseJob(JobToText(job), "/run/job.textproto", {});
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->SerializeAsString(), job.SerializeAsString());
  }
}

TEST(ExamplesTest, FashionMnistTrainsInEveryMode) {
  const fs::path path = fs::path(CONVOY_EXAMPLES_DIR) / "fashion_mnist/job.textproto";
  for (const char* mode : {"sync", "async", "ssp:3"}) {
    const std::vector<std::string> overrides = {std::string("training.mode=") + mode};
    EXPECT_EQ(ParseJob(ReadText(path), path.string(), overrides).value().training().mode(), mode);
  }
}

}  // namespace
}  // namespace convoy
