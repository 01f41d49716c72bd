#include "worker/data/cached_dataset.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

namespace convoy {
namespace {

constexpr size_t kCacheLine = 64;

template <typename T>
void ScaleInto(std::span<const T> in, float scale, float* __restrict out) {
  for (size_t i = 0; i < in.size(); ++i) out[i] = static_cast<float>(in[i]) * scale;
}

template <typename T>
void Prefetch(std::span<const T> row) {
  const char* const bytes = reinterpret_cast<const char*>(row.data());
  for (size_t i = 0; i < row.size_bytes(); i += kCacheLine) __builtin_prefetch(bytes + i);
}

class CachedDataset : public Dataset {
 public:
  CachedDataset(std::shared_ptr<const CacheFile> cache, DatasetOptions options)
      : cache_(std::move(cache)), options_(std::move(options)) {}

  int64_t size() const override {
    return static_cast<int64_t>(options_.selected ? options_.rows.size() : header().examples);
  }
  int64_t features() const override { return options_.features; }
  bool sparse() const override { return header().kind == CacheKind::kSparse; }
  ExampleShape example_shape() const override {
    if (sparse()) return {1, 1, options_.features};
    const auto& shape = header().shape;
    return {static_cast<int64_t>(shape[0]), static_cast<int64_t>(shape[1]),
            static_cast<int64_t>(shape[2])};
  }

  uint64_t fingerprint() const override {
    std::vector<uint64_t> parts = {static_cast<uint64_t>(header().kind),
                                   static_cast<uint64_t>(header().element), header().examples,
                                   static_cast<uint64_t>(options_.features),
                                   std::bit_cast<uint32_t>(options_.scale)};
    for (const CacheExtent& section : header().sections) parts.push_back(section.checksum);
    if (options_.selected) parts.push_back(ChecksumOf(std::span(options_.rows)));
    return ChecksumOf(std::span(parts));
  }

  bool has_labels() const override { return header().labelled; }
  float label(int64_t i) const override {
    return has_labels() ? view().labels()[row(static_cast<uint32_t>(i))]
                        : std::numeric_limits<float>::quiet_NaN();
  }

 protected:
  const CacheView& view() const { return cache_->view(); }
  const CacheHeader& header() const { return view().header(); }
  float scale() const { return options_.scale; }
  // The row of the cache that holds example i.
  size_t row(uint32_t i) const { return options_.selected ? options_.rows[i] : i; }

  // Everything but the features.
  void ReadCommon(std::span<const uint32_t> indices, Batch* batch) const {
    batch->size = static_cast<int64_t>(indices.size());
    batch->features = options_.features;
    batch->sparse = sparse();
    batch->examples.assign(indices.begin(), indices.end());
    batch->labels.clear();
    batch->weights.clear();
    if (!has_labels()) return;
    const std::span<const float> labels = view().labels();
    for (const uint32_t i : indices) batch->labels.push_back(labels[row(i)]);
  }

 private:
  template <typename T>
  static uint64_t ChecksumOf(std::span<T> values) {
    return Checksum({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  }

  const std::shared_ptr<const CacheFile> cache_;
  const DatasetOptions options_;
};

class DenseDataset final : public CachedDataset {
 public:
  using CachedDataset::CachedDataset;

  void Read(std::span<const uint32_t> indices, Batch* batch) const override {
    ReadCommon(indices, batch);
    batch->dense.Reserve(indices.size() * static_cast<size_t>(features()));
    if (header().element == CacheElement::kUbyte) {
      Gather(view().ubytes(), indices, batch->dense.data());
    } else {
      Gather(view().values(), indices, batch->dense.data());
    }
  }

 private:
  template <typename T>
  void Gather(std::span<const T> values, std::span<const uint32_t> indices, float* out) const {
    const size_t width = static_cast<size_t>(features());
    const auto source = [&](size_t k) { return values.subspan(row(indices[k]) * width, width); };
    for (size_t k = 0; k < indices.size(); ++k) {
      if (k + 1 < indices.size()) Prefetch(source(k + 1));
      ScaleRow(source(k), scale(), out + k * width);
    }
  }
};

class SparseDataset final : public CachedDataset {
 public:
  using CachedDataset::CachedDataset;

  void Read(std::span<const uint32_t> indices, Batch* batch) const override {
    ReadCommon(indices, batch);
    const std::span<const int64_t> offsets = view().row_offsets();
    batch->row_offsets.assign(1, 0);
    for (const uint32_t i : indices) {
      const size_t r = row(i);
      batch->row_offsets.push_back(batch->row_offsets.back() + offsets[r + 1] - offsets[r]);
    }
    batch->columns.resize(static_cast<size_t>(batch->row_offsets.back()));
    batch->values.resize(batch->columns.size());
    for (size_t k = 0; k < indices.size(); ++k) CopyRow(row(indices[k]), k, batch);
  }

 private:
  void CopyRow(size_t from, size_t to, Batch* batch) const {
    const size_t begin = static_cast<size_t>(view().row_offsets()[from]);
    const size_t out = static_cast<size_t>(batch->row_offsets[to]);
    const size_t count = static_cast<size_t>(batch->row_offsets[to + 1]) - out;
    std::copy_n(view().columns().begin() + static_cast<int64_t>(begin), count,
                batch->columns.begin() + static_cast<int64_t>(out));
    ScaleRow(view().values().subspan(begin, count), scale(), batch->values.data() + out);
  }
};

}  // namespace

void ScaleRow(std::span<const uint8_t> in, float scale, float* out) { ScaleInto(in, scale, out); }
void ScaleRow(std::span<const float> in, float scale, float* out) { ScaleInto(in, scale, out); }

std::unique_ptr<Dataset> MakeDataset(std::shared_ptr<const CacheFile> cache,
                                     DatasetOptions options) {
  if (cache->view().header().kind == CacheKind::kSparse) {
    return std::make_unique<SparseDataset>(std::move(cache), std::move(options));
  }
  return std::make_unique<DenseDataset>(std::move(cache), std::move(options));
}

}  // namespace convoy
