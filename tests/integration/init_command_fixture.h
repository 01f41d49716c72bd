// Trainings that begin with the weights of others, as a user starts them: with images, and with an
// embedding table.
#ifndef CONVOY_TESTS_INTEGRATION_INIT_COMMAND_FIXTURE_H_
#define CONVOY_TESTS_INTEGRATION_INIT_COMMAND_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/files/safetensors_reader.h"
#include "common/math/random.h"
#include "tests/testing/newest_checkpoint.h"
#include "tests/testing/run_program.h"
#include "tests/testing/toy_images.h"

namespace convoy::testing {

using Weights = std::map<std::string, std::vector<float>>;

inline Weights ReadModel(const std::string& path) {
  Weights weights;
  const auto file = SafetensorsReader::Open(path);
  EXPECT_TRUE(file.ok()) << file.status();
  if (!file.ok()) return weights;
  for (const TensorInfo& tensor : (*file)->tensors()) {
    if (tensor.dtype != "F32") continue;
    const AlignedBuffer values = (*file)->Read(tensor.name).value();
    weights[tensor.name].assign(values.span().begin(), values.span().end());
  }
  return weights;
}

// Lines of libsvm with ids: four of 200 each, in its own field's range, from `first` on.
inline std::string IdExamples(uint64_t count, uint64_t first) {
  std::string text;
  for (uint64_t i = 0; i < count; ++i) {
    const RandomStream random(3, "line", i);
    std::string line;
    uint64_t odd = 0;
    for (uint64_t field = 0; field < 4; ++field) {
      const uint64_t id = first + 50 * field + random.Below(field, 50);
      odd += id % 2;
      absl::StrAppend(&line, " ", id, ":1");
    }
    absl::StrAppend(&text, odd >= 2 ? 1 : 0, line, "\n");
  }
  return text;
}

class InitCommandTest : public ::testing::Test {
 protected:
  InitCommandTest() { WriteToyImages({.examples = 400}, folder_ / "toy"); }

  // Images of 8 x 8 pixels in four classes; an epoch is 10 steps, always the same ones.
  void WriteJob(const std::string& data, const std::string& more) {
    WriteFile(job_, absl::StrCat("data { train: \"toy-images-idx3-ubyte\" cache_dir: \"cache\" "
                                 "shuffle: false ",
                                 data, " }\nmodel { mlp { hidden: 16 } }\n",
                                 "optimizer { adam {} learning_rate: 0.01 }\n",
                                 "training { epochs: 1 batch_size: 40 slices: 2 }\n",
                                 "cluster { servers: 2 workers: 2 }\n", more));
  }
  void WriteTableJob(const std::string& file, const std::string& more = "") {
    WriteFile(job_, absl::StrCat("data { train: \"", file,
                                 "\" cache_dir: \"cache\" ids: true shuffle: false }\n"
                                 "model { factorization_machine { factors: 4 } }\n"
                                 "optimizer { adam {} learning_rate: 0.02 }\n"
                                 "training { epochs: 1 batch_size: 50 slices: 2 }\n"
                                 "cluster { servers: 2 workers: 2 }\n",
                                 more));
  }

  ProgramResult Train(const std::string& run, std::vector<std::string> more = {}) {
    std::vector<std::string> command = {CONVOY_BINARY, "train", job_, "--run-dir", folder_ / run};
    command.insert(command.end(), more.begin(), more.end());
    return RunProgram(command);
  }
  void TrainWell(const std::string& run, std::vector<std::string> more = {}) {
    const ProgramResult result = Train(run, std::move(more));
    ASSERT_EQ(result.exit_code, 0) << result.output;
    output_ = result.output;
  }
  std::string ModelPath(const std::string& run) const {
    return folder_ / (run + "/model.safetensors");
  }
  // Of the first table in the newest checkpoint, by id: weights, then slots.
  using RowsOfRun = std::map<uint64_t, std::vector<float>>;
  RowsOfRun Rows(const std::string& run) const {
    RowsOfRun rows;
    const auto checkpoint = NewestCheckpointOf(folder_ / run);
    if (checkpoint == nullptr) return rows;
    const absl::Status read = checkpoint->ReadRows(0, [&](const WeightArchive::Rows& piece) {
      const size_t count = piece.ids.size();
      for (size_t i = 0; i < count; ++i) {
        std::vector<float>& row = rows[piece.ids[i]];
        for (const std::span<const float> floats : {piece.weights, piece.slots}) {
          const auto own = floats.subspan(i * floats.size() / count, floats.size() / count);
          row.insert(row.end(), own.begin(), own.end());
        }
      }
      return absl::OkStatus();
    });
    EXPECT_TRUE(read.ok()) << read;
    return rows;
  }
  Weights Model(const std::string& run) const { return ReadModel(ModelPath(run)); }
  bool SameBytes(const std::string& run, const std::string& other) const {
    return ReadFile(ModelPath(run)) == ReadFile(ModelPath(other));
  }

  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
  std::string output_;  // of the last training that went well
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_INTEGRATION_INIT_COMMAND_FIXTURE_H_
