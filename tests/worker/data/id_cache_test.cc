// Caches of ids: their bytes, and damage to them.
#include "aligned_copy.h"
#include "data_files.h"
#include "worker/data/cache.h"

namespace convoy {
namespace {

using ::convoy::testing::AlignedCopy;
using ::convoy::testing::ReadWholeFile;
using ::convoy::testing::TemporaryFolder;
using ::testing::ElementsAre;

class IdCacheTest : public ::testing::Test {
 protected:
  IdCacheTest() {
    source_.format = v1::Data::LIBFFM;
    source_.max_bad_lines = 1;
    source_.examples =
        folder_.Write("tiny.ffm", "1 0:7:0.5 2:9223372036854775808:2\n-1\nx\n1 1:4:1 # c\n");
    testing::SetModificationTime(source_.examples, 1'600'000'000'123'456'789);
    options_.directory = folder_ / "cache";
  }

  std::shared_ptr<const CacheFile> Open() {
    auto cache = OpenCache(source_, options_);
    EXPECT_TRUE(cache.ok()) << cache.status();
    return *std::move(cache);
  }
  std::string Bytes() { return ReadWholeFile(CachePath(source_, options_.directory)); }

  const TemporaryFolder folder_;
  CacheSource source_;
  CacheOptions options_;
};

TEST_F(IdCacheTest, SectionsHoldIdsFieldsAndValues) {
  const auto cache = Open();
  const CacheView& view = cache->view();
  EXPECT_EQ(view.header().kind, CacheKind::kIds);
  EXPECT_EQ(view.header().examples, 3U);
  EXPECT_EQ(view.header().features, 0U);
  EXPECT_EQ(view.header().fields, 3U);
  EXPECT_EQ(view.header().fields_line, 1U);
  EXPECT_EQ(view.header().bad_lines, 1U);
  EXPECT_EQ(view.header().first_bad_line, 3U);
  EXPECT_THAT(view.labels(), ElementsAre(1, -1, 1));
  EXPECT_THAT(view.row_offsets(), ElementsAre(0, 2, 2, 3));
  EXPECT_THAT(view.ids(), ElementsAre(7, uint64_t{1} << 63, 4));
  EXPECT_THAT(view.fields(), ElementsAre(0, 2, 1));
  EXPECT_THAT(view.values(), ElementsAre(0.5F, 2, 1));
  EXPECT_TRUE(view.columns().empty());
}

// A change of the format must change kCacheVersion and docs/data_cache.md.
TEST_F(IdCacheTest, TheFileIsThatOfTheDocumentedFormat) {
  Open();
  EXPECT_EQ(Bytes(), ReadWholeFile(std::string(CONVOY_TESTDATA) + "/ids.cache"));
}

TEST_F(IdCacheTest, EveryFlippedByteOfHeaderAndSectionsIsFound) {
  const auto cache = Open();
  const std::string whole = Bytes();
  std::vector<CacheExtent> parts = {{0, kCacheHeaderBytes, 0}};
  for (const CacheExtent& section : cache->view().header().sections) parts.push_back(section);
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

TEST_F(IdCacheTest, MutatedFilesNeverCrashWithoutChecksums) {
  Open();
  const std::string whole = Bytes();
  std::mt19937_64 random(testing::PrintedSeed());
  int accepted = 0;
  for (int i = 0; i < 50'000; ++i) {
    const AlignedCopy copy(testing::Mutated(whole, 1 + i % 3, random));
    const auto view = CacheView::Parse(copy.bytes(), CacheCheck::kStructureOnly);
    if (!view.ok() || view->header().kind != CacheKind::kIds) continue;
    ++accepted;
    ASSERT_EQ(view->ids().size(), view->header().entries);
    for (const uint16_t field : view->fields()) ASSERT_LT(field, view->header().fields);
  }
  EXPECT_GT(accepted, 0);
}

}  // namespace
}  // namespace convoy
