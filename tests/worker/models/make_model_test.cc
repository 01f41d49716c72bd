#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "worker/models/model.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

ModelInput Input() {
  ModelInput input;
  input.features = 16;
  input.shape = {4, 4, 1};
  input.classes = 3;
  return input;
}

std::string ModelRefusal(const v1::Model& config, const ModelInput& input,
                         std::vector<ModelRegistration> custom = {}) {
  const auto model = MakeModel(config, input, custom);
  EXPECT_EQ(model.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(model.status().message());
}

ModelRegistration Softmax(std::string name) {
  return {std::move(name), [](const v1::Model&, const ModelInput& input) {
            v1::Model softmax;
            softmax.mutable_softmax_regression();
            return MakeModel(softmax, input, {});
          }};
}

TEST(MakeModelTest, MakesEveryKind) {
  v1::Model config;
  config.mutable_linear_regression();
  EXPECT_EQ((*MakeModel(config, Input(), {}))->task(), Model::Task::kRegression);
  config.mutable_logistic_regression();
  EXPECT_EQ((*MakeModel(config, Input(), {}))->task(), Model::Task::kBinary);
  config.mutable_softmax_regression();
  EXPECT_EQ((*MakeModel(config, Input(), {}))->task(), Model::Task::kMulticlass);
  config.mutable_mlp();
  EXPECT_EQ((*MakeModel(config, Input(), {}))->variables()[0].name, "layer1/weight");
  config.mutable_conv_net();
  EXPECT_EQ((*MakeModel(config, Input(), {}))->variables()[0].name, "conv1/weight");
}

// Whether tables and variables have the names that optimizer settings refer to.
TEST(MakeModelTest, MakesEveryKindWithTables) {
  ModelInput input;  // the data know no number of features
  input.sparse = true;
  const auto names = [&](const v1::Model& config) {
    std::vector<std::string> list;
    const auto model = MakeModel(config, input, {});
    EXPECT_TRUE(model.ok()) << model.status();
    for (const VariableSpec& variable : (*model)->variables()) list.push_back(variable.name);
    for (const TableSpec& table : (*model)->tables()) {
      for (const ColumnRange& range : table.ranges) {
        list.push_back(table.name + "/" + range.name + " " + std::to_string(range.size));
      }
    }
    return list;
  };
  using ::testing::ElementsAre;
  v1::Model config;
  config.mutable_sparse_logistic();
  EXPECT_THAT(names(config), ElementsAre("bias", "weight/weight 1"));
  EXPECT_EQ((*MakeModel(config, input, {}))->task(), Model::Task::kBinary);
  config.mutable_factorization_machine();
  EXPECT_THAT(names(config), ElementsAre("bias", "rows/weight 1", "rows/factors 8"));
  config.mutable_factorization_machine()->set_task(v1::FactorizationMachine::SQUARED);
  EXPECT_EQ((*MakeModel(config, input, {}))->task(), Model::Task::kRegression);
  config.mutable_deep_fm();
  EXPECT_THAT(names(config),
              ElementsAre("layer1/weight", "layer1/bias", "layer2/weight", "layer2/bias",
                          "head/weight", "head/bias", "rows/weight 1", "rows/factors 8"));
  config.mutable_wide_and_deep()->add_hidden(3);
  EXPECT_THAT(names(config), ElementsAre("layer1/weight", "layer1/bias", "head/weight", "head/bias",
                                         "wide/weight 1", "deep/embedding 8"));
  config.mutable_matrix_factorization();
  EXPECT_THAT(names(config), ElementsAre("bias", "user/bias 1", "user/factors 20", "item/bias 1",
                                         "item/factors 20"));
  EXPECT_EQ((*MakeModel(config, input, {}))->task(), Model::Task::kRegression);
}

TEST(MakeModelTest, ClassesOfTheJobReplaceThoseOfTheData) {
  v1::Model config;
  config.mutable_softmax_regression();
  config.set_classes(7);
  const auto model = *MakeModel(config, Input(), {});
  EXPECT_EQ(model->outputs(), 7);
  float mapped = 0;
  EXPECT_TRUE(model->CheckLabel(6, &mapped).ok());
  EXPECT_THAT(std::string(model->CheckLabel(7, &mapped).message()),
              HasSubstr("got 7, want a class number, an integer from 0 to 6"));
}

TEST(MakeModelTest, CustomModelsAreFoundByName) {
  v1::Model config;
  config.mutable_custom()->set_name("mine");
  const auto model = MakeModel(config, Input(), std::vector{Softmax("other"), Softmax("mine")});
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model)->outputs(), 3);
}

TEST(MakeModelTest, UnknownCustomNameListsThoseThatThereAre) {
  v1::Model config;
  config.mutable_custom()->set_name("mien");
  EXPECT_THAT(ModelRefusal(config, Input(), {Softmax("mine"), Softmax("other")}),
              HasSubstr("\"mien\"; there are \"mine\", \"other\""));
  EXPECT_THAT(ModelRefusal(config, Input()), HasSubstr("has registered none"));
}

TEST(MakeModelTest, FactoryThatReturnsNothingIsAnError) {
  v1::Model config;
  config.mutable_custom()->set_name("mine");
  const std::vector<ModelRegistration> custom = {
      {"mine", [](const v1::Model&, const ModelInput&) { return std::unique_ptr<Model>(); }}};
  EXPECT_EQ(MakeModel(config, Input(), custom).status().code(), absl::StatusCode::kInternal);
}

TEST(MakeModelTest, KindMustBeGivenAndFitTheData) {
  EXPECT_THAT(ModelRefusal({}, Input()), HasSubstr("no kind is given"));
  v1::Model config;
  config.mutable_conv_net();
  ModelInput vectors = Input();
  vectors.shape = {1, 1, 16};
  EXPECT_THAT(ModelRefusal(config, vectors), HasSubstr("needs images"));
  config.mutable_mlp();
  EXPECT_THAT(ModelRefusal(config, ModelInput{}), HasSubstr("0 features"));
  ModelInput one_class = Input();
  one_class.classes = 1;
  EXPECT_THAT(ModelRefusal(config, one_class), HasSubstr("got 1 classes"));
}

}  // namespace
}  // namespace convoy
