#include "launcher/coordinator/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/run_program.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;
using testing::ReadFile;
using testing::WriteFile;

v1::JournalRecord Beat(uint64_t step) {
  v1::JournalRecord record;
  record.set_call(step + 1);
  record.set_time_ns(static_cast<int64_t>(step) * 1000);
  record.mutable_heartbeat()->set_step(step);
  record.mutable_heartbeat()->set_activity(absl::StrCat("activity ", step % 7));
  return record;
}

class JournalTest : public ::testing::Test {
 protected:
  std::unique_ptr<Journal> Create() {
    v1::JournalHeader header;
    header.set_job_id(77);
    auto journal = Journal::Create(path_, header);
    EXPECT_TRUE(journal.ok()) << journal.status();
    return *std::move(journal);
  }
  void Append(Journal& journal, uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i) {
      const absl::Status appended = journal.Append(Beat(i));
      ASSERT_TRUE(appended.ok()) << appended;
    }
  }
  // How many records, which are as they were written; or why it can't be read.
  absl::StatusOr<uint64_t> Count() {
    auto reader = JournalReader::Open(path_);
    if (!reader.ok()) return reader.status();
    EXPECT_EQ((*reader)->header().job_id(), 77u);
    for (uint64_t count = 0;; ++count) {
      const auto record = (*reader)->Next();
      if (!record.ok()) return record.status();
      if (!*record) return count;
      EXPECT_EQ((**record).SerializeAsString(), Beat(count).SerializeAsString());
    }
  }

  testing::TemporaryFolder folder_;
  const std::string path_ = folder_ / "journal";
};

TEST_F(JournalTest, IsReadAsItWasWrittenAlsoWhenOthersHaveContinuedIt) {
  Append(*Create(), 0, 100);
  EXPECT_EQ(*Count(), 100u);
  for (uint64_t begin = 100; begin < 400; begin += 100) {
    auto reader = JournalReader::Open(path_);
    ASSERT_TRUE(reader.ok()) << reader.status();
    while (*(*reader)->Next()) continue;
    auto journal = (*reader)->Continue();
    ASSERT_TRUE(journal.ok()) << journal.status();
    Append(**journal, begin, begin + 100);
    EXPECT_EQ((*journal)->size(), std::filesystem::file_size(path_));
    EXPECT_TRUE((*journal)->Sync().ok());
  }
  EXPECT_EQ(*Count(), 400u);
  // What repeats itself takes little room: a record has 32 bytes here, a head 20.
  EXPECT_LT(std::filesystem::file_size(path_), 400 * 45);
}

TEST_F(JournalTest, ALargeRecordIsReadAsItWasWritten) {
  std::mt19937_64 random(1);
  v1::JournalRecord large;
  std::string& text = *large.mutable_fail();
  for (int i = 0; i < 1000000; ++i) text.push_back(static_cast<char>('a' + random() % 20));
  ASSERT_TRUE(Create()->Append(large).ok());
  auto reader = JournalReader::Open(path_);
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto record = (*reader)->Next();
  ASSERT_TRUE(record.ok() && *record) << record.status();
  EXPECT_TRUE((**record).fail() == text);
}

TEST_F(JournalTest, IsCutOffAnywhereAndThenHasWhatWasWhole) {
  Append(*Create(), 0, 30);
  const std::string whole = ReadFile(path_);
  uint64_t before = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    WriteFile(path_, whole.substr(0, size));
    const auto count = Count();
    if (!count.ok()) {  // not even the header is there
      EXPECT_EQ(count.status().code(), absl::StatusCode::kDataLoss);
      EXPECT_EQ(before, 0u);
      continue;
    }
    EXPECT_GE(*count, before);
    before = *count;
  }
  EXPECT_EQ(before, 29u);
  // What follows a record that was cut off takes its place.
  WriteFile(path_, whole.substr(0, whole.size() - 1));
  auto reader = JournalReader::Open(path_);
  ASSERT_TRUE(reader.ok()) << reader.status();
  while (*(*reader)->Next()) continue;
  Append(**(*reader)->Continue(), 29, 40);
  reader->reset();
  EXPECT_EQ(*Count(), 40u);
}

TEST_F(JournalTest, AnyBitTheOtherWayRoundIsNoticed) {
  Append(*Create(), 0, 10);
  const std::string whole = ReadFile(path_);
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
    WriteFile(path_, damaged);
    const auto count = Count();
    ASSERT_FALSE(count.ok()) << "byte " << at << ": " << *count << " records";
    EXPECT_EQ(count.status().code(), absl::StatusCode::kDataLoss) << count.status();
    EXPECT_THAT(std::string(count.status().message()), HasSubstr(path_));
  }
}

TEST_F(JournalTest, IsOneCoordinatorsAlone) {
  const auto journal = Create();
  EXPECT_EQ(JournalReader::Open(path_).status().code(), absl::StatusCode::kFailedPrecondition);
  const auto another = Journal::Create(path_, {});
  EXPECT_EQ(another.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(another.status().message()),
              HasSubstr("in use by another coordinator, which lives"));
  Append(*journal, 0, 1);
}

TEST_F(JournalTest, NobodyGoesOnFromOneThatWasDiscarded) {
  auto journal = Create();
  Append(*journal, 0, 5);
  EXPECT_TRUE(journal->Discard().ok());
  EXPECT_EQ(Count().status().code(), absl::StatusCode::kNotFound);
}

TEST_F(JournalTest, OneThatCanNotBeRemovedIsEmptied) {
  auto journal = Create();
  Append(*journal, 0, 5);
  const std::string moved = path_ + "-moved";
  std::filesystem::rename(path_, moved);
  std::filesystem::create_directory(path_);  // can't be unlinked
  EXPECT_TRUE(journal->Discard().ok());
  journal.reset();
  EXPECT_EQ(JournalReader::Open(moved).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(JournalTest, OneThatIsNotThereIsNotFound) {
  EXPECT_EQ(JournalReader::Open(path_).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace convoy
