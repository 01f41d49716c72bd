#include "worker/data/cache.h"

#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "aligned_copy.h"
#include "data_files.h"
#include "worker/data/cache_lock.h"

namespace convoy {
namespace {

using ::convoy::testing::AlignedCopy;
using ::convoy::testing::Fails;
using ::convoy::testing::Idx;
using ::convoy::testing::ReadWholeFile;
using ::convoy::testing::SetModificationTime;
using ::convoy::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kModified = 1'600'000'000'123'456'789;

class CacheTest : public ::testing::Test {
 protected:
  CacheTest() {
    sparse_.examples = folder_.Write("tiny.libsvm", "1 1:0.5 3:2\n-1\n1 2:4 # c\n");
    SetModificationTime(sparse_.examples, kModified);
    dense_.format = v1::Data::IDX;
    dense_.examples = folder_.Write("tiny-images-idx3", Idx(0x08, {2, 2, 3}, "abcdefghijkl"));
    dense_.labels = folder_.Write("tiny-labels-idx1", Idx(0x08, {2}, "\x07\x09"));
    SetModificationTime(dense_.examples, kModified);
    SetModificationTime(dense_.labels, kModified + 1);
    options_.directory = folder_ / "cache/convoy";
    options_.activity = [this](const std::string& what) { activity_.push_back(what); };
  }

  // Whether opening builds; what it builds is checked by the caller.
  bool Builds(const CacheSource& source) {
    activity_.clear();
    const auto cache = OpenCache(source, options_);
    EXPECT_TRUE(cache.ok()) << cache.status();
    return !activity_.empty() && absl::StrContains(activity_.back(), "writing the cache");
  }

  std::string SparsePath() const { return CachePath(sparse_, options_.directory); }

