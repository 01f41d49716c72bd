// A page about a running job that keeps itself up to date (docs/watching.md). Nobody can change
// anything through it.
#ifndef CONVOY_LAUNCHER_DASHBOARD_DASHBOARD_H_
#define CONVOY_LAUNCHER_DASHBOARD_DASHBOARD_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/monitoring/http_server.h"
#include "common/mutex.h"
#include "launcher/dashboard/samples.h"
#include "launcher/watch/event_history.h"
#include "launcher/watch/live_view.h"
#include "launcher/watch/run_view.h"
#include "proto/coordinator.pb.h"

namespace convoy {

class Dashboard {
 public:
  struct Options {
    std::string address = "127.0.0.1";  // IP address; whoever reaches it sees the job
    uint32_t port = 0;                  // 0: any
    std::string job, mode;              // names
    // What an observer who has seen so many events is told now. Called from threads of the
    // dashboard until it is destroyed.
    std::function<v1::GetProgressReply(uint64_t events_seen)> look;
    absl::Duration period = absl::Seconds(1);  // between two samples
  };

  // Unavailable: the port is in use, or the address is not one of this machine.
  static absl::StatusOr<std::unique_ptr<Dashboard>> Start(Options options);
  ~Dashboard();

  // "http://127.0.0.1:8080/".
  std::string url() const;

 private:
  explicit Dashboard(Options options) : options_(std::move(options)) {}

  void TakeSamples();
  void TakeSample();
  HttpPage Data(const std::string& query);

  const Options options_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ CONVOY_GUARDED_BY(mutex_) = false;
  LiveView live_ CONVOY_GUARDED_BY(mutex_);
  EventHistory history_ CONVOY_GUARDED_BY(mutex_);
  uint64_t events_seen_ CONVOY_GUARDED_BY(mutex_) = 0;
  RunView view_ CONVOY_GUARDED_BY(mutex_);
  Samples samples_ CONVOY_GUARDED_BY(mutex_);

  std::unique_ptr<HttpServer> server_;
  std::thread sampler_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_DASHBOARD_DASHBOARD_H_
