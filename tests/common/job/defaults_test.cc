#include "common/job/defaults.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/common/job/job_text.h"

namespace convoy {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Paths of scalar fields with a default in the schema that are not set.
void CollectUnset(const Message& message, const std::string& path, std::vector<std::string>* out) {
  const google::protobuf::Reflection* reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (field->is_repeated()) continue;
    const std::string field_path = absl::StrCat(path, ".", field->name());
    const bool present = reflection->HasField(message, field);
    if (field->has_default_value() && !present) out->push_back(field_path);
    if (field->message_type() != nullptr && present) {
      CollectUnset(reflection->GetMessage(message, field), field_path, out);
    }
  }
}

std::vector<std::string> UnsetDefaults(const v1::Job& job) {
  std::vector<std::string> unset;
  CollectUnset(job, "job", &unset);
  return unset;
}

TEST(ResolveDefaultsTest, EveryScalarWithADefaultIsSpelledOut) {
  const char* const kinds[] = {
      "linear_regression {}", "logistic_regression {}", "softmax_regression {}",    "mlp {}",
      "conv_net {}",          "sparse_logistic {}",     "factorization_machine {}", "deep_fm {}",
      "wide_and_deep {}",     "matrix_factorization {}"};
  const char* const algorithms[] = {"",           "sgd {}",  "momentum {}", "nesterov {}",
                                    "adagrad {}", "adam {}", "rmsprop {}",  "adamw {}",
                                    "ftrl {}"};
  const char* const schedules[] = {"", "constant {}", "step {}", "exponential {}", "cosine {}"};
  for (const char* kind : kinds) {
    for (const char* algorithm : algorithms) {
      for (const char* schedule : schedules) {
        const v1::Job job =
            Parsed(absl::StrCat("data { train: 'x' } model { ", kind, " } optimizer { ", algorithm,
                                " schedule { ", schedule, " } }"));
        EXPECT_THAT(UnsetDefaults(ResolveDefaults(job)), IsEmpty());
      }
    }
  }
}

TEST(ResolveDefaultsTest, ParametersOfAnOverridesAlgorithmAreSpelledOut) {
  const v1::Job job = ResolveDefaults(
      Parsed(SmallJobAnd("optimizer { override { match: 'a' adam { beta1: 0.5 } } }")));
  const v1::Override& entry = job.optimizer().override(0);
  EXPECT_EQ(entry.adam().beta1(), 0.5);
  EXPECT_TRUE(entry.adam().has_beta2());
  EXPECT_FALSE(entry.has_l1());  // as in optimizer
}

TEST(ResolveDefaultsTest, ChoicesAreMadeWhereThereAreNone) {
  const v1::Job job = ResolveDefaults(Parsed(kSmallJob));
  EXPECT_EQ(job.name(), "x");
  EXPECT_TRUE(job.optimizer().has_sgd());
  EXPECT_TRUE(job.optimizer().schedule().has_constant());
  EXPECT_THAT(job.model().mlp().hidden(), ElementsAre(128));
  EXPECT_EQ(job.data().format(), v1::Data::AUTO);
  EXPECT_FALSE(job.data().has_validation());
}

TEST(ResolveDefaultsTest, ConvNetGetsItsChannels) {
  const v1::Job job = ResolveDefaults(Parsed("data { train: 'x' } model { conv_net {} }"));
  EXPECT_THAT(job.model().conv_net().channels(), ElementsAre(8, 16));
}

TEST(ResolveDefaultsTest, DeepModelsGetTheirLayers) {
  const auto resolved = [](const std::string& model) {
    return ResolveDefaults(Parsed("data { train: 'x' } model { " + model + " }")).model();
  };
  EXPECT_THAT(resolved("deep_fm {}").deep_fm().hidden(), ElementsAre(128, 64));
  EXPECT_THAT(resolved("wide_and_deep {}").wide_and_deep().hidden(), ElementsAre(128, 64));
  EXPECT_THAT(resolved("deep_fm { hidden: 7 }").deep_fm().hidden(), ElementsAre(7));
}

