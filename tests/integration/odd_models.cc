// Convoy with model classes that break their contract, and two that keep it, for
// custom_model_test.cc.
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>

#include "launcher/main.h"
#include "tests/testing/launched_children.h"
#include "worker/models/simple_model.h"

namespace convoy {
namespace {

// Predicts one number for everything, by squared error.
class Mean : public SimpleModel {
 public:
  explicit Mean(const ModelInput& input) : SimpleModel(Task::kRegression, 1, input) {
    mean_ = AddVariable("mean", {1}, Initializer::Zeros());
  }

 protected:
  absl::StatusOr<double> Compute(const Batch& batch,
                                 std::span<const std::span<const float>> weights,
                                 std::span<const std::span<float>> gradients,
                                 std::span<float> predictions) override {
    double loss = 0;
    for (size_t i = 0; i < predictions.size(); ++i) {
      predictions[i] = weights[mean_][0];
      if (batch.labels.empty()) continue;
      const float error = predictions[i] - batch.labels[i];
      loss += error * error;
      if (!gradients.empty()) gradients[mean_][0] += 2 * error;
    }
    return loss;
  }

 private:
  size_t mean_ = 0;
};

// From epoch 1 on.
class Throws final : public Mean {
 public:
  using Mean::Mean;
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override {
    if (batch.epoch == 1) throw std::runtime_error("lost its table");
    return Mean::Train(batch, weights, gradients);
  }
};

class ThrowsAnInt final : public Mean {
 public:
  using Mean::Mean;
  absl::StatusOr<BatchOutput> Evaluate(const Batch&, WeightSource&) override { throw 7; }
};

class FewPredictions final : public Mean {
 public:
  using Mean::Mean;
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override {
    auto output = Mean::Train(batch, weights, gradients);
    if (output.ok()) output->predictions = output->predictions.first(1);
    return output;
  }
};

class NoGradients final : public Mean {
 public:
  using Mean::Mean;
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink&) override {
    return Evaluate(batch, weights);
  }
};

// Keeps the contract; each batch reads one row.
class WithTable final : public Mean {
 public:
  using Mean::Mean;
  const std::vector<TableSpec>& tables() const override { return tables_; }
  void AppendIds(const Batch&, int, std::vector<uint64_t>* ids) const override {
    ids->push_back(7);
  }
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override {
    const auto output = Mean::Train(batch, weights, gradients);
    if (!output.ok()) return output;
    gradients.RowGradients(0)[0] = 1;
    if (absl::Status status = gradients.RowsReady(0); !status.ok()) return status;
    return output;
  }

 private:
  const std::vector<TableSpec> tables_ = {{"seen", {{"count", 1, Initializer::Zeros()}}}};
};

class NanLoss final : public Mean {
 public:
  using Mean::Mean;
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override {
    auto output = Mean::Train(batch, weights, gradients);
    if (output.ok()) output->loss = std::numeric_limits<double>::quiet_NaN();
    return output;
  }
};

// From epoch 1 on it ends the process, as libraries do that call exit. Of that the coordinator
// hears nothing: it stands still by then.
class EndsUnheard final : public Mean {
 public:
  using Mean::Mean;
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override {
    if (batch.epoch == 0) return Mean::Train(batch, weights, gradients);
    for (const testing::LaunchedChild& child : testing::LaunchedChildren(getppid())) {
      if (child.role == "coordinator" && testing::Freeze({child.pid})) std::_Exit(7);
    }
    return absl::InternalError("the coordinator can't be stopped");
  }
};

template <typename OddModel>
absl::StatusOr<std::unique_ptr<Model>> Make(const v1::Model&, const ModelInput& input) {
  return std::make_unique<OddModel>(input);
}

absl::StatusOr<std::unique_ptr<Model>> MakeNothing(const v1::Model&, const ModelInput&) {
  throw std::out_of_range("no such layer");
}

}  // namespace
}  // namespace convoy

int main(int argc, char** argv) {
  using namespace convoy;  // NOLINT
  return Main(argc, argv,
              {{"mean", &Make<Mean>},
               {"throws", &Make<Throws>},
               {"throws_an_int", &Make<ThrowsAnInt>},
               {"few_predictions", &Make<FewPredictions>},
               {"no_gradients", &Make<NoGradients>},
               {"nan_loss", &Make<NanLoss>},
               {"ends_unheard", &Make<EndsUnheard>},
               {"with_table", &Make<WithTable>},
               {"unmade", &MakeNothing}});
}
