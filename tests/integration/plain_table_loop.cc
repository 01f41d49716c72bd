#include "tests/integration/plain_table_loop.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <span>

#include "common/math/table.h"
#include "common/optimizers/optimizer.h"
#include "common/optimizers/row_updater.h"
#include "common/optimizers/schedule.h"
#include "worker/data/batches.h"
#include "worker/data/dataset.h"
#include "worker/example_reader.h"
#include "worker/layers/eigen.h"
#include "worker/models/model.h"
#include "worker/row_index.h"
#include "worker/training_data.h"
#include "worker/want_rows.h"

namespace convoy::testing {
namespace {

constexpr uint64_t kPlainSlices = 4;

using Floats = std::vector<float>;
using Sum = std::optional<Floats>;  // nullopt: no gradient

Floats Copy(std::span<const float> values) { return {values.begin(), values.end()}; }

Sum Add(const Sum& a, const Sum& b) {
  if (!a || !b) return a ? a : b;
  Floats sum(a->size());
  for (size_t i = 0; i < sum.size(); ++i) sum[i] = (*a)[i] + (*b)[i];
  return sum;
}
Sum TreeOf4(const std::vector<Sum>& p) { return Add(Add(p[0], p[1]), Add(p[2], p[3])); }

Floats Change(const Floats& before, const Floats& now, float factor) {
  Floats change(now.size());
  for (size_t i = 0; i < now.size(); ++i) change[i] = factor * (now[i] - before[i]);
  return change;
}
void AddTo(Floats* weights, const Floats& sum, float factor) {
  for (size_t i = 0; i < weights->size(); ++i) (*weights)[i] += sum[i] * factor;
}

struct PlainRow {
  Floats weights, slots;
  int64_t updates = 0;
};

// Weights, slots and rows, and the gradients of the last batch.
class Plain final : public WeightSource, public GradientSink {
 public:
  Plain(const Model& model, const v1::Job& job)
      : job_(job), spec_(model.tables()[0]), updater_(*RowUpdater::Create(job.optimizer(), spec_)) {
    for (const VariableSpec& variable : model.variables()) {
      const auto size = static_cast<size_t>(variable.size());
      Floats& values = weights.emplace_back(size);
      InitializeValues(variable, job.seed(), 0, values);
      aligned_.emplace_back(size);
      gradients_.emplace_back(size);
      optimizers_.push_back(*MakeOptimizer(*SettingsFor(job.optimizer(), variable.name)));
      std::vector<Floats>& of_variable = slots_.emplace_back();
      for (int s = 0; s < optimizers_.back()->num_slots(); ++s)
        of_variable.emplace_back(size, optimizers_.back()->initial_slot_value(s));
    }
  }

  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    const auto v = static_cast<size_t>(variable);
    std::copy(weights[v].begin(), weights[v].end(), aligned_[v].data());
    return std::span<const float>(aligned_[v].span());
  }
  std::span<float> Gradient(int variable) override {
    return gradients_[static_cast<size_t>(variable)].span();
  }
  absl::Status Ready(int, int64_t, int64_t) override { return absl::OkStatus(); }
  absl::Status WantRows(int, std::span<const uint64_t> ids) override {
    index_.Build(ids);
    Floats values;
    for (const uint64_t id : index_.unique()) {
      const Floats row = RowAt(id);
      values.insert(values.end(), row.begin(), row.end());
    }
    row_gradients_ = AlignedBuffer(values.size());
    row_values_ = AlignedBuffer(values.size());
    std::copy(values.begin(), values.end(), row_values_.data());
    return absl::OkStatus();
  }
  absl::StatusOr<TableRows> Rows(int) override {
    return TableRows{row_values_.span(), index_.places(),
                     static_cast<int64_t>(index_.unique().size())};
  }
  std::span<float> RowGradients(int) override { return row_gradients_.span(); }
  absl::Status RowsReady(int) override { return absl::OkStatus(); }

  // Gradients of the last batch.
  Floats DenseGradient(size_t variable) const { return Copy(gradients_[variable].span()); }
  std::map<uint64_t, Floats> RowGradients() const {
    std::map<uint64_t, Floats> result;
    for (size_t i = 0; i < index_.unique().size(); ++i)
      result[index_.unique()[i]] =
          Copy(row_gradients_.span().subspan(i * spec_.dim(), spec_.dim()));
    return result;
  }

