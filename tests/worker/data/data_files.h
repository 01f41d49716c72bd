// Makes data files for the tests of the readers and caches.
#ifndef CONVOY_TESTS_WORKER_DATA_DATA_FILES_H_
#define CONVOY_TESTS_WORKER_DATA_DATA_FILES_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace convoy::testing {

// A folder that is deleted at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  // Path of `name` in the folder.
  std::string operator/(std::string_view name) const;
  const std::string& path() const { return path_; }
  // Writes a file and returns its path.
  std::string Write(std::string_view name, std::string_view contents) const;

 private:
  std::string path_;
};

std::string ReadWholeFile(const std::string& path);

// Sets the modification time, in nanoseconds since 1970.
void SetModificationTime(const std::string& path, int64_t mtime_ns);

// A gzip file with one member.
std::string Gzipped(std::string_view contents);

// An IDX file: magic number, sizes, then `elements` as they are (big-endian).
std::string Idx(uint8_t type, const std::vector<uint32_t>& sizes, std::string_view elements);

// The value's bytes, most significant first.
std::string BigEndianBytes(uint64_t value, int bytes);

// `count` random edits of `contents`: bytes changed, removed, doubled, or the end cut off.
std::string Mutated(std::string contents, int count, std::mt19937_64& random);

// Seed of the tests that mutate; printed. CONVOY_TEST_SEED replaces it.
uint64_t PrintedSeed();

// What nearly every refusal of a reader is.
inline constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// MATCHER for absl::Status.
MATCHER_P2(Fails, code, message,
           std::string("has code ") + absl::StatusCodeToString(code) + " and a message that " +
               ::testing::DescribeMatcher<std::string>(message)) {
  *result_listener << arg;
  return arg.code() == code &&
         ::testing::Matches(::testing::Matcher<std::string>(message))(std::string(arg.message()));
}

}  // namespace convoy::testing

#define CONVOY_ASSERT_OK(expr)                        \
  do {                                                \
    const absl::Status convoy_status = (expr);        \
    ASSERT_TRUE(convoy_status.ok()) << convoy_status; \
  } while (false)

#endif  // CONVOY_TESTS_WORKER_DATA_DATA_FILES_H_
