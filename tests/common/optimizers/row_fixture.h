// A row of a table and updates of it.
#ifndef CONVOY_TESTS_COMMON_OPTIMIZERS_ROW_FIXTURE_H_
#define CONVOY_TESTS_COMMON_OPTIMIZERS_ROW_FIXTURE_H_

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/optimizers/row_updater.h"

namespace convoy {

inline absl::StatusOr<RowUpdater> TryUpdater(const std::string& text,
                                             std::vector<ColumnRange> ranges) {
  v1::Optimizer config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config)) << text;
  return RowUpdater::Create(config, {"table", std::move(ranges)});
}

// The updater of a table "table" in a job whose section `optimizer` is `text`.
inline RowUpdater UpdaterFromText(const std::string& text, std::vector<ColumnRange> ranges) {
  auto updater = TryUpdater(text, std::move(ranges));
  EXPECT_TRUE(updater.ok()) << updater.status();
  return *std::move(updater);
}

class TestRow {
 public:
  TestRow(const RowUpdater& updater, std::vector<float> initial)
      : weights(std::move(initial)), slots(updater.slot_floats()) {
    EXPECT_EQ(weights.size(), updater.dim());
    updater.InitializeSlots(slots.data());
  }

  // By a gradient that is a sum over 1 / inverse_count examples.
  void Update(const RowUpdater& updater, double rate_factor, const std::vector<float>& gradient,
              float inverse_count = 1) {
    updater.Apply({rate_factor, ++updates, inverse_count}, gradient.data(), weights.data(),
                  slots.data());
  }

  bool operator==(const TestRow&) const = default;

  std::vector<float> weights;
  std::vector<float> slots;
  int64_t updates = 0;
};

}  // namespace convoy

#endif  // CONVOY_TESTS_COMMON_OPTIMIZERS_ROW_FIXTURE_H_
