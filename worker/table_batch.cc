#include "worker/table_batch.h"

#include <atomic>

namespace convoy {
namespace {

constexpr size_t kPartBytes = size_t{512} << 10;

}  // namespace

void TableBatch::Build(std::span<const uint64_t> ids) {
  index_.Build(ids);
  if (const size_t rows = size(); rows * columns_ > values_.size()) {
    const size_t roomy = rows + rows / 4;
    values_.Reserve(roomy * columns_);
    gradients_.Reserve(roomy * dim_);
  }
  parts_.clear();
  for (uint32_t server = 0; server < servers_; ++server) {
    const std::span<const uint32_t> offsets = index_.bucket_offsets(server);
    size_t begin = offsets.front();
    for (size_t b = 1; b < offsets.size(); ++b) {
      const size_t end = offsets[b];
      const bool full = (end - begin) * columns_ * sizeof(float) >= kPartBytes;
      if (end == begin || !(full || b + 1 == offsets.size())) continue;
      parts_.push_back({server, begin, end, 0});
      begin = end;
    }
  }
  awaited_ = parts_.size();
}

Payload TableBatch::Ids(const Part& part) {
  Payload payload(shared_from_this());
  const std::span<const uint64_t> ids = index_.unique().subspan(part.begin, part.end - part.begin);
  payload.Append({reinterpret_cast<const char*>(ids.data()), ids.size_bytes()});
  return payload;
}

Payload TableBatch::Gradients(const Part& part) {
  return Payload(
      std::span<const float>(gradients_.data() + part.begin * dim_, (part.end - part.begin) * dim_),
      shared_from_this());
}

void TableBatch::Arrive(size_t i, uint64_t version, const Payload& values) {
  Part& part = parts_[i];
  part.version = version;
  values.CopyTo(values_.data() + part.begin * columns_);
  --awaited_;
}

void TableBatch::SetVersions(std::span<const uint64_t> versions) {
  for (Part& part : parts_) part.version = versions[part.server];
  awaited_ = 0;
}

std::shared_ptr<TableBatch> TableBatchPool::Get(uint32_t table, uint32_t dim, uint32_t anchors) {
  for (const std::shared_ptr<TableBatch>& batch : batches_) {
    if (batch->table() != table || batch->anchors() != anchors || batch.use_count() > 1) continue;
    std::atomic_thread_fence(std::memory_order_acquire);  // gRPC's threads have let go of it
    return batch;
  }
  return batches_.emplace_back(std::make_shared<TableBatch>(table, dim, servers_, anchors));
}

}  // namespace convoy
