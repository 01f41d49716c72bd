#include "common/files/atomic_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/files/file_hash.h"
#include "common/files/file_io.h"
#include "common/files/sequential_writer.h"
#include "tests/common/files/scratch_folder.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

TEST(AtomicFileTest, HasItsNameOnlyAfterCommit) {
  ScratchFolder folder;
  auto file = AtomicFile::Create(folder.File("a"));
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->Append("hello ").ok());
  ASSERT_TRUE((*file)->Append("world").ok());
  EXPECT_FALSE(std::filesystem::exists(folder.File("a")));
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_EQ(folder.Contents("a"), "hello world");
  EXPECT_EQ(folder.Entries(), 1);
}

TEST(AtomicFileTest, AbandonedLeavesTheOldFileAndNoTemporary) {
  ScratchFolder folder;
  folder.Write("a", "old");
  {
    auto file = AtomicFile::Create(folder.File("a"));
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE((*file)->Append("new").ok());
  }
  EXPECT_EQ(folder.Contents("a"), "old");
  EXPECT_EQ(folder.Entries(), 1);
}

TEST(AtomicFileTest, ReplacesTheOldFile) {
  ScratchFolder folder;
  folder.Write("a", "an old and longer text");
  ASSERT_TRUE(WriteFileAtomically(folder.File("a"), "new").ok());
  EXPECT_EQ(folder.Contents("a"), "new");
}

TEST(AtomicFileTest, PiecesMayComeInAnyOrder) {
  ScratchFolder folder;
  auto file = AtomicFile::Create(folder.File("a"));
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->Resize(6).ok());
  ASSERT_TRUE((*file)->WriteAt(4, "ef").ok());
  ASSERT_TRUE((*file)->WriteAt(0, "ab").ok());
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_EQ(folder.Contents("a"), std::string("ab\0\0ef", 6));
}

std::string Bytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  return bytes;
}

TEST(AtomicFileTest, LongOnesFromFrontToEndHaveTheirBytesAndTheirChecksum) {
  constexpr size_t kPiece = SequentialWriter::kPiece;
  ScratchFolder folder;
  for (const size_t size :
       {size_t{0}, size_t{1}, kPiece - 1, kPiece, kPiece + 1, 3 * kPiece + 77}) {
    for (const size_t step : {size_t{1000}, kPiece / 2, 2 * kPiece}) {
      SCOPED_TRACE(absl::StrCat(size, " bytes in pieces of ", step));
      const std::string bytes = Bytes(size);
      auto file = AtomicFile::Create(folder.File("a"));
      ASSERT_TRUE(file.ok()) << file.status();
      ASSERT_TRUE((*file)->Resize(size).ok());
      for (size_t at = 0; at < size; at += step) {
        ASSERT_TRUE((*file)->WriteAt(at, std::string_view(bytes).substr(at, step)).ok());
      }
      const auto hash = (*file)->CommitAndHash();
      ASSERT_TRUE(hash.ok()) << hash.status();
      EXPECT_TRUE(folder.Contents("a") == bytes);
      const auto read = HashFile(folder.File("a"));
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_EQ(hash->bytes, size);
      EXPECT_EQ(hash->xxh3, read->xxh3);
    }
  }
}

TEST(AtomicFileTest, LongOnesMayGoOnInAnyOrder) {
  constexpr size_t kPiece = SequentialWriter::kPiece;
  ScratchFolder folder;
  std::string bytes = Bytes(4 * kPiece);
  auto file = AtomicFile::Create(folder.File("a"));
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->Append(std::string_view(bytes).substr(0, 2 * kPiece - 5)).ok());
  // The last page of what came before, and what was gathered, written again; then a hole.
  const std::string again(2 * kPiece, 'x');
  ASSERT_TRUE((*file)->WriteAt(kPiece - 9, again).ok());
  ASSERT_TRUE(
      (*file)->WriteAt(4 * kPiece - 3, std::string_view(bytes).substr(4 * kPiece - 3)).ok());
  bytes.replace(kPiece - 9, again.size(), again);
  bytes.replace(3 * kPiece - 9, kPiece + 6, kPiece + 6, '\0');
  const auto hash = (*file)->CommitAndHash();
  ASSERT_TRUE(hash.ok()) << hash.status();
  EXPECT_TRUE(folder.Contents("a") == bytes);
  EXPECT_EQ(hash->xxh3, HashFile(folder.File("a"))->xxh3);
}

