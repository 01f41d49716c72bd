// How far a training is: what the lines of events.jsonl (docs/run_directory.md) add up to.
#ifndef CONVOY_LAUNCHER_PROCESS_PROGRESS_STATE_H_
#define CONVOY_LAUNCHER_PROCESS_PROGRESS_STATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace convoy {

// What a report measured; unset: the task has no such metric, or it is not finite.
struct MeasuredValues {
  std::optional<double> loss;
  std::optional<double> accuracy;
  std::optional<double> rmse;
  // Metrics that the model class defines itself, by name; those that are finite.
  std::vector<std::pair<std::string, double>> own = {};
};

struct ProgressState {
  // In all; 0: not known yet.
  uint64_t epochs = 0;
  uint64_t total_examples = 0;
  // So far. `epoch` 2.25: two and a quarter.
  double epoch = 0;
  uint64_t step = 0;
  uint64_t examples = 0;
  double examples_per_second = 0;
  // Mean staleness of the gradients of the last report.
  std::optional<double> staleness;
  MeasuredValues train;
  MeasuredValues validation;
  MeasuredValues validation_old;
  MeasuredValues test;
  // What the job is waiting for; empty: nothing.
  std::string waiting_for;
  // What happened last that people should hear of.
  std::string notice;

  // The epoch under way, from 1; after the last one, the last.
  uint64_t CurrentEpoch() const;
  // In [0, 1]; 0 while the total is not known.
  double Fraction() const;
  // Seconds left at the present speed; unset while that is not known.
  std::optional<double> SecondsLeft() const;
};

// kNotice: `notice` says what happened.
enum class EventKind { kTrain, kValidation, kValidationOld, kTest, kCheckpoint, kNotice };

// Takes over what a line of events.jsonl says. InvalidArgument: it is not such a line; nothing
// changes.
absl::Status ApplyEvent(std::string_view line, ProgressState* state, EventKind* kind);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_PROGRESS_STATE_H_
