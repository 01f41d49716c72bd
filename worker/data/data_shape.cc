#include "worker/data/data_shape.h"

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr double kUbyteScale = 1.0 / 255;

// Features of a data set on `cache`, given those of the job (0: not set).
absl::StatusOr<int64_t> FeaturesOf(const CacheHeader& header, const std::string& path,
                                   int64_t wanted) {
  const int64_t found = static_cast<int64_t>(header.features);
  if (header.kind == CacheKind::kIds) {
    if (wanted == 0) return 0;
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": its features are ids without an upper bound; data.features must not be set"));
  }
  if (wanted == 0) {
    if (found > 0) return found;
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": no example has a feature; set data.features"));
  }
  if (header.kind == CacheKind::kDense && found != wanted) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected ", wanted, " features an example, got ", found));
  }
  return wanted;
}

// Indices as the file writes them, with the line.
absl::Status CheckLargestIndex(const CacheHeader& header, const std::string& path, int64_t features,
                               bool zero_based) {
  if (header.kind != CacheKind::kSparse || static_cast<int64_t>(header.features) <= features) {
    return absl::OkStatus();
  }
  const int64_t offset = zero_based ? 1 : 0;
  return absl::InvalidArgumentError(absl::StrCat(
      path, ":", header.features_line, ": index ", static_cast<int64_t>(header.features) - offset,
      ": expected at most ", features - offset, ", since there are ", features,
      " features (data.features, or the largest index of the training data)"));
}

// Fields of a data set on `cache`, given those of the job (0: not set).
absl::StatusOr<int64_t> FieldsOf(const CacheHeader& header, const std::string& path,
                                 int64_t wanted) {
  const int64_t found = static_cast<int64_t>(header.fields);
  if (header.kind != CacheKind::kIds || wanted == 0 || found == 0) return found;
  if (found <= wanted) return wanted;
  return absl::InvalidArgumentError(
      absl::StrCat(path, ":", header.fields_line, ": field ", found - 1, ": expected at most ",
                   wanted - 1, ", since there are ", wanted,
                   " fields (data.fields, or the largest field of the training data)"));
}

}  // namespace

WantedShape WantedBy(const v1::Data& data) {
  return {static_cast<int64_t>(data.features()), static_cast<int64_t>(data.fields())};
}

absl::StatusOr<DatasetOptions> OptionsFor(const v1::Data& data, const CacheHeader& header,
                                          const std::string& path, const WantedShape& wanted) {
  DatasetOptions options;
  CONVOY_ASSIGN_OR_RETURN(options.features, FeaturesOf(header, path, wanted.features));
  CONVOY_ASSIGN_OR_RETURN(options.fields, FieldsOf(header, path, wanted.fields));
  CONVOY_RETURN_IF_ERROR(CheckLargestIndex(header, path, options.features, data.zero_based()));
  const bool ubyte = header.kind == CacheKind::kDense && header.element == CacheElement::kUbyte;
  options.scale = static_cast<float>(data.has_scale() ? data.scale() : ubyte ? kUbyteScale : 1.0);
  return options;
}

}  // namespace convoy