TEST(AtomicFileTest, LongOnesOnAFileSystemWithoutDirectWriting) {
  const std::string path = absl::StrCat("/dev/shm/convoy-atomic-file-", ::getpid());
  const std::string bytes = Bytes(3 * SequentialWriter::kPiece + 1);
  ASSERT_TRUE(WriteFileAtomically(path, bytes).ok());
  const auto read = ReadFile(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(*read == bytes);
}

TEST(AtomicFileTest, TwoWritersOfOneNameDoNotMix) {
  ScratchFolder folder;
  auto first = AtomicFile::Create(folder.File("a"));
  auto second = AtomicFile::Create(folder.File("a"));
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_TRUE((*first)->Append("first").ok());
  ASSERT_TRUE((*second)->Append("second").ok());
  ASSERT_TRUE((*second)->Commit().ok());
  ASSERT_TRUE((*first)->Commit().ok());
  EXPECT_EQ(folder.Contents("a"), "first");
  EXPECT_EQ(folder.Entries(), 1);
}

TEST(AtomicFileTest, MissingFolderIsNotFoundAndNamesThePath) {
  ScratchFolder folder;
  const absl::Status status = WriteFileAtomically(folder.File("none/a"), "x");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("none/a"));
}

TEST(AtomicFileTest, SecondCommitIsRefused) {
  ScratchFolder folder;
  auto file = AtomicFile::Create(folder.File("a"));
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_EQ((*file)->Commit().code(), absl::StatusCode::kFailedPrecondition);
}

// What could not be made durable once may be gone, whatever the system says later.
TEST(AtomicFileTest, ACommitThatFailedIsNotTriedAgain) {
  ScratchFolder folder;
  auto file = AtomicFile::Create(folder.File("a"));
  ASSERT_TRUE(file.ok()) << file.status();
  std::filesystem::create_directory(folder.File("a"));
  EXPECT_THAT(std::string((*file)->Commit().message()), HasSubstr("cannot rename"));
  std::filesystem::remove(folder.File("a"));
  EXPECT_EQ((*file)->Commit().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ((*file)->CommitAndHash().status().code(), absl::StatusCode::kFailedPrecondition);
  file->reset();
  EXPECT_EQ(folder.Entries(), 0);
}

TEST(AtomicFileTest, WhatProcessesLeftThatHaveEndedIsRemoved) {
  ScratchFolder folder;
  const pid_t ended = fork();
  if (ended == 0) _exit(0);
  ASSERT_EQ(waitpid(ended, nullptr, 0), ended);
  const std::string left = absl::StrCat("model.safetensors.tmp-", ended, "-0");
  folder.Write(left, "half");
  folder.Write(absl::StrCat("job.textproto.tmp-", getpid(), "-3"), "of an earlier life");
  // The parent lives; the others are none of ours.
  const std::vector<std::string> stay = {absl::StrCat("a.tmp-", getppid(), "-0"),
                                         absl::StrCat("a.tmp-", ended),
                                         absl::StrCat("a.tmp-", ended, "-x"),
                                         "a.tmp-",
                                         "a.tmp",
                                         absl::StrCat(".tmp-", ended, "-0"),
                                         "model.safetensors"};
  for (const std::string& name : stay) folder.Write(name, "");
  EXPECT_THAT(RemoveAbandonedFiles(folder.path()),
              UnorderedElementsAre(left, absl::StrCat("job.textproto.tmp-", getpid(), "-3")));
  EXPECT_EQ(folder.Entries(), static_cast<int>(stay.size()));
  EXPECT_TRUE(RemoveAbandonedFiles(folder.File("none")).empty());
}

TEST(FileIoTest, ReadFileGivesTheWholeFile) {
  ScratchFolder folder;
  EXPECT_EQ(*ReadFile(folder.Write("a", "text")), "text");
}

TEST(FileIoTest, ReadFileRefusesWhatIsTooLarge) {
  ScratchFolder folder;
  const auto contents = ReadFile(folder.Write("a", "12345"), 4);
  EXPECT_EQ(contents.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(contents.status().message()), HasSubstr("5 bytes, want at most 4"));
}

TEST(FileIoTest, AFolderIsNotARegularFile) {
  ScratchFolder folder;
  EXPECT_THAT(std::string(ReadFile(folder.path()).status().message()),
              HasSubstr("is not a regular file"));
}

TEST(FileIoTest, ReadingBeyondTheEndNamesTheByte) {
  ScratchFolder folder;
  const std::string path = folder.Write("a", "12345");
  const auto fd = OpenForReading(path);
  ASSERT_TRUE(fd.ok()) << fd.status();
  char buffer[4];
  const absl::Status status = ReadExactlyAt(*fd, 3, buffer, 4, path);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("ends at byte 5, want 2 bytes more"));
}

}  // namespace
}  // namespace convoy
