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
  // `address`: host:port of the server. It is called when the first bucket is read.
  TableReader(const std::string& address, uint64_t job_id, absl::Duration timeout);
  ~TableReader();

  // The rows of the bucket, or only how many there are. Unavailable, DeadlineExceeded: the server
  // does not answer within the timeout, says which; else what it answers.
  absl::StatusOr<v1::ReadTableReply> Read(uint32_t table, uint32_t bucket, bool count_only);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_TABLE_READER_H_
