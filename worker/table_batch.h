// The rows of one table that one batch reads: which ones, their values, and their gradients.
#ifndef CONVOY_WORKER_TABLE_BATCH_H_
#define CONVOY_WORKER_TABLE_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/aligned_buffer.h"
#include "common/net/payload.h"
#include "worker/layers/weights.h"
#include "worker/row_index.h"

namespace convoy {

// Shared by the training loop and the messages under way; one thread.
class TableBatch : public std::enable_shared_from_this<TableBatch> {
 public:
  // A part travels in a message of its own: whole buckets of one server, about 512 KiB of values.
  struct Part {
    uint32_t server = 0;
    size_t begin = 0, end = 0;  // rows
    uint64_t version = 0;       // of the values
  };

  // `anchors`: floats behind the `dim` weights of each row that is pulled, see
  // RowSource::WantRowsAndAnchors.
  TableBatch(uint32_t table, uint32_t dim, uint32_t servers, uint32_t anchors = 0)
      : table_(table), dim_(dim), columns_(dim + anchors), servers_(servers), index_(servers) {}

  // The rows of `ids`, one for each place.
  void Build(std::span<const uint64_t> ids);

  uint32_t table() const { return table_; }
  uint32_t anchors() const { return columns_ - dim_; }
  const std::vector<Part>& parts() const { return parts_; }
  Payload Ids(const Part& part);
  Payload Gradients(const Part& part);
  size_t value_bytes(const Part& part) const {
    return (part.end - part.begin) * columns_ * sizeof(float);
  }
  size_t gradient_bytes(const Part& part) const {
    return (part.end - part.begin) * dim_ * sizeof(float);
  }

  // The values of part `i` have come; value_bytes() of them.
  void Arrive(size_t i, uint64_t version, const Payload& values);
  // Parts whose values have not come.
  size_t awaited() const { return awaited_; }
  // Nothing is asked for: the values of a server's parts are of versions[server].
  void SetVersions(std::span<const uint64_t> versions);

  TableRows rows() const {
    return {{values_.data(), size() * columns_}, index_.places(), static_cast<int64_t>(size())};
  }
  // In the order of the messages; the values are those of Arrive, or are written here.
  std::span<const uint64_t> ids() const { return index_.unique(); }
  std::span<float> values() { return {values_.data(), size() * columns_}; }
  std::span<float> gradients() { return {gradients_.data(), size() * dim_}; }

 private:
  size_t size() const { return index_.unique().size(); }

  const uint32_t table_, dim_, columns_, servers_;
  RowIndex index_;
  std::vector<Part> parts_;
  size_t awaited_ = 0;
  AlignedBuffer values_, gradients_;  // row-major [rows, columns] and [rows, dim]
};

// By table.
using TableBatches = std::vector<std::shared_ptr<TableBatch>>;

// Batches whose memory is used again when nobody holds them any more. One thread.
class TableBatchPool {
 public:
  explicit TableBatchPool(uint32_t servers) : servers_(servers) {}
  std::shared_ptr<TableBatch> Get(uint32_t table, uint32_t dim, uint32_t anchors = 0);

 private:
  const uint32_t servers_;
  std::vector<std::shared_ptr<TableBatch>> batches_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_TABLE_BATCH_H_
