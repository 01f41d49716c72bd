// P1 with embedding tables and real processes: whatever the number of servers and workers, `convoy
// train` in mode sync ends with the bits of a plain loop over the same batches and slices, in the
// dense variables and in every row.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/files/safetensors_reader.h"
#include "common/job/defaults.h"
#include "common/job/job_file.h"
#include "common/math/random.h"
#include "common/math/table.h"
#include "common/optimizers/optimizer.h"
#include "common/optimizers/row_updater.h"
#include "common/optimizers/schedule.h"
#include "tests/testing/run_program.h"
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

constexpr uint64_t kExamples = 203, kBatch = 32, kSlices = 4, kEpochs = 2;

// Labels 0 and 1; ids up to 2^62, a third of which come once.
std::string LibffmText() {
  const RandomStream random(3, "libffm");
  std::string text;
  for (uint64_t i = 0; i < kExamples; ++i) {
    absl::StrAppend(&text, random.Below(100 * i, 2));
    for (uint64_t field = 0; field < 4; ++field) {
      const uint64_t id =
          random.Below(100 * i + field + 1, field == 0 ? 1000 : 20) * 4'611'686'018'427 + field;
      absl::StrAppend(&text, " ", field, ":", id, ":", field == 3 ? "0.5" : "1");
    }
    text += "\n";
  }
  return text;
}

std::string JobText() {
  return "seed: 5\n"
         "data { train: \"train.ffm\" cache_dir: \"cache\" validation { fraction: 0.1 } }\n"
         "model { deep_fm { factors: 5 hidden: 6 } }\n"
         "optimizer { adam {} learning_rate: 0.01 schedule { cosine {} }\n"
         "            override { match: \"rows/weight\" ftrl {} learning_rate: 0.1 l1: 0.01 }\n"
         "            override { match: \"rows/factors\" rowwise_adagrad {} } }\n"
         "training { epochs: 2 batch_size: 32 slices: 4 }\n";
}

struct PlainRow {
  std::vector<float> weights, slots;
  int64_t updates = 0;
};
using Gradient = std::vector<float>;
using Sum = std::optional<Gradient>;

Sum Add(const Sum& a, const Sum& b) {
  if (!a || !b) return a ? a : b;
  Gradient sum(a->size());
  for (size_t i = 0; i < sum.size(); ++i) sum[i] = (*a)[i] + (*b)[i];
  return sum;
}

// Weights, rows and gradients of a plain loop.
class Plain final : public WeightSource, public GradientSink {
 public:
  Plain(const Model& model, const v1::Job& job)
      : seed_(job.seed()),
        spec_(model.tables()[0]),
        updater_(*RowUpdater::Create(job.optimizer(), spec_)) {
    for (const VariableSpec& variable : model.variables()) {
      weights.emplace_back(static_cast<size_t>(variable.size()));
      gradients.emplace_back(static_cast<size_t>(variable.size()));
      InitializeValues(variable, seed_, 0, weights.back().span());
    }
  }
  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    return std::span<const float>(weights[static_cast<size_t>(variable)].span());
  }
  std::span<float> Gradient(int variable) override {
    return gradients[static_cast<size_t>(variable)].span();
  }
  absl::Status Ready(int, int64_t, int64_t) override { return absl::OkStatus(); }

  absl::Status WantRows(int, std::span<const uint64_t> ids) override {
    index.Build(ids);
    values_.clear();
    for (const uint64_t id : index.unique()) {
      std::vector<float> row(spec_.dim());
      if (rows.contains(id)) row = rows[id].weights;
      if (!rows.contains(id)) InitializeRow(spec_, seed_, id, row);
      values_.insert(values_.end(), row.begin(), row.end());
    }
    row_gradients = AlignedBuffer(values_.size());
    aligned_ = AlignedBuffer(values_.size());
    std::copy(values_.begin(), values_.end(), aligned_.data());
    return absl::OkStatus();
  }
  absl::StatusOr<TableRows> Rows(int) override {
    return TableRows{aligned_.span(), index.places(), static_cast<int64_t>(index.unique().size())};
  }
  std::span<float> RowGradients(int) override { return row_gradients.span(); }
  absl::Status RowsReady(int) override { return absl::OkStatus(); }

  void Update(uint64_t id, const float* gradient, double factor, float inverse) {
    PlainRow& row = rows[id];
    if (row.weights.empty()) {
      row.weights.resize(spec_.dim());
      row.slots.resize(updater_.slot_floats());
      InitializeRow(spec_, seed_, id, row.weights);
      updater_.InitializeSlots(row.slots.data());
    }
    updater_.Apply({factor, ++row.updates, inverse}, gradient, row.weights.data(),
                   row.slots.data());
  }

  std::vector<AlignedBuffer> weights, gradients;
  RowIndex index;
  AlignedBuffer row_gradients;
  std::map<uint64_t, PlainRow> rows;

 private:
  const uint64_t seed_;
  const TableSpec spec_;
  const RowUpdater updater_;
  std::vector<float> values_;
  AlignedBuffer aligned_;
};

// The schedule of the job: half a cosine over all examples.
double Factor(const v1::Job& job, uint64_t seen, uint64_t n) {
  return ScheduleFactor(job.optimizer().schedule(), seen, n, kEpochs * n);
}

