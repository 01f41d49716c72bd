#include "common/job/range.h"

#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/number_text.h"

namespace convoy {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// What one machine can hold, with a wide margin: larger numbers are mistakes, not jobs.
constexpr double kMaxUnits = 1 << 20;
constexpr double kMaxChannels = 4096;
constexpr double kMaxBuckets = 10000;
constexpr double kMaxFactors = 512;
constexpr double kMaxFields = 4096;
constexpr double kMaxFieldNumbers = 65536.0;
constexpr double kMaxFeatures = 4294967295.0;

constexpr ValueRange Above(double low) { return {low, true, kInfinity, true}; }
constexpr ValueRange AtLeast(double low) { return {low, false, kInfinity, true}; }
constexpr ValueRange FromTo(double low, double high) { return {low, false, high, false}; }

constexpr ValueRange kUnitOpen = {0, true, 1, true};       // (0, 1)
constexpr ValueRange kUnitWithZero = {0, false, 1, true};  // [0, 1)
constexpr ValueRange kUnitWithOne = {0, true, 1, false};   // (0, 1]
constexpr ValueRange kUnitClosed = {0, false, 1, false};   // [0, 1]

struct FieldRange {
  const char* field;  // full name within convoy.v1
  ValueRange range;
};

constexpr FieldRange kRanges[] = {
    {"Data.features", FromTo(1, kMaxFeatures)},
    {"Data.fields", FromTo(1, kMaxFieldNumbers)},
    {"Data.negative_rate", kUnitWithOne},
    {"OldData.replay", kUnitWithZero},
    {"Csv.buckets", FromTo(2, kMaxBuckets)},
    {"Csv.hash_buckets", FromTo(0, kMaxUnits)},
    {"Csv.max_categories", FromTo(1, kMaxUnits)},
    {"Csv.min_count", AtLeast(1)},
    {"CsvColumn.buckets", FromTo(2, kMaxBuckets)},
    {"CsvColumn.hash_buckets", FromTo(0, kMaxUnits)},
    {"Validation.fraction", kUnitOpen},
    {"Augment.crop", FromTo(0, kMaxUnits)},
    {"Augment.noise", AtLeast(0)},
    {"Model.classes", AtLeast(2)},
    {"Mlp.hidden", FromTo(1, kMaxUnits)},
    {"Mlp.dropout", kUnitWithZero},
    {"ConvNet.channels", FromTo(1, kMaxChannels)},
    {"ConvNet.hidden", FromTo(0, kMaxUnits)},
    {"ConvNet.dropout", kUnitWithZero},
    {"FactorizationMachine.factors", FromTo(1, kMaxFactors)},
    {"FactorizationMachine.init_scale", Above(0)},
    {"DeepFm.factors", FromTo(1, kMaxFactors)},
    {"DeepFm.init_scale", Above(0)},
    {"DeepFm.hidden", FromTo(1, kMaxUnits)},
    {"DeepFm.dropout", kUnitWithZero},
    {"DeepFm.fields", FromTo(1, kMaxFields)},
    {"WideAndDeep.dim", FromTo(1, kMaxFactors)},
    {"WideAndDeep.init_scale", Above(0)},
    {"WideAndDeep.hidden", FromTo(1, kMaxUnits)},
    {"WideAndDeep.dropout", kUnitWithZero},
    {"WideAndDeep.fields", FromTo(1, kMaxFields)},
    {"MatrixFactorization.factors", FromTo(1, kMaxFactors)},
    {"MatrixFactorization.init_scale", Above(0)},
    {"Optimizer.learning_rate", Above(0)},
    {"Optimizer.l1", AtLeast(0)},
    {"Optimizer.l2", AtLeast(0)},
    {"Optimizer.clip_value", AtLeast(0)},
    {"Optimizer.clip_norm", AtLeast(0)},
    {"Optimizer.anchor", AtLeast(0)},
    {"Momentum.momentum", kUnitWithZero},
    {"Nesterov.momentum", kUnitWithZero},
    {"Adagrad.initial_accumulator", AtLeast(0)},
    {"Adagrad.epsilon", Above(0)},
    {"RmsProp.decay", kUnitWithZero},
    {"RmsProp.epsilon", Above(0)},
    {"Adam.beta1", kUnitWithZero},
    {"Adam.beta2", kUnitWithZero},
    {"Adam.epsilon", Above(0)},
    {"AdamW.beta1", kUnitWithZero},
    {"AdamW.beta2", kUnitWithZero},
    {"AdamW.epsilon", Above(0)},
    {"AdamW.weight_decay", AtLeast(0)},
    {"Ftrl.beta", AtLeast(0)},
    {"RowwiseAdagrad.initial_accumulator", AtLeast(0)},
    {"RowwiseAdagrad.epsilon", Above(0)},
    {"StepDecay.every_examples", AtLeast(1)},
    {"StepDecay.factor", kUnitWithOne},
    {"ExponentialDecay.every_examples", AtLeast(1)},
    {"ExponentialDecay.factor", kUnitWithOne},
    {"CosineDecay.over_examples", AtLeast(1)},
    {"CosineDecay.final_fraction", kUnitClosed},
    // 0 freezes the variables that match.
    {"Override.learning_rate", AtLeast(0)},
    {"Override.l1", AtLeast(0)},
    {"Override.l2", AtLeast(0)},
    {"Override.weight_decay", AtLeast(0)},
    {"Override.clip_value", AtLeast(0)},
    {"Override.anchor", AtLeast(0)},
    {"EarlyStopping.patience", AtLeast(1)},
    {"EarlyStopping.min_delta", AtLeast(0)},
    {"Training.epochs", AtLeast(1)},
    {"Training.batch_size", AtLeast(1)},
    {"Training.slices", FromTo(1, 1024)},
    {"Training.report_every_steps", AtLeast(1)},
    {"Training.batches_per_task", AtLeast(1)},
    {"Training.class_weights", AtLeast(0)},
    {"TableRule.admit_after", AtLeast(1)},
    {"TableRule.max_mb", AtLeast(0)},
    {"Checkpoint.every_seconds", AtLeast(0)},
    {"Checkpoint.keep_last", AtLeast(1)},
    {"Checkpoint.deltas", FromTo(0, 50)},  // each opens the files of those before
    {"Cluster.servers", FromTo(1, 64)},
    {"Cluster.workers", FromTo(1, 1024)},
    {"Cluster.threads_per_server", FromTo(0, 1024)},
    {"Cluster.threads_per_worker", FromTo(1, 64)},
    {"Cluster.metrics_port", FromTo(0, 65535)},
    {"Cluster.startup_timeout_ms", AtLeast(1)},
    {"Cluster.wait_timeout_ms", AtLeast(1)},
    {"Cluster.heartbeat_ms", AtLeast(1)},
    {"Cluster.lost_after_ms", AtLeast(1)},
    {"Cluster.max_restarts", AtLeast(0)},
    {"Cluster.min_workers", AtLeast(1)},
    {"Cluster.in_flight_bytes", AtLeast(1)},
    {"Cluster.out_of_order_budget", AtLeast(0)},
    {"Cluster.spin_us", FromTo(0, 1e6)},
};

}  // namespace

bool ValueRange::Contains(double value) const {
  if (!std::isfinite(value)) return false;
  return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
}

std::string ValueRange::ToString() const {
  if (high == kInfinity) return absl::StrCat(low_open ? "> " : ">= ", NumberText(low));
  if (high > 1) return absl::StrCat("from ", NumberText(low), " to ", NumberText(high));
  return absl::StrCat("in ", low_open ? "(" : "[", NumberText(low), ", ", NumberText(high),
                      high_open ? ")" : "]");
}

const ValueRange* FindRange(const google::protobuf::FieldDescriptor& field) {
  const std::string name = absl::StrCat(field.containing_type()->name(), ".", field.name());
  for (const FieldRange& entry : kRanges) {
    if (name == entry.field) return &entry.range;
  }
  return nullptr;
}

}  // namespace convoy
