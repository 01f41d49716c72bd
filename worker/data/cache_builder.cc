#include "worker/data/cache_builder.h"

#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/data/byte_source.h"
#include "worker/data/criteo.h"
#include "worker/data/id_cache.h"
#include "worker/data/id_text.h"
#include "worker/data/idx.h"
#include "worker/data/libsvm.h"

namespace convoy {
namespace {

template <typename T>
std::span<const char> Bytes(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

absl::StatusOr<std::unique_ptr<ByteSource>> OpenSource(const std::string& path,
                                                       const ActivityCallback& activity) {
  CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> file, FileSource(path, activity));
  return Decompressed(std::move(file), path);
}

// An IDX file, its header read and checked.
struct IdxInput {
  std::string path;
  std::unique_ptr<ByteSource> source;
  IdxHeader header;

  absl::Status CopyTo(CacheSection section, IdxElements elements, CacheWriter* writer) const {
    return ReadIdxElements(*source, path, header, elements, [&](std::span<const char> piece) {
      return writer->Append(section, piece);
    });
  }
};

absl::StatusOr<IdxInput> OpenIdx(const std::string& path, int max_dimensions,
                                 const ActivityCallback& activity) {
  IdxInput input = {path, nullptr, {}};
  CONVOY_ASSIGN_OR_RETURN(input.source, OpenSource(path, activity));
  CONVOY_ASSIGN_OR_RETURN(input.header, ReadIdxHeader(*input.source, path, max_dimensions));
  return input;
}

CacheHeader DescribeIdx(const IdxHeader& idx) {
  CacheHeader header;
  header.kind = CacheKind::kDense;
  header.element = idx.type == IdxType::kUbyte ? CacheElement::kUbyte : CacheElement::kFloat32;
  header.examples = idx.examples();
  header.features = idx.example_elements();
  header.entries = header.examples * header.features;
  header.shape = {1, 1, header.features};
  if (idx.sizes.size() >= 3) {
    header.shape = {idx.sizes[1], idx.sizes[2], idx.sizes.size() == 4 ? idx.sizes[3] : 1};
  }
  return header;
}

absl::Status WriteIdxLabels(const CacheSource& source, uint64_t examples,
                            const ActivityCallback& activity, CacheWriter* writer) {
  CONVOY_ASSIGN_OR_RETURN(const IdxInput labels, OpenIdx(source.labels, 1, activity));
  if (labels.header.examples() != examples) {
    return absl::InvalidArgumentError(absl::StrCat(
        source.labels, ": byte 4: expected ", examples, " labels, as many as examples in ",
        source.examples, ", got ", labels.header.examples()));
  }
  return labels.CopyTo(kLabels, IdxElements::kFloat, writer);
}

absl::StatusOr<CacheHeader> WriteIdx(const CacheSource& source, const ActivityCallback& activity,
                                     CacheWriter* writer) {
  CONVOY_ASSIGN_OR_RETURN(const IdxInput input, OpenIdx(source.examples, 4, activity));
  CacheHeader header = DescribeIdx(input.header);
  header.labelled = !source.labels.empty();
  // The labels first: they are small, and a wrong file of labels is found at once.
  if (header.labelled) {
    CONVOY_RETURN_IF_ERROR(WriteIdxLabels(source, header.examples, activity, writer));
  }
  const IdxElements elements =
      header.element == CacheElement::kUbyte ? IdxElements::kAsStored : IdxElements::kFloat;
  CONVOY_RETURN_IF_ERROR(input.CopyTo(kValues, elements, writer));
  return header;
}

// Appends pieces of rows; their ends become offsets of the whole file.
class LibsvmWriter {
 public:
  explicit LibsvmWriter(CacheWriter* writer) : writer_(writer) {}

  absl::Status Begin() {
    offsets_.assign(1, 0);
    return writer_->Append(kRowOffsets, Bytes<int64_t>(offsets_));
  }

  absl::Status Add(const LibsvmRows& rows) {
    offsets_.clear();
    for (const int64_t end : rows.row_ends) offsets_.push_back(entries_ + end);
    entries_ += static_cast<int64_t>(rows.columns.size());
    CONVOY_RETURN_IF_ERROR(writer_->Append(kRowOffsets, Bytes<int64_t>(offsets_)));
    CONVOY_RETURN_IF_ERROR(writer_->Append(kLabels, Bytes<float>(rows.labels)));
    CONVOY_RETURN_IF_ERROR(writer_->Append(kColumns, Bytes(rows.columns)));
    return writer_->Append(kValues, Bytes(rows.values));
  }

 private:
  CacheWriter* const writer_;
  std::vector<int64_t> offsets_;
  int64_t entries_ = 0;
};

absl::StatusOr<CacheHeader> WriteLibsvm(const CacheSource& source, const ActivityCallback& activity,
                                        CacheWriter* writer) {
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<ByteSource> text,
                          OpenSource(source.examples, activity));
  LibsvmWriter rows(writer);
  CONVOY_RETURN_IF_ERROR(rows.Begin());
  CONVOY_ASSIGN_OR_RETURN(
      const LibsvmSummary summary,
      ReadLibsvm(*text, source.examples, {source.zero_based, source.max_bad_lines},
                 [&](const LibsvmRows& piece) { return rows.Add(piece); }));
  if (summary.rows > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat(source.examples, ": expected at most 2^32 - 1 examples, got ", summary.rows));
  }
  CacheHeader header;
  header.kind = CacheKind::kSparse;
  header.examples = summary.rows;
  header.features = summary.columns;
  header.features_line = summary.columns_line;
  header.entries = summary.entries;
  header.bad_lines = summary.bad_lines;
  header.first_bad_line = summary.first_bad_line;
  return header;
}

absl::StatusOr<CacheHeader> WriteIds(const CacheSource& source, IdParser& parser,
                                     const ActivityCallback& activity, CacheWriter* writer) {
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<ByteSource> text,
                          OpenSource(source.examples, activity));
  IdCacheWriter rows(/*labelled=*/true, writer);
  CONVOY_ASSIGN_OR_RETURN(const IdSummary summary, ReadIds(*text, parser, [&](const IdRows& piece) {
                            return rows.Add(piece);
                          }));
  return rows.Finish(summary, source.examples);
}

absl::StatusOr<CacheHeader> WriteIdText(const CacheSource& source, IdTextFormat format,
                                        const ActivityCallback& activity, CacheWriter* writer) {
  IdTextParser parser(format, source.examples, source.max_bad_lines);
  return WriteIds(source, parser, activity, writer);
}

}  // namespace

absl::StatusOr<CacheHeader> WriteSections(const CacheSource& source,
                                          const ActivityCallback& activity, CacheWriter* writer) {
  switch (source.format) {
    case v1::Data::IDX:
      return WriteIdx(source, activity, writer);
    case v1::Data::CSV:
    case v1::Data::TSV: {
      CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> text,
                              OpenSource(source.examples, activity));
      return WriteCsv(std::move(text), source.examples, source.encoding, writer);
    }
    case v1::Data::LIBFFM:
      return WriteIdText(source, IdTextFormat::kLibffm, activity, writer);
    case v1::Data::CRITEO: {
      CriteoParser parser(source.examples, source.max_bad_lines);
      return WriteIds(source, parser, activity, writer);
    }
    default:
      if (source.ids) return WriteIdText(source, IdTextFormat::kLibsvm, activity, writer);
      return WriteLibsvm(source, activity, writer);
  }
}

}  // namespace convoy
