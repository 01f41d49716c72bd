#include "worker/data/csv/csv_number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

double Parsed(const std::string& text) {
  double value = NAN;
  EXPECT_TRUE(ParseNumber(text, &value)) << text;
  return value;
}

TEST(CsvNumberTest, DecimalNumbersAreRead) {
  EXPECT_EQ(Parsed("0"), 0);
  EXPECT_EQ(Parsed("-12.50"), -12.5);
  EXPECT_EQ(Parsed("+7"), 7);
  EXPECT_EQ(Parsed(".5"), 0.5);
  EXPECT_EQ(Parsed("5."), 5);
  EXPECT_EQ(Parsed("1e3"), 1000);
  EXPECT_EQ(Parsed("-2.5E-3"), -0.0025);
  EXPECT_EQ(Parsed("00012"), 12);
  EXPECT_EQ(Parsed("1700000000123"), 1700000000123);
}

TEST(CsvNumberTest, EverythingElseIsText) {
  for (const char* text : {"", "-", "+", ".", "-.", "1 2", "1,5", "0x10", "nan", "inf", "-inf",
                           "1e", "e5", "--1", "+-1", "1.2.3", "12a", "1e39", "-4e38"}) {
    double value = 42;
    EXPECT_FALSE(ParseNumber(text, &value)) << text;
    EXPECT_EQ(value, 42) << text;
  }
}

TEST(CsvNumberTest, WhatIsTooSmallForADoubleIsZero) { EXPECT_EQ(Parsed("1e-400"), 0); }

// strtod rounds correctly.
TEST(CsvNumberTest, NumbersAreRoundedToNearest) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 100'000; ++i) {
    std::string text = std::to_string(random() >> (random() % 64));
    text.insert(random() % (text.size() + 1), 1, '.');
    if (random() % 2 == 0) text.insert(0, 1, '-');
    if (random() % 4 == 0) absl::StrAppend(&text, "e", static_cast<int>(random() % 30) - 20);
    if (std::abs(std::strtod(text.c_str(), nullptr)) > 3e38) continue;
    ASSERT_EQ(Parsed(text), std::strtod(text.c_str(), nullptr)) << text;
  }
}

}  // namespace
}  // namespace convoy
