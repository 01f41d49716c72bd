// Variables and tables of a model in memory, for tests: what servers would hold.
#ifndef CONVOY_TESTS_WORKER_MODELS_TABLES_TABLE_PARAMETERS_H_
#define CONVOY_TESTS_WORKER_MODELS_TABLES_TABLE_PARAMETERS_H_

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "common/aligned_buffer.h"
#include "tests/worker/models/finite_differences.h"
#include "tests/worker/models/memory_parameters.h"
#include "worker/models/model.h"
#include "worker/row_index.h"

namespace convoy::testing {

class TableParameters : public WeightSource, public GradientSink {
 public:
  enum class Order { kByBucket, kReversed };  // of the rows that the model gets

  // Variables and rows as a job of this seed starts with them.
  TableParameters(const Model& model, uint64_t seed, Order order = Order::kByBucket);

  // Makes the rows that the batch reads available.
  void Prepare(const Batch& batch);
  // Normal weights times `scale`, of the variables and the prepared rows; a row's depend on table
  // and id.
  void Randomize(float scale);
  // Weights -= rate * gradients, of the variables and the prepared rows.
  void Step(float rate);

  MemoryParameters& variables() { return variables_; }
  // Of the prepared rows, row-major.
  std::span<float> values(int table) { return tables_[table].values.span(); }
  std::span<const float> gradients(int table) const { return tables_[table].gradients.span(); }
  std::span<float> row(int table, uint64_t id) { return Of(table, id, tables_[table].values); }
  std::span<float> gradient(int table, uint64_t id) {
    return Of(table, id, tables_[table].gradients);
  }
  const std::vector<uint64_t>& ids(int table) const { return tables_[table].ids; }
  // How often RowsReady was called.
  int reports(int table) const { return tables_[table].reports; }
  // What Rows gives from now on has a place less than there are.
  void DropAPlace() { drop_a_place_ = true; }

  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    return variables_.Weights(variable);
  }
  absl::StatusOr<TableRows> Rows(int table) override;
  std::span<float> Gradient(int variable) override { return variables_.Gradient(variable); }
  absl::Status Ready(int variable, int64_t begin, int64_t end) override {
    return variables_.Ready(variable, begin, end);
  }
  // Filled with NaN, so that memory that is not zeroed is seen.
  std::span<float> RowGradients(int table) override;
  absl::Status RowsReady(int table) override;

 private:
  struct Table {
    std::map<uint64_t, std::vector<float>> stored;  // every row ever changed
    std::vector<uint64_t> ids;                      // of the batch, in the order of `values`
    std::vector<uint32_t> places;
    AlignedBuffer values, gradients;
    int reports = 0;
  };

  std::span<float> Of(int table, uint64_t id, AlignedBuffer& buffer);

  const Model& model_;
  const uint64_t seed_;
  const Order order_;
  MemoryParameters variables_;
  std::vector<Table> tables_;
  bool drop_a_place_ = false;
};

// Checks the gradients of all variables and rows that the batch reads, at random weights.
void ExpectTableModelGradients(Model& model, const Batch& batch,
                               const DifferenceOptions& options = {});

// `size` examples with one value of each of `fields` fields, drawn from `categories` ids of the
// field; but the first example has no values, and the second one its first value twice. Labels 0,
// 1, 0, ... Ids are large numbers.
Batch IdBatch(int64_t size, int64_t fields, uint64_t categories, uint64_t seed = 7);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_WORKER_MODELS_TABLES_TABLE_PARAMETERS_H_
