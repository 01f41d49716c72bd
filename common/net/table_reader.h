// Reads the rows of embedding tables from a server, bucket by bucket.
#ifndef CONVOY_COMMON_NET_TABLE_READER_H_
#define CONVOY_COMMON_NET_TABLE_READER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/parameter_server.pb.h"

namespace convoy {

// One thread.
class TableReader {
 public:
  // `address`: host:port of the server. It is called when the first bucket is asked for.
  TableReader(const std::string& address, uint64_t job_id, absl::Duration timeout);
  // Questions that are still open are called off.
  ~TableReader();

  // Asks for the rows of the bucket, or only for how many there are, and does not wait: the next
  // one may be on its way meanwhile.
  void Ask(uint32_t table, uint32_t bucket, bool count_only);
  // The answer to the earliest question that is open; there must be one. Unavailable,
  // DeadlineExceeded: the server does not answer within the timeout, says which; else what it
  // answers.
  absl::StatusOr<v1::ReadTableReply> Await();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_TABLE_READER_H_
