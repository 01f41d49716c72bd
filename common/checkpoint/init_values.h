// The values that an InitPlan names, read from its archive: what servers, and the worker of mode
// single, begin with.
#ifndef CONVOY_COMMON_CHECKPOINT_INIT_VALUES_H_
#define CONVOY_COMMON_CHECKPOINT_INIT_VALUES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/checkpoint/weight_archive.h"
#include "common/math/table.h"
#include "common/optimizers/row_updater.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// Rows as the model has them.
struct InitRows {
  std::vector<uint64_t> ids;
  std::vector<float> weights;      // row-major [ids, dim]
  std::vector<float> slots;        // row-major [ids, slot floats]
  std::vector<uint32_t> counters;  // row-major [ids, 2]: 0, updates
};

// Any thread; nothing changes once it is open. Variables and tables have the numbers of the model.
class InitValues {
 public:
  // DataLoss, NotFound: the archive can't be read. FailedPrecondition: it is not what it was when
  // the plan was made.
  static absl::StatusOr<std::unique_ptr<InitValues>> Open(v1::InitPlan plan);

  // Overwrites those of the values [first, first + out.size()) of a variable that are loaded; `out`
  // holds those of a new training. DataLoss: the file is damaged; InvalidArgument: a value that is
  // not finite, as in a model that has diverged.
  absl::Status Load(size_t variable, uint64_t first, std::span<float> out) const;
  // The same of the slot `slot` of the optimizer. The anchors of optimizer.anchor are the weights.
  absl::Status LoadSlot(size_t variable, const std::string& slot, uint64_t first,
                        std::span<float> out) const;
  // The update counter that goes with the slots of values [first, first + size); 0: they are new.
  uint64_t Updates(size_t variable, uint64_t first, uint64_t size) const;

  // All rows that table number `number`, which is `table` and is updated by `updater`, begins with,
  // some thousands at a time. What of a row is not loaded is that of a new row with seed `seed`.
  absl::Status ReadRows(size_t number, const TableSpec& table, const RowUpdater& updater,
                        uint64_t seed, absl::FunctionRef<absl::Status(const InitRows&)> fn) const;

 private:
  explicit InitValues(v1::InitPlan plan) : plan_(std::move(plan)) {}
  absl::Status FindItems();
  absl::Status LoadAnchor(size_t variable, uint64_t first, std::span<float> out) const;
  absl::Status Copy(size_t variable, std::optional<size_t> slot, uint64_t first,
                    std::span<float> out) const;

  const v1::InitPlan plan_;
  std::unique_ptr<WeightArchive> archive_;
  std::vector<size_t> variables_;  // by variable of the model: that of the archive; unless NEW
  std::vector<size_t> tables_;     // by table of the model, likewise
};

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_INIT_VALUES_H_
