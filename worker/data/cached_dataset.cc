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
  bool sparse() const override { return header().in_rows(); }
  bool has_ids() const override { return header().kind == CacheKind::kIds; }
  int64_t fields() const override { return options_.fields; }
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
    if (has_ids()) parts.push_back(static_cast<uint64_t>(options_.fields));
    if (options_.selected) parts.push_back(ChecksumOf(std::span(options_.rows)));
    return ChecksumOf(std::span(parts));
  }

  bool has_labels() const override { return header().labelled; }
  SkippedLines skipped() const override { return {header().bad_lines, header().first_bad_line}; }
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
    batch->columns.clear();
    batch->ids.clear();
    batch->fields.clear();
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

// Rows of different lengths: columns or ids, with values.
class RowDataset : public CachedDataset {
 public:
  using CachedDataset::CachedDataset;

 protected:
  // Where the entries of a row are in the cache, and where they go in the batch.
  struct Entries {
    size_t from = 0;
    size_t to = 0;
    size_t count = 0;
  };

  // Sets the offsets of the batch. Returns its entries.
  size_t ReadOffsets(std::span<const uint32_t> indices, Batch* batch) const {
    const std::span<const int64_t> offsets = view().row_offsets();
    batch->row_offsets.assign(1, 0);
    for (const uint32_t i : indices) {
      const size_t r = row(i);
      batch->row_offsets.push_back(batch->row_offsets.back() + offsets[r + 1] - offsets[r]);
    }
    return static_cast<size_t>(batch->row_offsets.back());
  }

  // The entries of the k-th example of the batch, which is example i.
  Entries EntriesOf(uint32_t i, size_t k, const Batch& batch) const {
    const size_t to = static_cast<size_t>(batch.row_offsets[k]);
    return {static_cast<size_t>(view().row_offsets()[row(i)]), to,
            static_cast<size_t>(batch.row_offsets[k + 1]) - to};
  }

  template <typename From, typename To>
  static void Copy(std::span<const From> all, const Entries& entries, To* out) {
    const std::span<const From> row = all.subspan(entries.from, entries.count);
    std::copy(row.begin(), row.end(), out + entries.to);
  }

  void CopyValues(const Entries& entries, Batch* batch) const {
    ScaleRow(view().values().subspan(entries.from, entries.count), scale(),
             batch->values.data() + entries.to);
  }
};

class SparseDataset final : public RowDataset {
 public:
  using RowDataset::RowDataset;

  void Read(std::span<const uint32_t> indices, Batch* batch) const override {
    ReadCommon(indices, batch);
    batch->columns.resize(ReadOffsets(indices, batch));
    batch->values.resize(batch->columns.size());
    for (size_t k = 0; k < indices.size(); ++k) {
      const Entries entries = EntriesOf(indices[k], k, *batch);
      Copy(view().columns(), entries, batch->columns.data());
      CopyValues(entries, batch);
    }
  }
};

class IdDataset final : public RowDataset {
 public:
  using RowDataset::RowDataset;

  void Read(std::span<const uint32_t> indices, Batch* batch) const override {
    ReadCommon(indices, batch);
    batch->ids.resize(ReadOffsets(indices, batch));
    const size_t entries = batch->ids.size();
    const bool stored_values = header().element == CacheElement::kFloat32;
    const bool stored_fields = !view().fields().empty();
    batch->fields.assign(entries, 0);
    batch->values.assign(entries, scale());
    for (size_t k = 0; k < indices.size(); ++k) {
      const Entries row = EntriesOf(indices[k], k, *batch);
      Copy(view().ids(), row, batch->ids.data());
      if (stored_fields) Copy(view().fields(), row, batch->fields.data());
      if (stored_values) CopyValues(row, batch);
    }
  }
};

}  // namespace

void ScaleRow(std::span<const uint8_t> in, float scale, float* out) { ScaleInto(in, scale, out); }
void ScaleRow(std::span<const float> in, float scale, float* out) { ScaleInto(in, scale, out); }

std::unique_ptr<Dataset> MakeDataset(std::shared_ptr<const CacheFile> cache,
                                     DatasetOptions options) {
  switch (cache->view().header().kind) {
    case CacheKind::kSparse:
      return std::make_unique<SparseDataset>(std::move(cache), std::move(options));
    case CacheKind::kIds:
      return std::make_unique<IdDataset>(std::move(cache), std::move(options));
    case CacheKind::kDense:
      break;
  }
  return std::make_unique<DenseDataset>(std::move(cache), std::move(options));
}

}  // namespace convoy
