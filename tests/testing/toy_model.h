// A tiny model for tests of the protocol: the gradient of every element pulls it towards the
// targets of the examples, so that it depends on the weights, the example and the element, and any
// lost, doubled or misplaced contribution shows in the bits of the result.
#ifndef CONVOY_TESTS_TESTING_TOY_MODEL_H_
#define CONVOY_TESTS_TESTING_TOY_MODEL_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "common/placement/placement.h"
#include "proto/job.pb.h"

namespace convoy::testing {

// Positions in the data.
struct ToyRange {
  uint64_t begin, end;
  uint64_t size() const { return end - begin; }
};

struct ToyJob {
  uint64_t seed = 1;
  uint64_t examples = 96;    // in the data set
  uint32_t batch_size = 16;  // global
  uint32_t slices = 4;
  uint64_t steps = 12;
  // Steps that a slice takes itself before it sends how far it came (local_sgd, geo); 0: it sends
  // gradients.
  uint32_t local_steps = 0;
  // Some (step, slice, cell) have no gradient at all, as with sparse models.
  bool sparse = true;
  std::vector<VariableSpec> variables;
  std::vector<TableSpec> tables;
  v1::Optimizer optimizer;
};

// A row of a table by id.
using ToyRows = std::map<uint64_t, std::vector<float>>;

// A few small variables, one of two blocks if `large`.
std::vector<VariableSpec> ToyVariables(bool large = false);

// Two tables, of 3 and 1 columns.
std::vector<TableSpec> ToyTables();

// The ids that the slice (or, in the modes with tasks, the batch `step` with slice 0) reads of the
// table, in its local step `local_step` if it takes any, ascending by (bucket, id); few different
// ones, so that slices meet.
std::vector<uint64_t> ToyIds(const ToyJob& job, uint64_t step, uint32_t slice, uint32_t table,
                             uint32_t local_step = 0);
// Those of all its local steps, in the same order.
std::vector<uint64_t> ToyRoundIds(const ToyJob& job, uint64_t step, uint32_t slice, uint32_t table);

// Gradient of a row, summed over the examples.
std::vector<float> ToyRowGradient(uint32_t table, uint64_t id, const std::vector<float>& row,
                                  ToyRange examples);

// What a slice or batch sends of the row: the gradient, or `factor` times its change by gradient
// descent in the local steps that read it, held near `anchors` (optimizer.anchor), if there are
// any.
std::vector<float> ToyRowContribution(const ToyJob& job, uint64_t step, uint32_t slice,
                                      uint32_t table, uint64_t id, const std::vector<float>& row,
                                      ToyRange examples, float factor,
                                      std::span<const float> anchors = {});

// Examples of slice `slice` in global batch `step`: positions in the (unshuffled) data.
ToyRange SliceExamples(const ToyJob& job, uint64_t step, uint32_t slice);

// True if the slice has no gradient for the cell in this step.
bool NoGradient(const ToyJob& job, uint64_t step, uint32_t slice, uint32_t cell);

// Gradient of the cell's elements, summed over the examples.
std::vector<float> ToyGradient(const CellSpec& cell, const std::vector<float>& weights,
                               ToyRange examples);

// What a slice or batch sends: the gradient, or `factor` times the change of the weights by
// job.local_steps steps of gradient descent on the examples, held near `anchors`, if there are any.
std::vector<float> ToyContribution(const ToyJob& job, const CellSpec& cell,
                                   const std::vector<float>& weights, ToyRange examples,
                                   float factor, std::span<const float> anchors = {});

// All weights after `steps` steps of a plain loop: the same slices, added along the same tree, one
// update a step. By variable, row-major.
std::vector<std::vector<float>> PlainLoop(const ToyJob& job);
// All rows of the tables after the same loop, by table.
std::vector<ToyRows> PlainTables(const ToyJob& job);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_TOY_MODEL_H_