  // The row as it reads; no row is made.
  Floats RowAt(uint64_t id) const {
    if (const auto row = rows.find(id); row != rows.end()) return row->second.weights;
    Floats initial(spec_.dim());
    InitializeRow(spec_, job_.seed(), id, initial);
    return initial;
  }
  PlainRow& RowFor(uint64_t id) {
    PlainRow& row = rows[id];
    if (!row.weights.empty()) return row;
    InitializeRow(spec_, job_.seed(), id, (row.weights = Floats(spec_.dim())));
    row.slots.resize(updater_.slot_floats());
    updater_.InitializeSlots(row.slots.data());
    return row;
  }

  // The `update`th update of a variable, or the next one of a row.
  void Update(size_t variable, const Floats& gradient, double factor, int64_t update,
              float inverse) {
    std::vector<float*> slots;
    for (Floats& slot : slots_[variable]) slots.push_back(slot.data());
    Floats& w = weights[variable];
    optimizers_[variable]->Apply(
        {static_cast<float>(job_.optimizer().learning_rate() * factor), update, inverse},
        {gradient.data(), w.data(), w.data(), slots.data(), static_cast<int64_t>(w.size())});
  }
  void Update(uint64_t id, const Floats& gradient, double factor, float inverse) {
    PlainRow& row = RowFor(id);
    updater_.Apply({factor, ++row.updates, inverse}, gradient.data(), row.weights.data(),
                   row.slots.data());
  }

  std::vector<Floats> weights;
  std::map<uint64_t, PlainRow> rows;

 private:
  const v1::Job& job_;
  const TableSpec spec_;
  const RowUpdater updater_;
  std::vector<std::unique_ptr<Optimizer>> optimizers_;
  std::vector<std::vector<Floats>> slots_;
  std::vector<AlignedBuffer> aligned_, gradients_;
  RowIndex index_;
  AlignedBuffer row_values_, row_gradients_;
};

class PlainTraining {
 public:
  explicit PlainTraining(const v1::Job& job)
      : job_(job), data_(*OpenData(job.data(), job.seed(), nullptr)) {
    ConfigureEigen();
    ModelInput input;
    input.features = data_.train->features();
    input.sparse = data_.train->sparse();
    input.fields = data_.train->fields();
    input.classes = 2;
    input.seed = job.seed();
    model_ = *MakeModel(job.model(), input, {});
    training_.emplace(*MakeTrainingData(job, *data_.train, *model_));
    reader_.emplace(&*training_);
    plain_.emplace(*model_, job);
    EXPECT_EQ(job.training().slices(), kPlainSlices);
  }

  PlainModel ByGradients() {
    uint64_t seen = 0;
    for (uint64_t step = 0; step < job_.training().epochs() * StepsPerEpoch(n(), batch_size());
         ++step) {
      const EpochRange batch = BatchRange(step, n(), batch_size());
      BeginSums();
      for (uint64_t slice = 0; slice < kPlainSlices; ++slice) {
        Compute(batch.epoch, SlicePositions(slice, kPlainSlices, batch.positions), *plain_);
        for (size_t v = 0; v < dense_.size(); ++v) dense_[v][slice] = plain_->DenseGradient(v);
        for (const auto& [id, gradient] : plain_->RowGradients()) OfRow(id)[slice] = gradient;
      }
      const double factor = Factor(seen);
      const float inverse = Inverse(batch.positions.size());
      for (size_t v = 0; v < dense_.size(); ++v)
        plain_->Update(v, *TreeOf4(dense_[v]), factor, static_cast<int64_t>(step + 1), inverse);
      for (const auto& [id, parts] : sparse_) plain_->Update(id, *TreeOf4(parts), factor, inverse);
      seen += batch.positions.size();
    }
    return Result();
  }

  PlainModel ByAverages(uint64_t local_steps) {
    const uint64_t size = batch_size() * local_steps;
    for (uint64_t round = 0; round < job_.training().epochs() * StepsPerEpoch(n(), size); ++round) {
      const EpochRange examples = BatchRange(round, n(), size);
      BeginSums();
      for (uint64_t slice = 0; slice < kPlainSlices; ++slice) LocalRound(examples, slice);
      const float inverse = Inverse(examples.positions.size());
      for (size_t v = 0; v < dense_.size(); ++v)
        AddTo(&plain_->weights[v], *TreeOf4(dense_[v]), inverse);
      for (const auto& [id, parts] : sparse_)
        AddTo(&plain_->RowFor(id).weights, *TreeOf4(parts), inverse);
    }
    return Result();
  }

