// `convoy checkpoint export`, as a user meets it: checkpoints become model files. And those that
// stand for one in `evaluate` and `predict`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/files/safetensors_reader.h"
#include "tests/common/checkpoint/sample_checkpoint.h"
#include "tests/integration/checkpoint_command_fixture.h"
#include "tests/testing/run_program.h"
#include "tests/testing/toy_images.h"

namespace convoy::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

TEST_F(CheckpointCommandTest, ExportWritesWholeTensors) {
  const std::string file = folder_ / "out/model.safetensors";
  EXPECT_EQ(Succeed({"export", run_ + "@200", file}),
            "wrote the weights of step 200 to " + file + "\n");
  const auto model = SafetensorsReader::Open(file);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model)->metadata().at("format"), "convoy");
  const auto w = (*model)->Read("w");
  ASSERT_TRUE(w.ok()) << w.status();
  EXPECT_THAT(w->span(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT((*model)->Find("w")->shape, ElementsAre(2, 3));
  const auto ids = (*model)->ReadU64("t/ids");
  const auto rows = (*model)->Read("t/rows");
  ASSERT_TRUE(ids.ok() && rows.ok());
  ASSERT_EQ(ids->size(), 5u);
  for (size_t i = 0; i < ids->size(); ++i) {
    EXPECT_EQ(rows->span()[3 * i], static_cast<float>((*ids)[i]) + 1);
  }
  EXPECT_EQ(ReadFile(folder_ / "out/job.textproto"), "name: \"sample\"\n");
  EXPECT_FALSE(fs::exists(folder_ / "out/schema.json"));
}

TEST_F(CheckpointCommandTest, DamagedWeightsAreNeitherExportedNorCompared) {
  Flip(Path(300) + "/server-0-of-2.safetensors");
  const std::string file = folder_ / "model.safetensors";
  EXPECT_THAT(FailWith(1, {"export", run_, file}), HasSubstr("step-00000300 is damaged"));
  EXPECT_FALSE(fs::exists(file));
  EXPECT_THAT(FailWith(1, {"diff", run_ + "@100", run_}), HasSubstr("step-00000300 is damaged"));
}

TEST_F(CheckpointCommandTest, ExportOverwritesNothing) {
  const std::string file = folder_ / "model.safetensors";
  WriteFile(file, "precious");
  EXPECT_THAT(FailWith(2, {"export", run_, file}), HasSubstr("is there already"));
  EXPECT_EQ(ReadFile(file), "precious");
}

TEST_F(CheckpointCommandTest, ExportLeavesTheJobOfAnotherModelAlone) {
  const std::string out = folder_ / "out", job = out + "/job.textproto",
                    trained = folder_ / "trained";
  std::filesystem::create_directory(out);
  const auto write_job = [&](const std::string& hidden) {
    WriteFile(job, "data { train: \"train.libsvm\" }\nmodel { mlp { hidden: " + hidden +
                       " } classes: 2 }\ntraining { epochs: 1 batch_size: 2 mode: \"single\" }\n"
                       "checkpoint { at_end: true }\n");
  };
  WriteFile(out + "/train.libsvm", "0 1:1\n1 2:1\n");
  write_job("7");
  const ProgramResult training = RunProgram({CONVOY_BINARY, "train", job, "--run-dir", trained});
  ASSERT_EQ(training.exit_code, 0) << training.output;
  write_job("8");
  const std::string file = out + "/model.safetensors";
  EXPECT_THAT(FailWith(2, {"export", trained, file}),
              HasSubstr("is the job of another model; export to a folder of its own"));
  EXPECT_FALSE(std::filesystem::exists(file));
  write_job("7");  // with relative paths, as a user has written it
  Succeed({"export", trained, file});
}

TEST_F(CheckpointCommandTest, ExportPutsTheSchemaBesideTheModelUnlessThereIsAnother) {
  const std::string trained = folder_ / "trained";
  WriteFile(folder_ / "table.csv", "x,y\n1,a\n2,b\n3,a\n4,b\n");
  WriteFile(folder_ / "job.textproto",
            "data { train: \"table.csv\" csv { label: \"y\" } }\nmodel { logistic_regression {} }\n"
            "training { epochs: 1 batch_size: 2 mode: \"single\" }\n");
  const ProgramResult training =
      RunProgram({CONVOY_BINARY, "train", folder_ / "job.textproto", "--run-dir", trained});
  ASSERT_EQ(training.exit_code, 0) << training.output;
  SampleCheckpoint checkpoint;
  checkpoint.manifest.schema = ReadFile(trained + "/schema.json");
  checkpoint.Write(folder_ / "c");
  const ProgramResult result = Run({"export", folder_ / "c", folder_ / "one/model.safetensors"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(ReadFile(folder_ / "one/schema.json"), ReadFile(trained + "/schema.json"));
  Succeed({"export", folder_ / "c", folder_ / "one/again.safetensors"});
  WriteFile(folder_ / "one/schema.json", "{}");
  EXPECT_THAT(FailWith(2, {"export", folder_ / "c", folder_ / "one/third.safetensors"}),
              HasSubstr("is the schema of another model"));
  EXPECT_FALSE(fs::exists(folder_ / "one/third.safetensors"));
}

// A checkpoint with the weights of a finished run gives that run's model file back, and the folder
// can be used in place of the run.
TEST_F(CheckpointCommandTest, AnExportedModelIsThatOfTheRunAndIsEvaluatedAlike) {
  WriteToyImages({.examples = 200}, folder_ / "toy");
  const std::string job = folder_ / "job.textproto", trained = folder_ / "trained";
  WriteFile(job,
            "data { train: \"toy-images-idx3-ubyte\" }\nmodel { mlp { hidden: 8 } }\n"
            "training { epochs: 1 batch_size: 50 mode: \"single\" }\n");
  const ProgramResult training = RunProgram({CONVOY_BINARY, "train", job, "--run-dir", trained});
  ASSERT_EQ(training.exit_code, 0) << training.output;
  const auto model = SafetensorsReader::Open(trained + "/model.safetensors");
  ASSERT_TRUE(model.ok()) << model.status();

  SampleCheckpoint checkpoint(SampleOptions{.servers = 1});
  checkpoint.manifest.job = ReadFile(trained + "/job.textproto");
  checkpoint.manifest.variables.clear();
  checkpoint.manifest.tables.clear();
  checkpoint.manifest.slots.clear();
  std::vector<uint64_t> cells(8);
  std::vector<SampleTensor> tensors = {{"/marks", "U64", {0, 3}, {}, {}, {}},
                                       {"/complete", "U64", {0, 2}, {}, {}, {}}};
  for (const TensorInfo& tensor : (*model)->tensors()) {
    const auto values = (*model)->Read(tensor.name);
    ASSERT_TRUE(values.ok());
    cells.insert(cells.end(), {1, checkpoint.manifest.variables.size(), 0, 0, 4, 4, 200, 0});
    checkpoint.manifest.variables.push_back({tensor.name, tensor.shape});
    const auto span = values->span();
    tensors.push_back({tensor.name + "[0:" + std::to_string(span.size()) + "]",
                       "F32",
                       {span.size()},
                       {span.begin(), span.end()},
                       {},
                       {}});
  }
  tensors.insert(tensors.begin(), {"/cells", "U64", {cells.size() / 8, 8}, {}, {}, cells});
  checkpoint.files[0].tensors = tensors;
  checkpoint.Write(folder_ / "c");

  const std::string exported = folder_ / "exported";
  Succeed({"export", folder_ / "c", exported + "/model.safetensors"});
  EXPECT_TRUE(ReadFile(exported + "/model.safetensors") ==
              ReadFile(trained + "/model.safetensors"));
  const auto evaluate = [&](const std::string& run) {
    return RunProgram(
        {CONVOY_BINARY, "evaluate", run, "--data", folder_ / "toy-images-idx3-ubyte"});
  };
  const ProgramResult evaluated = evaluate(exported);
  EXPECT_EQ(evaluated.exit_code, 0) << evaluated.output;
  EXPECT_EQ(evaluated.output, evaluate(trained).output);
}

// As many weights as the model wants would otherwise be taken in another order, and the first ones
// of more weights for all of them.
TEST_F(CheckpointCommandTest, EvaluateAndPredictRefuseACheckpointOfOtherShapes) {
  const auto store = [&](uint64_t features, const std::vector<uint64_t>& shape) {
    SampleCheckpoint checkpoint(SampleOptions{.step = 100});
    checkpoint.manifest.job =
        "data { train: \"x.libsvm\" format: LIBSVM cache_dir: \"cache\" features: " +
        std::to_string(features) +
        " }\nmodel { logistic_regression {} }\n"
        "training { epochs: 1 batch_size: 2 mode: \"single\" }\n";
    checkpoint.manifest.variables = {{"head/weight", shape}, {"head/bias", {1}}};
    checkpoint.manifest.slots = {{"head/weight", {"m", "v"}}};
    for (SampleFile& file : checkpoint.files) {
      for (SampleTensor& tensor : file.tensors) {
        if (tensor.name.starts_with("w[")) tensor.name.replace(0, 1, "head/weight");
        if (tensor.name.starts_with("b[")) tensor.name.replace(0, 1, "head/bias");
      }
    }
    checkpoint.Write(Path(100));
  };
  WriteFile(folder_ / "examples.libsvm", "0 1:1 5:2\n1 2:1 3:2\n");
  struct Case {
    uint64_t features;            // of the job
    std::vector<uint64_t> shape;  // of the checkpoint
  };
  for (const char* const command : {"evaluate", "predict"}) {
    SCOPED_TRACE(command);
    const auto use = [&] {
      return RunProgram(
          {CONVOY_BINARY, command, run_ + "@100", "--data", folder_ / "examples.libsvm"});
    };
    store(6, {6, 1});
    const ProgramResult fits = use();
    EXPECT_EQ(fits.exit_code, 0) << fits.output;
    for (const Case& c : {Case{6, {1, 6}}, Case{6, {2, 3}}, Case{5, {6, 1}}, Case{7, {6, 1}}}) {
      store(c.features, c.shape);
      const ProgramResult refused = use();
      EXPECT_EQ(refused.exit_code, 1) << refused.output;
      EXPECT_THAT(refused.output, HasSubstr(Path(100) + ": \"head/weight\" does not fit the model "
                                                        "with these data: got "));
    }
  }
}

}  // namespace
}  // namespace convoy::testing
