// A batch whose slices or parts are computed by several threads, for tests of ParallelGradients.
#ifndef CONVOY_TESTS_WORKER_PARALLEL_GRADIENTS_FIXTURE_H_
#define CONVOY_TESTS_WORKER_PARALLEL_GRADIENTS_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "common/placement/placement.h"
#include "tests/worker/one_weight.h"
#include "worker/models/checked_model.h"
#include "worker/parallel_gradients.h"

namespace convoy {

// Example i has the features 0.1 i + j / 7 and the label i % 3.
class Ramp final : public Dataset {
 public:
  static constexpr int64_t kFeatures = 5, kExamples = 40;

  int64_t size() const override { return kExamples; }
  int64_t features() const override { return kFeatures; }
  bool sparse() const override { return false; }
  ExampleShape example_shape() const override { return {1, 1, kFeatures}; }
  uint64_t fingerprint() const override { return 1; }
  bool has_labels() const override { return true; }
  float label(int64_t i) const override { return static_cast<float>(i % 3); }
  void Read(std::span<const uint32_t> indices, Batch* batch) const override {
    batch->size = static_cast<int64_t>(indices.size());
    batch->features = kFeatures;
    batch->dense.Reserve(indices.size() * kFeatures);
    batch->labels.clear();
    batch->examples.assign(indices.begin(), indices.end());
    for (size_t i = 0; i < indices.size(); ++i) {
      batch->labels.push_back(label(indices[i]));
      for (size_t j = 0; j < kFeatures; ++j) {
        batch->dense[i * kFeatures + j] =
            0.1f * static_cast<float>(indices[i]) + static_cast<float>(j) / 7;
      }
    }
  }
};

// What labels of 2 do in a model of MakeLabelModel.
enum class AtLabel2 { kNothing, kThrow, kInfinity };

// One variable of more than one block whose gradient is, in every element, the sum of the labels;
// labels of 2 throw, or make it infinite.
inline std::unique_ptr<Model> MakeLabelModel(AtLabel2 at) {
  return std::make_unique<SumModel>(kBlockElements + 10, [at](const Batch& batch, size_t i) {
    const bool is_2 = batch.labels[i] == 2;
    if (is_2 && at == AtLabel2::kThrow) throw std::runtime_error("no label 2");
    return is_2 && at == AtLabel2::kInfinity ? std::numeric_limits<float>::infinity()
                                             : batch.labels[i];
  });
}

// Weights that the seed gives.
class InitialWeights final : public WeightSource {
 public:
  explicit InitialWeights(const std::vector<VariableSpec>& variables) {
    for (const VariableSpec& variable : variables) {
      values_.emplace_back(static_cast<size_t>(variable.size()));
      InitializeValues(variable, /*seed=*/3, 0, values_.back().span());
    }
  }
  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    return std::as_const(values_[static_cast<size_t>(variable)]).span();
  }

 private:
  std::vector<AlignedBuffer> values_;
};

// A gradient, and which pieces of it were reported.
class RecordedSink final : public GradientSink {
 public:
  std::span<float> Gradient(int variable) override {
    values[variable].resize(2 * kBlockElements);
    return std::span(values[variable]).first(static_cast<size_t>(sizes[variable]));
  }
  absl::Status Ready(int variable, int64_t begin, int64_t end) override {
    pieces.push_back({variable, begin, end});
    return absl::OkStatus();
  }

  std::map<int, int64_t> sizes;
  std::map<int, std::vector<float>> values;
  std::vector<std::vector<int64_t>> pieces;
};

class ParallelGradientsTest : public ::testing::Test {
 protected:
  void MakeMlps(size_t threads) {
    v1::Model config;
    config.mutable_mlp()->add_hidden(7);
    config.mutable_mlp()->set_dropout(0.3);
    ModelInput input;
    input.features = Ramp::kFeatures;
    input.shape = data_.example_shape();
    input.classes = 3;
    Make(threads, [&] { return *MakeModel(config, input, {}); });
  }

  void MakeLabelModels(size_t threads, AtLabel2 at) {
    const ModelRegistration registration{
        "label", [at](const v1::Model&, const ModelInput&) { return MakeLabelModel(at); }};
    Make(threads, [&] { return *MakeCheckedModel(registration, {}, {}); });
  }

  void Make(size_t threads, const std::function<std::unique_ptr<Model>()>& make) {
    threads_ = *ComputeThreads::Start(threads);
    owned_.clear();
    models_.clear();
    for (size_t i = 0; i < threads; ++i) models_.push_back(owned_.emplace_back(make()).get());
    training_.examples = &data_;
    training_.model = models_[0];
    training_.shuffle = false;
    weights_ = std::make_unique<InitialWeights>(models_[0]->variables());
  }

  ParallelGradients Gradients(ParallelGradients::Options options = {}) {
    return ParallelGradients(threads_.get(), models_, &training_, std::move(options));
  }

  absl::Status ComputeSlices(ParallelGradients& gradients, uint32_t first, size_t parts,
                             uint32_t slices) {
    return gradients.Run(parts, *weights_,
                         [&](size_t part, ParallelGradients::Slot& slot, WeightSource& weights) {
                           return gradients.Gradient(
                               0, SliceRange(first + part, slices, Ramp::kExamples), slot, weights);
                         });
  }

  RecordedSink Sink() const {
    RecordedSink sink;
    for (size_t v = 0; v < models_[0]->variables().size(); ++v) {
      sink.sizes[static_cast<int>(v)] = models_[0]->variables()[v].size();
    }
    return sink;
  }

  // Gradient of variable 0 over slice `slice`, computed by one model alone.
  std::vector<float> Alone(uint32_t slice, uint32_t slices) {
    ExampleReader reader(&training_);
    Batch batch;
    EXPECT_TRUE(reader.Read(0, SliceRange(slice, slices, Ramp::kExamples), &batch).ok());
    RecordedSink sink = Sink();
    EXPECT_TRUE(models_[0]->Train(batch, *weights_, sink).ok());
    return First(sink);
  }

  static std::vector<float> First(const RecordedSink& sink) {
    const std::vector<float>& values = sink.values.at(0);
    return {values.begin(), values.begin() + sink.sizes.at(0)};
  }

  static std::vector<float> Sum(std::vector<float> left, const std::vector<float>& right) {
    for (size_t i = 0; i < left.size(); ++i) left[i] += right[i];
    return left;
  }

  const Ramp data_{};
  TrainingData training_;
  std::unique_ptr<ComputeThreads> threads_;
  std::vector<std::unique_ptr<Model>> owned_;
  std::vector<Model*> models_;
  std::unique_ptr<InitialWeights> weights_;
};

}  // namespace convoy

#endif  // CONVOY_TESTS_WORKER_PARALLEL_GRADIENTS_FIXTURE_H_
