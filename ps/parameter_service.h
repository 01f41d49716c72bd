// A ServerCore on the network: decodes requests, encodes replies, answers GetLayout and GetStats.
// Until a core is installed requests are answered UNAVAILABLE.
#ifndef CONVOY_PS_PARAMETER_SERVICE_H_
#define CONVOY_PS_PARAMETER_SERVICE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/rehearsal/link_limit.h"
#include "proto/parameter_server.pb.h"
#include "ps/server_core.h"

namespace convoy {

class ParameterService {
 public:
  struct Options {
    std::string listen = "127.0.0.1:0";
    int threads = 1;
    // How long a thread asks for the next request again and again before it sleeps.
    absl::Duration spin = absl::ZeroDuration();
    // Replies that a worker has not taken yet; a stream above this is closed.
    size_t max_backlog_bytes = size_t{256} << 20;
    const Clock* clock = &Clock::Real();
  };

  // Unavailable: the address can't be listened on.
  static absl::StatusOr<std::unique_ptr<ParameterService>> Start(Options options);
  // Ends all streams.
  ~ParameterService();

  // host:port that was bound.
  const std::string& address() const;
  // From now on requests go to `core`. Call once.
  void Install(std::shared_ptr<ServerCore> core);
  // Messages of streams carry checksums, both ways (cluster.wire_checksums), also those that say
  // that there is no part yet. Call before Install.
  void UseChecksums();
  // See StreamServer. Call before Install.
  void SetMaxBacklog(size_t bytes);
  void SetLink(const LinkLimit& limit);
  absl::Status ListenLocally(bool share_memory);
  // Counters, with the bytes of the network.
  v1::ServerStats Stats() const;
  void Stop();

 private:
  class Impl;
  explicit ParameterService(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy

#endif  // CONVOY_PS_PARAMETER_SERVICE_H_
