// A variable of a few elements with the slots of its optimizer, and updates of it.
#ifndef CONVOY_TESTS_COMMON_OPTIMIZERS_OPTIMIZER_FIXTURE_H_
#define CONVOY_TESTS_COMMON_OPTIMIZERS_OPTIMIZER_FIXTURE_H_

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/optimizers/optimizer.h"

namespace convoy {

// The optimizer of a job whose section `optimizer` is `text`.
inline std::unique_ptr<Optimizer> OptimizerFromText(const std::string& text) {
  v1::Optimizer config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config)) << text;
  const auto settings = SettingsFor(config, "w");
  EXPECT_TRUE(settings.ok()) << settings.status();
  auto optimizer = MakeOptimizer(*settings);
  EXPECT_TRUE(optimizer.ok()) << optimizer.status();
  return *std::move(optimizer);
}

class TestVariable {
 public:
  TestVariable(const Optimizer& optimizer, std::vector<float> weights)
      : weights_(std::move(weights)) {
    for (int slot = 0; slot < optimizer.num_slots(); ++slot) {
      slots_.emplace_back(weights_.size(), optimizer.initial_slot_value(slot));
    }
  }

  // One update in place by a gradient that is a sum over 1 / inverse_count examples.
  void Update(const Optimizer& optimizer, float learning_rate, const std::vector<float>& gradient,
              float inverse_count = 1) {
    std::vector<float*> slots;
    for (auto& slot : slots_) slots.push_back(slot.data());
    optimizer.Apply({learning_rate, ++updates_, inverse_count},
                    {gradient.data(), weights_.data(), weights_.data(), slots.data(),
                     static_cast<int64_t>(weights_.size())});
  }

  const std::vector<float>& weights() const { return weights_; }
  const std::vector<std::vector<float>>& slots() const { return slots_; }
  float weight() const { return weights_.at(0); }
  float slot(size_t index) const { return slots_.at(index).at(0); }

  bool operator==(const TestVariable&) const = default;

 private:
  std::vector<float> weights_;
  std::vector<std::vector<float>> slots_;
  int64_t updates_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_TESTS_COMMON_OPTIMIZERS_OPTIMIZER_FIXTURE_H_
