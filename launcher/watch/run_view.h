// What there is to see of one run, whether it goes on or has ended: what `convoy status` and the
// dashboard show.
#ifndef CONVOY_LAUNCHER_WATCH_RUN_VIEW_H_
#define CONVOY_LAUNCHER_WATCH_RUN_VIEW_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "launcher/process/progress_state.h"

namespace convoy {

// A server or worker. Rates are those of the last seconds, or means of the training where only one
// look was had; unset: not known.
struct ProcessView {
  bool server = false;
  uint32_t rank = 0;
  uint64_t pid = 0;
  std::string host;
  std::string activity;
  bool finished = false;  // worker: has taken its last step
  // Since it was last heard of; unset: not long ago for its heartbeats.
  std::optional<double> silent_seconds;
  std::optional<double> cpu;  // cores
  double cpu_seconds = 0;
  uint64_t memory_bytes = 0;  // resident: now, or of an ended run the peak

  // Workers.
  std::optional<uint64_t> step;  // as HeartbeatRequest.step
  std::optional<double> examples_per_second;
  std::optional<double> waiting;           // share of its time, in [0, 1]
  std::optional<double> busy_per_example;  // seconds that it did not wait
  std::optional<double> staleness;         // mean, updates

  // Bytes from and to the other side.
  uint64_t received = 0, sent = 0;
  std::optional<double> received_per_second, sent_per_second;

  // Servers.
  uint64_t rows = 0;                     // of embedding tables
  std::optional<uint64_t> parked;        // pulls that wait now
  std::optional<uint64_t> stored_bytes;  // gradients kept for later now

  std::string name() const { return (server ? "server " : "worker ") + std::to_string(rank); }
};

struct RunView {
  std::string directory;
  std::string job, mode;
  bool live = false;   // its coordinator answered
  bool ended = false;  // as planned, failed, stopped or killed
  // "training", "ended as planned", "was killed", ...
  std::string state;
  std::string waiting_for;   // what the job waits for; empty: nothing
  double seconds = 0;        // since the training began, or that it took
  ProgressState progress;    // its step and examples are those of now
  uint64_t total_steps = 0;  // 0: not known
  uint64_t checkpoints = 0, newest_checkpoint = 0;
  uint64_t skipped = 0, dropped = 0;  // gradients
  std::vector<ProcessView> servers, workers;
  std::vector<std::string> events;    // for people, the newest last
  std::vector<std::string> warnings;  // likewise, what matters most first
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_WATCH_RUN_VIEW_H_
