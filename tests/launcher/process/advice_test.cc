#include "launcher/process/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace convoy {
namespace {

using ::testing::HasSubstr;

// Of a job that had 9,000,000 examples before it went on.
std::string Summary(int servers, double compute_seconds, int new_examples = 1'000'000) {
  return "{\"servers\": " + std::to_string(servers) +
         ", \"examples\": " + std::to_string(9'000'000 + new_examples) +
         ", \"new_examples\": " + std::to_string(new_examples) +
         ", \"examples_per_second\": 100000, \"wall_seconds\": 100" +
         ", \"compute_seconds\": " + std::to_string(compute_seconds) + "}";
}

TEST(AdviceTest, OneProcessIsAdvisedWhereItsComputingAloneIsClearlyShorterThanTheRun) {
  // 1,000,000 examples in 5 s of computing: 200,000 examples/s, twice what was reached.
  const std::string advice = SingleProcessAdvice(Summary(2, 5), "convoy train job.textproto");
  EXPECT_THAT(advice, HasSubstr("at most 200000 examples/s,\nbecause the model's own computing "
                                "took 5.00 s, instead of 100000."));
  EXPECT_THAT(advice, HasSubstr("convoy train job.textproto --mode single"));
}

TEST(AdviceTest, NothingIsSaidWhereManyProcessesPay) {
  EXPECT_EQ(SingleProcessAdvice(Summary(2, 7), "convoy train x"),
            "");  // 142,857/s: not clearly faster
  EXPECT_EQ(SingleProcessAdvice(Summary(2, 20), "convoy train x"), "");
}

TEST(AdviceTest, NothingIsSaidOfModelsWhoseRowsTakeTheTime) {
  nlohmann::json summary = nlohmann::json::parse(Summary(2, 5));
  summary["processes"] = {{{"role", "server"}, {"table_rows", 3824}}};
  EXPECT_EQ(SingleProcessAdvice(summary.dump(), "convoy train x"), "");
}

TEST(AdviceTest, NothingIsSaidWhereLostProcessesHaveComputed) {
  for (const char* lost : {"restarts", "workers_replaced"}) {
    nlohmann::json summary = nlohmann::json::parse(Summary(2, 5));
    summary[lost] = 1;
    EXPECT_EQ(SingleProcessAdvice(summary.dump(), "convoy train x"), "") << lost;
  }
}

TEST(AdviceTest, NothingIsSaidOfOneProcessOfShortRunsAndOfDamagedSummaries) {
  EXPECT_EQ(SingleProcessAdvice(Summary(0, 5), "convoy train x"), "");
  EXPECT_EQ(SingleProcessAdvice(Summary(2, 0.05, 10'000), "convoy train x"), "");
  EXPECT_EQ(SingleProcessAdvice("{\"servers\": 2}", "convoy train x"), "");
  EXPECT_EQ(SingleProcessAdvice("[", "convoy train x"), "");
}

}  // namespace
}  // namespace convoy
