#include "common/files/model_file.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "common/files/safetensors_reader.h"
#include "tests/common/files/scratch_folder.h"

namespace convoy {
namespace {

// A variable of 3 values and a table of 2 columns.
class FewValues final : public ModelValues {
 public:
  absl::StatusOr<std::span<const float>> Variable(size_t) override {
    return std::span<const float>(bias);
  }
  absl::StatusOr<uint64_t> CountRows(size_t, uint32_t bucket) override {
    uint64_t count = 0;
    for (const auto& row : rows) count += BucketOf(row.first) == bucket ? 1 : 0;
    return count + (bucket == 0 ? too_many : 0);
  }
  absl::Status ReadRows(size_t, uint32_t bucket, std::vector<uint64_t>* ids,
                        std::vector<float>* values) override {
    for (const auto& [id, row] : rows) {
      if (BucketOf(id) != bucket) continue;
      ids->push_back(id);
      values->insert(values->end(), row.begin(), row.end());
    }
    return absl::OkStatus();
  }

  std::vector<float> bias = {1, 2, 3};
  std::map<uint64_t, std::vector<float>> rows;
  uint64_t too_many = 0;
};

const std::vector<VariableSpec> kVariables = {{"bias", {3}, Initializer::Zeros()}};
const std::vector<TableSpec> kTables = {{"rows", {{"w", 2, {}}}}};

TEST(ModelFileTest, HasEveryVariableAndEveryRowWithItsId) {
  const ScratchFolder folder;
  FewValues values;
  for (uint64_t id = 0; id < 5000; id += 7) values.rows[id] = {static_cast<float>(id), 0.5f};
  const std::string path = folder.File("model.safetensors");
  ASSERT_TRUE(WriteModelFile(path, "job", kVariables, kTables, values).ok());
  const auto file = *SafetensorsReader::Open(path);
  const AlignedBuffer bias = *file->Read("bias");
  EXPECT_EQ(std::vector<float>(bias.data(), bias.data() + 3), values.bias);
  const std::vector<uint64_t> ids = *file->ReadU64(IdsTensor("rows"));
  const AlignedBuffer rows = *file->Read(RowsTensor("rows"));
  ASSERT_EQ(ids.size(), values.rows.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(std::vector<float>(rows.data() + 2 * i, rows.data() + 2 * i + 2),
              values.rows.at(ids[i]));
  }
}

TEST(ModelFileTest, ATableMayBeEmpty) {
  const ScratchFolder folder;
  FewValues values;
  const std::string path = folder.File("model.safetensors");
  ASSERT_TRUE(WriteModelFile(path, "job", kVariables, kTables, values).ok());
  EXPECT_TRUE((*SafetensorsReader::Open(path))->ReadU64("rows/ids")->empty());
}

TEST(ModelFileTest, RowsThatAreMissingLeaveNoFile) {
  const ScratchFolder folder;
  FewValues values;
  values.too_many = 1;
  const std::string path = folder.File("model.safetensors");
  EXPECT_EQ(WriteModelFile(path, "job", kVariables, kTables, values).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(SafetensorsReader::Open(path).ok());
}

}  // namespace
}  // namespace convoy