TEST(ResolveDefaultsTest, SlicesAreTheThreadsOfAllWorkersUnlessGiven) {
  EXPECT_EQ(ResolveDefaults(Parsed(SmallJobAnd("cluster { workers: 3 threads_per_worker: 2 }")))
                .training()
                .slices(),
            6u);
  EXPECT_EQ(ResolveDefaults(Parsed(SmallJobAnd("cluster { workers: 3 }"))).training().slices(), 3u);
  EXPECT_EQ(ResolveDefaults(Parsed(SmallJobAnd("cluster { workers: 3 } training { slices: 8 }")))
                .training()
                .slices(),
            8u);
}

TEST(ResolveDefaultsTest, LabelsOfIdxImagesAreDerivedFromTheirName) {
  const v1::Job job =
      ResolveDefaults(Parsed("data { train: 'images-idx3/train-images-idx3-ubyte.gz'\n"
                             "  validation { path: 't10k-images-idx3-ubyte' }\n"
                             "  test { path: 'c-images-idx3' } } model { mlp {} }"));
  EXPECT_EQ(job.data().train_labels(), "/jobs/images-idx3/train-labels-idx1-ubyte.gz");
  EXPECT_EQ(job.data().validation().labels(), "/jobs/t10k-labels-idx1-ubyte");
  EXPECT_EQ(job.data().test().path(), "/jobs/c-images-idx3");
  EXPECT_EQ(job.data().test().labels(), "/jobs/c-labels-idx1");
}

TEST(ResolveDefaultsTest, LabelsAreNotDerivedForLibsvmOrOtherNames) {
  const v1::Job libsvm =
      ResolveDefaults(Parsed("data { train: 'a-images-idx3' format: LIBSVM } model { mlp {} }"));
  EXPECT_FALSE(libsvm.data().has_train_labels());
  EXPECT_FALSE(ResolveDefaults(Parsed(kSmallJob)).data().has_train_labels());
}

TEST(ResolveDefaultsTest, WhatTheUserWroteStays) {
  const v1::Job job = ResolveDefaults(
      Parsed("name: 'mine' seed: 0 data { train: 'x' shuffle: false train_labels: 'y' }\n"
             "model { mlp { hidden: [7, 5] dropout: 0 } classes: 4 }\n"
             "optimizer { nesterov { momentum: 0 } schedule { cosine { over_examples: 9 } } }\n"
             "training { validate_every_epochs: 0 report_every_steps: 3 }"));
  EXPECT_EQ(job.name(), "mine");
  EXPECT_EQ(job.seed(), 0u);
  EXPECT_FALSE(job.data().shuffle());
  EXPECT_EQ(job.data().train_labels(), "/jobs/y");
  EXPECT_THAT(job.model().mlp().hidden(), ElementsAre(7, 5));
  EXPECT_EQ(job.optimizer().nesterov().momentum(), 0);
  EXPECT_EQ(job.optimizer().schedule().cosine().over_examples(), 9u);
  EXPECT_EQ(job.training().validate_every_epochs(), 0u);
  EXPECT_EQ(job.training().report_every_steps(), 3u);
}

TEST(ResolveDefaultsTest, WhatDependsOnTheDataStaysUnset) {
  const v1::Job job = ResolveDefaults(Parsed(SmallJobAnd("optimizer { schedule { step {} } }")));
  EXPECT_FALSE(job.data().has_scale());
  EXPECT_FALSE(job.data().has_features());
  EXPECT_FALSE(job.data().has_cache_dir());
  EXPECT_FALSE(job.model().has_classes());
  EXPECT_FALSE(job.training().has_report_every_steps());
  EXPECT_FALSE(job.optimizer().schedule().step().has_every_examples());
}

TEST(ResolveDefaultsTest, ResolvingTwiceChangesNothing) {
  const v1::Job once = ResolveDefaults(Parsed(kSmallJob));
  EXPECT_TRUE(MessageDifferencer::Equals(once, ResolveDefaults(once)));
}

}  // namespace
}  // namespace convoy