std::unique_ptr<Plain> TrainPlainly(const v1::Job& job, std::vector<std::string>* names) {
  ConfigureEigen();
  const DataSets data = *OpenData(job.data(), job.seed(), nullptr);
  ModelInput input;
  input.features = data.train->features();
  input.sparse = data.train->sparse();
  input.fields = data.train->fields();
  input.classes = 2;
  input.seed = job.seed();
  const std::unique_ptr<Model> model = *MakeModel(job.model(), input, {});
  auto plain = std::make_unique<Plain>(*model, job);
  const TrainingData training = *MakeTrainingData(job, *data.train, *model);
  ExampleReader reader(&training);
  const uint64_t n = training.epoch_size();
  const size_t dim = model->tables()[0].dim();
  std::vector<std::unique_ptr<Optimizer>> optimizers;
  std::vector<std::vector<AlignedBuffer>> slots(model->variables().size());
  for (size_t v = 0; v < slots.size(); ++v) {
    names->push_back(model->variables()[v].name);
    optimizers.push_back(*MakeOptimizer(*SettingsFor(job.optimizer(), names->back())));
    for (int s = 0; s < optimizers[v]->num_slots(); ++s)
      slots[v].emplace_back(plain->weights[v].size());
  }
  uint64_t seen = 0;
  for (uint64_t step = 0; step < kEpochs * StepsPerEpoch(n, kBatch); ++step) {
    const EpochRange batch = BatchRange(step, n, kBatch);
    std::vector<std::vector<Sum>> dense(slots.size(),
                                        std::vector<Sum>(kSlices));  // by variable and slice
    std::map<uint64_t, std::vector<Sum>> sparse;                     // by id and slice
    std::vector<uint64_t> ids;
    for (uint64_t slice = 0; slice < kSlices; ++slice) {
      Batch examples;
      EXPECT_TRUE(
          reader.Read(batch.epoch, SlicePositions(slice, kSlices, batch.positions), &examples)
              .ok());
      EXPECT_TRUE(WantRowsOf(*model, examples, *plain, &ids).ok());
      EXPECT_TRUE(model->Train(examples, *plain, *plain).ok());
      for (size_t v = 0; v < slots.size(); ++v) {
        dense[v][slice] =
            Gradient(plain->gradients[v].span().begin(), plain->gradients[v].span().end());
      }
      for (size_t i = 0; i < plain->index.unique().size(); ++i) {
        std::vector<Sum>& parts = sparse[plain->index.unique()[i]];
        parts.resize(kSlices);
        const float* const row = plain->row_gradients.data() + i * dim;
        parts[slice] = Gradient(row, row + dim);
      }
    }
    const auto tree = [](const std::vector<Sum>& p) {
      return Add(Add(p[0], p[1]), Add(p[2], p[3]));
    };
    const double factor = Factor(job, seen, n);
    const auto inverse = static_cast<float>(1.0 / static_cast<double>(batch.positions.size()));
    for (size_t v = 0; v < slots.size(); ++v) {
      const Gradient sum = *tree(dense[v]);
      std::vector<float*> slot_data;
      for (AlignedBuffer& slot : slots[v]) slot_data.push_back(slot.data());
      optimizers[v]->Apply({static_cast<float>(job.optimizer().learning_rate() * factor),
                            static_cast<int64_t>(step + 1), inverse},
                           {sum.data(), plain->weights[v].data(), plain->weights[v].data(),
                            slot_data.data(), static_cast<int64_t>(sum.size())});
    }
    for (const auto& [id, parts] : sparse) plain->Update(id, tree(parts)->data(), factor, inverse);
    seen += batch.positions.size();
  }
  return plain;
}

TEST(TableExactnessTest, AnyNumberOfServersAndWorkersEndsWithTheBitsOfThePlainLoop) {
  TemporaryFolder folder;
  WriteFile(folder / "train.ffm", LibffmText());
  const std::string job_path = folder / "job.textproto";
  WriteFile(job_path, JobText());
  std::vector<std::string> names;
  const std::unique_ptr<Plain> want = TrainPlainly(ResolveDefaults(*LoadJob(job_path, {})), &names);
  ASSERT_GT(want->rows.size(), 150u);
  std::string first;
  for (const char* servers : {"1", "2", "3"}) {
    for (const char* workers : {"1", "2", "3", "4"}) {
      SCOPED_TRACE(absl::StrCat(servers, " servers, ", workers, " workers"));
      const std::string run = folder / absl::StrCat("run-", servers, "x", workers);
      const ProgramResult result = RunProgram({CONVOY_BINARY, "train", job_path, "--servers",
                                               servers, "--workers", workers, "--run-dir", run});
      ASSERT_EQ(result.exit_code, 0) << result.output;
      const std::string bytes = ReadFile(run + "/model.safetensors");
      if (first.empty()) first = bytes;
      ASSERT_EQ(bytes, first);
      const auto file = *SafetensorsReader::Open(run + "/model.safetensors");
      for (size_t v = 0; v < names.size(); ++v) {
        const AlignedBuffer got = *file->Read(names[v]);
        EXPECT_EQ(Gradient(got.span().begin(), got.span().end()),
                  Gradient(want->weights[v].span().begin(), want->weights[v].span().end()))
            << names[v];
      }
      const std::vector<uint64_t> ids = *file->ReadU64("rows/ids");
      const AlignedBuffer rows = *file->Read("rows/rows");
      ASSERT_EQ(ids.size(), want->rows.size());
      const size_t dim = rows.size() / ids.size();
      for (size_t i = 0; i < ids.size(); ++i) {
        ASSERT_TRUE(want->rows.contains(ids[i])) << ids[i];
        EXPECT_EQ(Gradient(rows.data() + i * dim, rows.data() + (i + 1) * dim),
                  want->rows[ids[i]].weights)
            << ids[i];
      }
    }
  }
}

}  // namespace
}  // namespace convoy::testing
