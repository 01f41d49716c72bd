#include "worker/data/csv/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace convoy {
namespace {

TEST(Utf8Test, AsciiWithoutZeroIsPlainAtEveryPlace) {
  for (size_t size = 0; size < 20; ++size) {
    const std::string text(size, 'x');
    EXPECT_TRUE(IsPlainText(text));
    for (size_t at = 0; at < size; ++at) {
      for (const char bad : {'\0', '\x80', '\xFF'}) {
        std::string changed = text;
        changed[at] = bad;
        EXPECT_FALSE(IsPlainText(changed)) << size << " " << at;
      }
    }
  }
}

TEST(Utf8Test, CharactersOfAllLengthsAreText) {
  const std::string text =
      "a\x7F \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF \xED\x9F\xBF";
  EXPECT_EQ(FirstBadByte(text), text.size());
}

TEST(Utf8Test, WhatRfc3629ForbidsIsFoundWhereItBegins) {
  for (const std::string bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE9", "\xE2\x82", "\xC3(", "\xFF"}) {
    EXPECT_EQ(FirstBadByte("ab" + bad), 2U);
    EXPECT_EQ(FirstBadByte("\xC3\xA9" + bad + "x"), 2U);
  }
  EXPECT_EQ(FirstBadByte(std::string("ab\0c", 4)), 2U);
}

}  // namespace
}  // namespace convoy
