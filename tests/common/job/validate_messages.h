// What Validate says of small jobs.
#ifndef CONVOY_TESTS_COMMON_JOB_VALIDATE_MESSAGES_H_
#define CONVOY_TESTS_COMMON_JOB_VALIDATE_MESSAGES_H_

#include <string>
#include <vector>

#include "common/job/validate.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace convoy {

inline v1::Job Job(const std::string& text) {
  v1::Job job;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &job)) << text;
  return job;
}

// Messages about a small, valid job with `text` merged into it.
inline std::vector<std::string> MessagesWith(const std::string& text) {
  v1::Job job = Job("data { train: 'x' } model { mlp {} }");
  EXPECT_TRUE(google::protobuf::TextFormat::MergeFromString(text, &job)) << text;
  std::vector<std::string> messages;
  for (const Violation& violation : Validate(job)) messages.push_back(violation.message);
  return messages;
}

}  // namespace convoy

#endif  // CONVOY_TESTS_COMMON_JOB_VALIDATE_MESSAGES_H_
