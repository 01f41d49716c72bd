#include "launcher/process/log_tail.h"

#include <gtest/gtest.h>

#include "tests/common/files/scratch_folder.h"

namespace convoy {
namespace {

TEST(LogTailTest, AShortLogIsGivenWhole) {
  ScratchFolder folder;
  EXPECT_EQ(LogTail(folder.Write("log", "one\ntwo\n")), "one\ntwo\n");
}

TEST(LogTailTest, OnlyTheLastLinesAreGiven) {
  ScratchFolder folder;
  EXPECT_EQ(LogTail(folder.Write("log", "one\ntwo\nthree\n"), {.max_lines = 2}), "two\nthree\n");
}

TEST(LogTailTest, ALineWithoutEndCountsAsOne) {
  ScratchFolder folder;
  EXPECT_EQ(LogTail(folder.Write("log", "one\ntwo\nthree"), {.max_lines = 1}), "three\n");
}

TEST(LogTailTest, BytesAreBounded) {
  ScratchFolder folder;
  EXPECT_EQ(LogTail(folder.Write("log", std::string(100, 'a') + "bcd\n"), {.max_bytes = 5}),
            "abcd\n");
}

TEST(LogTailTest, EscapeSequencesDoNotReachTheTerminal) {
  ScratchFolder folder;
  EXPECT_EQ(LogTail(folder.Write("log", "\033[31mred\a\tx\xC3\xA4\n")), "?[31mred?\tx\xC3\xA4\n");
}

TEST(LogTailTest, AnEmptyOrMissingLogHasNoLines) {
  ScratchFolder folder;
  EXPECT_EQ(LogTail(folder.Write("log", "")), "");
  EXPECT_EQ(LogTail(folder.File("none")), "");
}

}  // namespace
}  // namespace convoy
