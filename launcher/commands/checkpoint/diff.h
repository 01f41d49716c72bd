// `convoy checkpoint diff`: how far a training has moved.
#ifndef CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_DIFF_H_
#define CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_DIFF_H_

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_reader.h"

namespace convoy {

// Sums over values of A and B, in double.
class ChangeSums {
 public:
  void Add(std::span<const float> a, std::span<const float> b);
  double norm() const;           // L2 norm of B - A
  double relative_norm() const;  // norm() over the L2 norm of A
  double max_change() const { return max_change_; }
  bool changed() const { return changed_; }

 private:
  double squares_of_change_ = 0;
  double squares_of_a_ = 0;
  double max_change_ = 0;  // NaN once there is one
  bool changed_ = false;   // some bit, NaN and -0 included
};

// Tables of the changes of variables and of tables from `a` to `b`; of what is in one of them only,
// or has another shape, that is said instead. Variables and buckets are read piece by piece.
absl::StatusOr<std::string> DiffText(const CheckpointReader& a, const CheckpointReader& b);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_DIFF_H_
