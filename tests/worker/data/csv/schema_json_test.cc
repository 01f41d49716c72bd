#include "worker/data/csv/schema_json.h"

#include "absl/strings/str_replace.h"
#include "tests/worker/data/csv/csv_text.h"

namespace convoy {
namespace {

using ::convoy::testing::Fails;
using ::convoy::testing::kInvalid;
using ::convoy::testing::Learn;
using ::convoy::testing::ReadWholeFile;
using ::testing::HasSubstr;

// What stands between ```NAME and ``` on the page.
std::string Block(const std::string& page, const std::string& name) {
  const size_t begin = page.find("```" + name + "\n");
  if (begin == std::string::npos) return "no block " + name;
  const size_t text = begin + name.size() + 4;
  return page.substr(text, page.find("```", text) - text);
}

// The worked example of docs/csv.md is the golden file of the format.
TEST(SchemaJsonTest, TheExampleOfTheDocumentationIsWhatIsLearntAndWritten) {
  const std::string page = ReadWholeFile(std::string(CONVOY_DOCS) + "/csv.md");
  const auto schema = Learn(Block(page, "csv"), Block(page, "textproto"));
  ASSERT_TRUE(schema.ok()) << schema.status();
  EXPECT_EQ(SchemaToJson(*schema), Block(page, "json"));
}

TEST(SchemaJsonTest, ASchemaIsReadBackBitForBit) {
  const auto schema =
      Learn("x,c,h,y\n0.1,\xC3\xA9,q,a\n0.7,\xC3\xA9,r,b\n,\"two\nlines\",s,b\n",
            "label: 'y' missing_number: INDICATOR column { name: 'h' hash_buckets: 5 }");
  ASSERT_TRUE(schema.ok()) << schema.status();
  const auto again = ParseSchema(SchemaToJson(*schema), "schema.json");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->SerializeAsString(), schema->SerializeAsString());
}

TEST(SchemaJsonTest, WhatIsNoSchemaIsRefused) {
  const std::string json = SchemaToJson(*Learn("x,c,y\n1,a,0\n2,a,1\n", "label: 'y'"));
  const auto changed = [&](const char* from, const char* to) {
    const std::string other = absl::StrReplaceAll(json, {{from, to}});
    EXPECT_NE(other, json) << from;
    return ParseSchema(other, "schema.json").status();
  };
  EXPECT_THAT(ParseSchema("{", "schema.json").status(),
              Fails(kInvalid, HasSubstr("schema.json: no schema")));
  EXPECT_THAT(changed("\"version\": 1", "\"version\": 2"),
              Fails(kInvalid, HasSubstr("version: expected 1, got 2")));
  EXPECT_THAT(changed("\"deviation\": 0.5", "\"deviation\": 0"),
              Fails(kInvalid, HasSubstr("column \"x\": deviation")));
  EXPECT_THAT(changed("\"features\": 2", "\"features\": 3"),
              Fails(kInvalid, HasSubstr("do not follow")));
  EXPECT_THAT(changed("\"name\": \"c\"", "\"name\": \"x\""),
              Fails(kInvalid, HasSubstr("comes twice")));
  EXPECT_THAT(changed("\"number\": 1", "\"number\": 7"),
              Fails(kInvalid, HasSubstr("number must be from 1 to 3")));
  EXPECT_THAT(changed("\"separator\": \",\"", "\"separator\": \"\""),
              Fails(kInvalid, HasSubstr("separator")));
}

}  // namespace
}  // namespace convoy
