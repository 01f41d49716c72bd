// Whether a model's gradients are those of its loss: compared with finite differences, element by
// element.
#ifndef CONVOY_WORKER_MODELS_GRADIENT_CHECK_H_
#define CONVOY_WORKER_MODELS_GRADIENT_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/data/batch.h"
#include "worker/models/model.h"

namespace convoy {

// One element of a variable or of some rows.
struct GradientElement {
  int64_t element = 0;  // row-major
  double got = 0;       // the model's
  double expected = 0;  // the difference quotient
  double allowed = 0;   // how far apart they may be
};

// Of a variable, or of a range of columns of the rows of a table that the batch reads.
struct VariableGradients {
  std::string name;            // of a table "TABLE/RANGE"
  std::vector<int64_t> shape;  // of a table [rows, columns]
  std::vector<uint64_t> ids;   // of a table: of each row
  int64_t checked = 0;         // elements
  int64_t undecided = 0;  // of them: where the loss bends too much for a difference to say anything
  double largest_difference = 0;
  std::vector<GradientElement> wrong;
};

// Compares the gradient of the loss of `batch` (the sum over its examples; training mode, so with
// dropout, which is the same in every pass) at the weights that the job starts with, moved by
// random numbers of standard deviation 0.05 so that zeros hide nothing. Of each variable, and
// of each column range of the rows that the batch reads, it checks `elements` elements drawn by the
// seed and as many with the largest gradients.
//
// The expected value is the central difference q(h) = (f(w + h) - f(w - h)) / 2h in doubles of a
// loss that is computed in float32 (the steps are the ones that float32 weights really took). Two
// errors are weighed. The remainder: q(h) is a mean of the derivative over [w - h, w + h], so it is
// at most as far from the one at w as the derivative changes there. For that stands the largest
// change that h and smaller steps show: of their quotients, beyond rounding, and of the model's own
// gradient at their ends. Rounding: at most r / h, where r = 2^-22 times (|loss| + examples), or
// what two tiny steps show if that is more. Of h = 2^-3, ..., 2^-11 times max(|w|, 1/4) the one
// with the smallest sum of both is taken; allowed is twice the sum plus 1 % of the value. An
// element whose remainder is more than a quarter of the value at that h has a kink there (ReLU,
// pooling) and is undecided, which is no error.
//
// Errors of the model are passed on. Internal: its loss is not finite.
absl::StatusOr<std::vector<VariableGradients>> CompareGradients(Model& model, const Batch& batch,
                                                                uint64_t seed,
                                                                int64_t elements = 6);

// OK, or FailedPrecondition with one line for each wrong element (at most 3 of a variable), e.g.
//   head/weight [4, 1], element [2, 0]: got -0.51, expected 0.51 (allowed difference 0.003)
//   rows/factors, id 42, column 3: got -0.51, expected 0.51 (allowed difference 0.003)
absl::Status GradientsVerdict(const std::vector<VariableGradients>& variables);

// A line for each variable, e.g.
//   head/weight [4, 1]: 4 elements, largest difference 1.2e-05
std::string GradientsTable(const std::vector<VariableGradients>& variables);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_GRADIENT_CHECK_H_