  TemporaryFolder folder_;
  CacheSource sparse_;
  CacheSource dense_;
  CacheOptions options_;
  std::vector<std::string> activity_;
};

TEST_F(CacheTest, SparseSectionsHoldCompressedRows) {
  const auto cache = OpenCache(sparse_, options_);
  ASSERT_TRUE(cache.ok()) << cache.status();
  const CacheView& view = (*cache)->view();
  EXPECT_EQ(view.header().examples, 3U);
  EXPECT_EQ(view.header().features, 3U);
  EXPECT_EQ(view.header().features_line, 1U);
  EXPECT_EQ(view.header().sources[0], (FileStamp{25, kModified}));
  EXPECT_THAT(view.labels(), ElementsAre(1, -1, 1));
  EXPECT_THAT(view.row_offsets(), ElementsAre(0, 2, 2, 3));
  EXPECT_THAT(view.columns(), ElementsAre(0, 2, 1));
  EXPECT_THAT(view.values(), ElementsAre(0.5F, 2, 4));
}

TEST_F(CacheTest, DenseSectionsKeepBytesAsBytes) {
  const auto cache = OpenCache(dense_, options_);
  ASSERT_TRUE(cache.ok()) << cache.status();
  const CacheView& view = (*cache)->view();
  EXPECT_EQ(view.header().element, CacheElement::kUbyte);
  EXPECT_THAT(view.header().shape, ElementsAre(2, 3, 1));
  EXPECT_EQ(view.header().features, 6U);
  EXPECT_EQ(std::string(view.ubytes().begin(), view.ubytes().end()), "abcdefghijkl");
  EXPECT_THAT(view.labels(), ElementsAre(7, 9));
  EXPECT_EQ(view.header().sources[1].mtime_ns, kModified + 1);
}

TEST_F(CacheTest, SectionsAreAlignedTo64Bytes) {
  const auto cache = OpenCache(sparse_, options_);
  ASSERT_TRUE(cache.ok()) << cache.status();
  for (const CacheExtent& section : (*cache)->view().header().sections) {
    EXPECT_EQ(section.offset % 64, 0U);
  }
}

// The files were made by this test's sources and options; a change of the format must change
// kCacheVersion and docs/data_cache.md.
TEST_F(CacheTest, FilesAreThoseOfTheDocumentedFormat) {
  ASSERT_TRUE(OpenCache(sparse_, options_).ok());
  ASSERT_TRUE(OpenCache(dense_, options_).ok());
  const std::string golden = CONVOY_TESTDATA;
  EXPECT_EQ(ReadWholeFile(SparsePath()), ReadWholeFile(golden + "/sparse.cache"));
  EXPECT_EQ(ReadWholeFile(CachePath(dense_, options_.directory)),
            ReadWholeFile(golden + "/dense.cache"));
}

TEST_F(CacheTest, ASecondOpenReadsNoSource) {
  EXPECT_TRUE(Builds(sparse_));
  EXPECT_FALSE(Builds(sparse_));
}

TEST_F(CacheTest, ChangedTimeOrSizeOfASourceRebuilds) {
  ASSERT_TRUE(Builds(sparse_));
  SetModificationTime(sparse_.examples, kModified + 1);
  EXPECT_TRUE(Builds(sparse_));
  folder_.Write("tiny.libsvm", "1 1:0.5 3:2\n");
  SetModificationTime(sparse_.examples, kModified + 1);
  EXPECT_TRUE(Builds(sparse_));
  ASSERT_TRUE(Builds(dense_));
  SetModificationTime(dense_.labels, kModified);
  EXPECT_TRUE(Builds(dense_));
  EXPECT_FALSE(Builds(dense_));
}

TEST_F(CacheTest, OtherOptionsHaveAnotherFile) {
  CacheSource zero_based = sparse_;
  zero_based.zero_based = true;
  EXPECT_NE(CachePath(zero_based, "d"), CachePath(sparse_, "d"));
  CacheSource unlabelled = dense_;
  unlabelled.labels.clear();
  EXPECT_NE(CachePath(unlabelled, "d"), CachePath(dense_, "d"));
  EXPECT_THAT(CachePath(sparse_, "d"), HasSubstr("d/tiny.libsvm-"));
}

TEST_F(CacheTest, TheSameFileByAnotherNameHasTheSameCache) {
  CacheSource other = sparse_;
  other.examples = folder_.path() + "/./x/../tiny.libsvm";
  EXPECT_EQ(CachePath(other, "d"), CachePath(sparse_, "d"));
}

TEST_F(CacheTest, EveryFlippedByteOfHeaderAndSectionsIsFound) {
  const auto cache = OpenCache(sparse_, options_);
  ASSERT_TRUE(cache.ok()) << cache.status();
  std::vector<CacheExtent> parts = {{0, kCacheHeaderBytes, 0}};
  for (const CacheExtent& section : (*cache)->view().header().sections) parts.push_back(section);
  const std::string whole = ReadWholeFile(SparsePath());
  for (const CacheExtent& part : parts) {
    for (uint64_t i = part.offset; i < part.offset + part.bytes; ++i) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
      const AlignedCopy copy(damaged);
      EXPECT_EQ(CacheView::Parse(copy.bytes(), CacheCheck::kChecksums).status().code(),
                absl::StatusCode::kDataLoss)
          << "byte " << i;
    }
  }
}

TEST_F(CacheTest, ADamagedFileIsRebuilt) {
  ASSERT_TRUE(Builds(sparse_));
  const std::string whole = ReadWholeFile(SparsePath());
  std::string damaged = whole;
  damaged[kCacheHeaderBytes] ^= 1;  // the first value
  std::ofstream(SparsePath(), std::ios::binary | std::ios::trunc) << damaged;
  EXPECT_TRUE(Builds(sparse_));
  EXPECT_EQ(ReadWholeFile(SparsePath()), whole);
}

TEST_F(CacheTest, TruncationAnywhereIsFound) {
  ASSERT_TRUE(Builds(dense_));
  const std::string whole = ReadWholeFile(CachePath(dense_, options_.directory));
  for (size_t size = 0; size < whole.size(); ++size) {
    const AlignedCopy copy(whole.substr(0, size));
    EXPECT_EQ(CacheView::Parse(copy.bytes(), CacheCheck::kChecksums).status().code(),
              absl::StatusCode::kDataLoss);
  }
  std::filesystem::resize_file(CachePath(dense_, options_.directory), whole.size() / 2);
  EXPECT_TRUE(Builds(dense_));
}

TEST_F(CacheTest, MutatedFilesNeverCrashWithoutChecksums) {
  ASSERT_TRUE(Builds(sparse_));
  const std::string whole = ReadWholeFile(SparsePath());
  std::mt19937_64 random(testing::PrintedSeed());
  int accepted = 0;
  for (int i = 0; i < 50'000; ++i) {
    const AlignedCopy copy(testing::Mutated(whole, 1 + i % 3, random));
    const auto view = CacheView::Parse(copy.bytes(), CacheCheck::kStructureOnly);
    if (!view.ok()) continue;
    ++accepted;
    for (size_t row = 0; row < view->header().examples; ++row) {
      for (int64_t k = view->row_offsets()[row]; k < view->row_offsets()[row + 1]; ++k) {
        ASSERT_LT(view->columns()[static_cast<size_t>(k)], view->header().features);
      }
    }
  }
  EXPECT_GT(accepted, 0);
}

TEST_F(CacheTest, OtherProcessesWaitForTheBuilderAndSaySo) {
  ASSERT_TRUE(std::filesystem::create_directories(options_.directory));
  std::optional<absl::StatusOr<CacheLock>> holder(
      CacheLock::Acquire(SparsePath() + ".lock", "x", nullptr, absl::Seconds(1)));
  ASSERT_TRUE(holder->ok()) << holder->status();
  (*holder)->ReportProgress("reading tiny.libsvm, 40 %");
  std::vector<std::string> said;
  options_.activity = [&](const std::string& what) {
    said.push_back(what);
    holder.reset();  // The builder ends as soon as somebody waits.
  };
  ASSERT_TRUE(OpenCache(sparse_, options_).ok());
  ASSERT_FALSE(said.empty());
  EXPECT_EQ(said[0],
            absl::StrCat("waiting for process ", ::getpid(),
                         " (reading tiny.libsvm, 40 %) to build the cache of ", sparse_.examples));
}

TEST_F(CacheTest, ABuilderWithoutProgressIsNamedAfterALimit) {
  ASSERT_TRUE(std::filesystem::create_directories(options_.directory));
  const auto holder = CacheLock::Acquire(SparsePath() + ".lock", "x", nullptr, absl::Seconds(1));
  ASSERT_TRUE(holder.ok()) << holder.status();
  options_.silence_limit = absl::Milliseconds(1);
  EXPECT_THAT(OpenCache(sparse_, options_).status(),
              Fails(absl::StatusCode::kDeadlineExceeded,
                    AllOf(HasSubstr(absl::StrCat("process ", ::getpid())),
                          HasSubstr("no progress for 1ms"), HasSubstr("data.cache_dir"))));
}

TEST_F(CacheTest, AValidCacheNeedsNoLock) {
  ASSERT_TRUE(Builds(sparse_));
  const auto holder = CacheLock::Acquire(SparsePath() + ".lock", "x", nullptr, absl::Seconds(1));
  ASSERT_TRUE(holder.ok()) << holder.status();
  EXPECT_FALSE(Builds(sparse_));
}

TEST_F(CacheTest, FailedBuildLeavesNoCacheAndNoTemporaryFile) {
  folder_.Write("tiny.libsvm", "1 1:0.5\n1 x\n");
  EXPECT_THAT(OpenCache(sparse_, options_).status(),
              Fails(absl::StatusCode::kInvalidArgument, HasSubstr("tiny.libsvm:2: ")));
  EXPECT_FALSE(std::filesystem::exists(SparsePath()));
  EXPECT_FALSE(std::filesystem::exists(SparsePath() + ".tmp"));
}

TEST_F(CacheTest, ASourceThatChangesWhileItIsReadIsRefused) {
  options_.activity = [&](const std::string& what) {
    if (absl::StrContains(what, "writing")) SetModificationTime(sparse_.examples, kModified + 5);
  };
  EXPECT_THAT(OpenCache(sparse_, options_).status(),
              Fails(absl::StatusCode::kUnavailable, HasSubstr("changed while it was read")));
}

TEST_F(CacheTest, FolderThatCannotBeMadeSaysWhatToSet) {
  options_.directory = sparse_.examples + "/below-a-file";
  EXPECT_THAT(OpenCache(sparse_, options_).status(),
              Fails(absl::StatusCode::kResourceExhausted,
                    AllOf(HasSubstr("below-a-file"), HasSubstr("set data.cache_dir"))));
}

TEST_F(CacheTest, FolderWithoutPermissionSaysWhatToSet) {
  // Not even root may make files in sysfs.
  if (!std::filesystem::exists("/sys/kernel")) GTEST_SKIP() << "/sys is not mounted";
  options_.directory = "/sys/convoy";
  EXPECT_THAT(OpenCache(sparse_, options_).status(),
              Fails(absl::StatusCode::kPermissionDenied,
                    AllOf(HasSubstr("/sys/convoy"), HasSubstr("set data.cache_dir"))));
}

// Limits the size of the files that this process writes.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit = {bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*const handler_)(int);
  rlimit old_ = {};
};

