// The weights of a model file, all there from the start.
#ifndef CONVOY_LAUNCHER_COMMANDS_STORED_WEIGHTS_H_
#define CONVOY_LAUNCHER_COMMANDS_STORED_WEIGHTS_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/aligned_buffer.h"
#include "common/checkpoint/weight_archive.h"
#include "common/math/table.h"
#include "worker/layers/weights.h"
#include "worker/models/model.h"
#include "worker/row_index.h"

namespace convoy {

// One thread.
class StoredWeights final : public WeightSource {
 public:
  // The variables and tables of `model`. `seed`: of the job; ids without a row read as rows that
  // were never updated. InvalidArgument: the file does not fit the model; else as
  // SafetensorsReader.
  static absl::StatusOr<std::unique_ptr<StoredWeights>> Read(const std::string& path,
                                                             const Model& model, uint64_t seed);

  // The same of a checkpoint, or another archive.
  static absl::StatusOr<std::unique_ptr<StoredWeights>> Read(const WeightArchive& archive,
                                                             const Model& model, uint64_t seed);

  absl::StatusOr<std::span<const float>> Weights(int variable) override;
  absl::Status WantRows(int table, std::span<const uint64_t> ids) override;
  absl::StatusOr<TableRows> Rows(int table) override;

 private:
  struct Table {
    TableSpec spec;
    absl::flat_hash_map<uint64_t, size_t> row_of;  // id -> row of `rows`
    AlignedBuffer rows;                            // row-major [rows, dim]
    RowIndex index;                                // of the current batch
    AlignedBuffer values;                          // of its rows
  };

  explicit StoredWeights(uint64_t seed) : seed_(seed) {}

  const uint64_t seed_;
  std::vector<AlignedBuffer> variables_;
  std::vector<std::unique_ptr<Table>> tables_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_STORED_WEIGHTS_H_
