#include "worker/data/id_cache.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr uint64_t kPieceElements = 1 << 16;

template <typename T>
std::span<const char> IdBytes(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

}  // namespace

template <typename T>
absl::Status IdCacheWriter::LazySection<T>::Add(std::span<const T> elements, CacheWriter* writer) {
  if (!begun_ && std::ranges::all_of(elements, [&](T element) { return element == usual_; })) {
    skipped_ += elements.size();
    return absl::OkStatus();
  }
  CONVOY_RETURN_IF_ERROR(Begin(writer));
  return writer->Append(section_, IdBytes(elements));
}

template <typename T>
absl::Status IdCacheWriter::LazySection<T>::Begin(CacheWriter* writer) {
  begun_ = true;
  const std::vector<T> usual(std::min(skipped_, kPieceElements), usual_);
  while (skipped_ > 0) {
    const uint64_t piece = std::min<uint64_t>(skipped_, usual.size());
    CONVOY_RETURN_IF_ERROR(writer->Append(section_, IdBytes<T>(std::span(usual).first(piece))));
    skipped_ -= piece;
  }
  return absl::OkStatus();
}

absl::Status IdCacheWriter::Add(const IdRows& rows) {
  for (const int64_t end : rows.row_ends) offsets_.push_back(entries_ + end);
  entries_ += static_cast<int64_t>(rows.ids.size());
  CONVOY_RETURN_IF_ERROR(writer_->Append(kRowOffsets, IdBytes<int64_t>(offsets_)));
  offsets_.clear();
  if (labelled_) CONVOY_RETURN_IF_ERROR(writer_->Append(kLabels, IdBytes<float>(rows.labels)));
  CONVOY_RETURN_IF_ERROR(writer_->Append(kIds, IdBytes(rows.ids)));
  CONVOY_RETURN_IF_ERROR(values_.Add(rows.values, writer_));
  return fields_.Add(rows.fields, writer_);
}

absl::StatusOr<CacheHeader> IdCacheWriter::Finish(const IdSummary& summary,
                                                  const std::string& name) {
  if (summary.rows > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": expected at most 2^32 - 1 examples, got ", summary.rows));
  }
  if (summary.fields > 1) CONVOY_RETURN_IF_ERROR(fields_.Begin(writer_));
  CacheHeader header;
  header.kind = CacheKind::kIds;
  header.element = values_.begun() ? CacheElement::kFloat32 : CacheElement::kOne;
  header.examples = summary.rows;
  header.entries = summary.entries;
  header.labelled = labelled_;
  header.fields = summary.fields;
  header.fields_line = summary.fields_line;
  header.bad_lines = summary.bad_lines;
  header.first_bad_line = summary.first_bad_line;
  return header;
}

}  // namespace convoy