TEST_F(CacheTest, NoRoomForTheCacheSaysWhatToSet) {
  absl::Status status;
  {
    const FileSizeLimit limit(200);  // less than a header
    status = OpenCache(sparse_, options_).status();
  }
  EXPECT_THAT(status, Fails(absl::StatusCode::kResourceExhausted,
                            AllOf(HasSubstr("File too large"), HasSubstr("set data.cache_dir"))));
  EXPECT_FALSE(std::filesystem::exists(SparsePath()));
  EXPECT_TRUE(Builds(sparse_));
}

TEST_F(CacheTest, MissingSourceIsNotFound) {
  CacheSource missing = sparse_;
  missing.examples = folder_ / "none.libsvm";
  EXPECT_THAT(OpenCache(missing, options_).status(),
              Fails(absl::StatusCode::kNotFound, HasSubstr("none.libsvm: can't open")));
  missing.examples = folder_.path();
  EXPECT_THAT(OpenCache(missing, options_).status(),
              Fails(absl::StatusCode::kInvalidArgument, HasSubstr("is a directory")));
}

TEST_F(CacheTest, NumbersOfImagesAndLabelsMustAgree) {
  folder_.Write("tiny-labels-idx1", Idx(0x08, {3}, "abc"));
  EXPECT_THAT(OpenCache(dense_, options_).status(),
              Fails(absl::StatusCode::kInvalidArgument,
                    AllOf(HasSubstr("tiny-labels-idx1: byte 4: expected 2 labels"),
                          HasSubstr("tiny-images-idx3, got 3"))));
}

}  // namespace
}  // namespace convoy
