// A parameter server as a member of a job: registers with the coordinator, gets its part of the
// model, serves it, and leaves when the job ends.
#ifndef CONVOY_PS_SERVER_H_
#define CONVOY_PS_SERVER_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace convoy {

struct ServerOptions {
  std::string coordinator;             // host:port
  std::string listen = "127.0.0.1:0";  // port 0: any
  std::string advertise;               // host:port for workers; empty: the address that was bound
  int rank = -1;                       // wanted; -1: any
  int threads = 1;
  uint32_t spin_us = 0;          // cluster.spin_us
  bool insecure_listen = false;  // allow another address than loopback
  absl::Duration unreachable_after = absl::Seconds(20);
  // Called with what happens, for the log.
  std::function<void(const std::string&)> log = [](const std::string&) {};
};

// Returns when the job has ended. Aborted: the job has failed, with its reason. InvalidArgument:
// options. Unavailable: no coordinator, or the address is in use.
absl::Status RunServer(const ServerOptions& options);

}  // namespace convoy

#endif  // CONVOY_PS_SERVER_H_
