#include "worker/data/format_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "google/protobuf/text_format.h"
#include "tests/worker/data/data_files.h"

namespace convoy {
namespace {

using ::convoy::testing::Fails;
using ::convoy::testing::kInvalid;
using ::testing::HasSubstr;

v1::Data ParseData(const std::string& text) {
  v1::Data data;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString("train: \"x\" " + text, &data));
  return data;
}

TEST(FormatSettingsTest, EachGoesWithItsFormats) {
  const struct {
    const char* text;
    std::vector<v1::Data::Format> formats;
  } settings[] = {{"train_labels: \"y\"", {v1::Data::IDX}},
                  {"validation { path: \"v\" labels: \"y\" }", {v1::Data::IDX}},
                  {"test { path: \"v\" labels: \"y\" }", {v1::Data::IDX}},
                  {"zero_based: true", {v1::Data::LIBSVM}},
                  {"ids: true", {v1::Data::LIBSVM}},
                  {"fields: 3", {v1::Data::LIBFFM}},
                  {"csv { label: \"y\" }", {v1::Data::CSV, v1::Data::TSV}},
                  {"max_bad_lines: 1", {v1::Data::LIBSVM, v1::Data::LIBFFM, v1::Data::CRITEO}}};
  for (const auto& setting : settings) {
    for (const v1::Data::Format format : {v1::Data::IDX, v1::Data::LIBSVM, v1::Data::LIBFFM,
                                          v1::Data::CSV, v1::Data::TSV, v1::Data::CRITEO}) {
      EXPECT_EQ(CheckFormatSettings(ParseData(setting.text), format).ok(),
                std::ranges::count(setting.formats, format) > 0)
          << setting.text << " " << v1::Data::Format_Name(format);
    }
  }
}

TEST(FormatSettingsTest, WhatChangesNothingIsNoMistake) {
  for (const char* text : {"", "zero_based: false", "ids: false", "max_bad_lines: 0"})
    EXPECT_TRUE(CheckFormatSettings(ParseData(text), v1::Data::IDX).ok()) << text;
}

TEST(FormatSettingsTest, TheMessageNamesBothFormatsAndWhatToSet) {
  EXPECT_THAT(CheckFormatSettings(ParseData("max_bad_lines: 1"), v1::Data::CSV),
              Fails(kInvalid,
                    "data.max_bad_lines is for LIBSVM and LIBFFM and CRITEO files, but x "
                    "is CSV: set data.csv.max_bad_lines"));
  EXPECT_THAT(CheckFormatSettings(ParseData("zero_based: true"), v1::Data::LIBFFM),
              Fails(kInvalid, HasSubstr("data.zero_based is for LIBSVM files, but x is LIBFFM")));
}

}  // namespace
}  // namespace convoy