 private:
  uint64_t n() const { return training_->epoch_size(); }
  uint64_t batch_size() const { return job_.training().batch_size(); }
  double Factor(uint64_t seen) const {
    return ScheduleFactor(job_.optimizer().schedule(), seen, n(), job_.training().epochs() * n());
  }
  static float Inverse(uint64_t examples) {
    return static_cast<float>(1.0 / static_cast<double>(examples));
  }

  void BeginSums() {
    dense_.assign(model_->variables().size(), std::vector<Sum>(kPlainSlices));
    sparse_.clear();
  }
  std::vector<Sum>& OfRow(uint64_t id) {
    std::vector<Sum>& parts = sparse_[id];
    parts.resize(kPlainSlices);
    return parts;
  }

  void Compute(uint64_t epoch, const Range& positions, Plain& parameters) {
    Batch examples;
    std::vector<uint64_t> ids;
    EXPECT_TRUE(reader_->Read(epoch, positions, &examples).ok());
    EXPECT_TRUE(WantRowsOf(*model_, examples, parameters, &ids).ok());
    EXPECT_TRUE(model_->Train(examples, parameters, parameters).ok());
  }

  // Steps of a copy with new slots; what they change, times their examples, is the slice's part.
  void LocalRound(const EpochRange& round, uint64_t slice) {
    Plain local(*model_, job_);
    local.weights = plain_->weights;
    std::map<uint64_t, Floats> read;
    int64_t updates = 0;
    uint64_t counted = 0;
    for (uint64_t begin = round.positions.begin; begin < round.positions.end;
         begin += batch_size()) {
      const Range batch{begin, std::min(begin + batch_size(), round.positions.end)};
      const Range part = SlicePositions(slice, kPlainSlices, batch);
      if (part.empty()) continue;
      ReadRows(round.epoch, part, &local, &read);
      Compute(round.epoch, part, local);
      const double factor = Factor(round.epoch * n() + part.begin);
      const float inverse = Inverse(part.size());
      ++updates;
      for (size_t v = 0; v < dense_.size(); ++v)
        local.Update(v, local.DenseGradient(v), factor, updates, inverse);
      for (const auto& [id, gradient] : local.RowGradients())
        local.Update(id, gradient, factor, inverse);
      counted += part.size();
    }
    if (counted == 0) return;
    const auto times = static_cast<float>(counted);
    for (size_t v = 0; v < dense_.size(); ++v)
      dense_[v][slice] = Change(plain_->weights[v], local.weights[v], times);
    for (const auto& [id, before] : read) OfRow(id)[slice] = Change(before, local.RowAt(id), times);
  }

  // Rows of the part that the round has not read yet begin where the common ones are.
  void ReadRows(uint64_t epoch, const Range& part, Plain* local, std::map<uint64_t, Floats>* read) {
    Batch examples;
    std::vector<uint64_t> ids;
    EXPECT_TRUE(reader_->Read(epoch, part, &examples).ok());
    model_->AppendIds(examples, 0, &ids);
    for (const uint64_t id : ids) {
      if (!read->emplace(id, plain_->RowAt(id)).second) continue;
      local->RowFor(id).weights = (*read)[id];
    }
  }

  PlainModel Result() const {
    PlainModel result;
    for (const VariableSpec& variable : model_->variables()) result.names.push_back(variable.name);
    result.variables = plain_->weights;
    for (const auto& [id, row] : plain_->rows) result.rows[id] = row.weights;
    return result;
  }

  const v1::Job& job_;
  const DataSets data_;
  std::unique_ptr<Model> model_;
  std::optional<TrainingData> training_;
  std::optional<ExampleReader> reader_;
  std::optional<Plain> plain_;
  std::vector<std::vector<Sum>> dense_;          // of the step, by variable and slice
  std::map<uint64_t, std::vector<Sum>> sparse_;  // of the step, by id and slice
};

}  // namespace

PlainModel TrainByGradients(const v1::Job& job) { return PlainTraining(job).ByGradients(); }

PlainModel TrainByAverages(const v1::Job& job, uint64_t local_steps) {
  return PlainTraining(job).ByAverages(local_steps);
}

}  // namespace convoy::testing
