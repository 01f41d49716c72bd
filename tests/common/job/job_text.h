// Job texts for tests.
#ifndef CONVOY_TESTS_COMMON_JOB_JOB_TEXT_H_
#define CONVOY_TESTS_COMMON_JOB_JOB_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

#include "common/job/job_file.h"

namespace convoy {

// A job with nothing but what is required, in two lines.
inline constexpr std::string_view kSmallJob =
    "data { train: \"train.libsvm\" }\n"
    "model { mlp {} }\n";

// kSmallJob with more lines: `more` begins in line 3.
inline std::string SmallJobAnd(std::string_view more) {
  return std::string(kSmallJob).append(more);
}

// The job of a text that has no errors, in the file /jobs/x.textproto.
inline v1::Job Parsed(std::string_view text, const std::vector<std::string>& overrides = {}) {
  return ParseJob(text, "/jobs/x.textproto", overrides).value();
}

// What is wrong with the text in the file "x.textproto"; empty: nothing.
inline std::string ErrorsOf(std::string_view text, const std::vector<std::string>& overrides = {}) {
  return std::string(ParseJob(text, "x.textproto", overrides).status().message());
}

}  // namespace convoy

#endif  // CONVOY_TESTS_COMMON_JOB_JOB_TEXT_H_
