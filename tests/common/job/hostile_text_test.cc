// Text that no person would write: an error or a job, but never a crash.
#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/common/job/job_text.h"

namespace convoy {
namespace {

constexpr std::string_view kRichJob = R"(name: "rich" seed: 3
data { format: LIBSVM train: "t" validation { fraction: 0.1 } scale: 1 shuffle: false }
model { mlp { hidden: [64, 32] activation: GELU dropout: 0.5 } classes: 10 }
optimizer {
  adamw { beta1: 0.9 beta2: 0.999 epsilon: 1e-8 weight_decay: 0.01 }
  learning_rate: 0.1 schedule { cosine { final_fraction: .1f } warmup_examples: 100 }
  override < match: "layer1/.*" l2: 0 > override { match: 'b' learning_rate: 1e-4 }
}
training { mode: "ssp:3" epochs: 2, batch_size: 128; nan_policy: SKIP }  # comment
cluster { servers: 2 workers: 2 out_of_order_budget: 2 }
)";

const char* const kPieces[] = {"{",  "}",        "[",  "]",   "<",      ">",
                               ":",  "\"",       "'",  "-",   "1e999",  "nan",
                               "0x", "#",        "\n", "a.b", "mlp",    "\\x",
                               "/*", "override", ",",  ";",   "hidden", "99999999999999999999"};

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  std::string Mutate(std::string text) {
    const size_t changes = 1 + Below(6);
    for (size_t i = 0; i < changes; ++i) Change(&text);
    return text;
  }

 private:
  size_t Below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  void Change(std::string* text) {
    const size_t at = Below(text->size());
    switch (Below(5)) {
      case 0:
        text->insert(at, 1, static_cast<char>(Below(256)));
        return;
      case 1:
        text->erase(at, 1 + Below(20));
        return;
      case 2:
        text->insert(at, kPieces[Below(std::size(kPieces))]);
        return;
      case 3:
        text->insert(at, text->substr(Below(text->size()), Below(60)));
        return;
      default:
        text->resize(at);
    }
  }

  std::mt19937 random_;
};

// A refused text has a message, an accepted one can be resolved, printed and read again.
void Check(const std::string& text, const std::vector<std::string>& overrides) {
  const absl::StatusOr<v1::Job> job = ParseJob(text, "x", overrides);
  if (!job.ok()) {
    EXPECT_EQ(job.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_FALSE(job.status().message().empty());
    return;
  }
  const std::string printed = JobToText(ResolveDefaults(*job));
  EXPECT_TRUE(ParseJob(printed, "x", {}).ok()) << printed;
}

TEST(HostileTextTest, MutatedJobsAreRefusedOrReadButNeverCrash) {
  Mutator mutator(1);
  for (int i = 0; i < 5000; ++i) Check(mutator.Mutate(std::string(kRichJob)), {});
}

TEST(HostileTextTest, MutatedArgumentsAreRefusedOrAppliedButNeverCrash) {
  const std::string arguments[] = {"optimizer.override[1].l2=0.5", "model.mlp.hidden+=1,2",
                                   "optimizer.adam={beta1: 0.5}", "data.train=\"x\"",
                                   "model.custom.parameters[key]=value"};
  Mutator mutator(2);
  for (int i = 0; i < 5000; ++i) {
    Check(std::string(kRichJob), {mutator.Mutate(arguments[i % std::size(arguments)])});
  }
}

TEST(HostileTextTest, DeepNestingDoesNotExhaustTheStack) {
  for (const char* opening : {"a {", "a: [", "data {", "a <", "a: [{", "{", "["}) {
    std::string text;
    while (text.size() < 500000) text += opening;
    EXPECT_FALSE(ErrorsOf(text).empty());
  }
}

TEST(HostileTextTest, RandomBytesAreRefused) {
  std::mt19937 random(3);
  for (int i = 0; i < 1000; ++i) {
    std::string text(random() % 200, '\0');
    for (char& c : text) c = static_cast<char>(random());
    EXPECT_FALSE(ErrorsOf(text).empty());
  }
}

}  // namespace
}  // namespace convoy
