// OpenData and OpenFile of dataset.h: from the settings of a job to data sets.
#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/math/random.h"
#include "common/status.h"
#include "worker/data/cache.h"
#include "worker/data/cached_dataset.h"
#include "worker/data/csv/learned_schema.h"
#include "worker/data/dataset.h"
#include "worker/data/default_cache_dir.h"
#include "worker/data/file_format.h"

namespace convoy {
namespace {

using CachePointer = std::shared_ptr<const CacheFile>;

constexpr double kUbyteScale = 1.0 / 255;

bool IsCsv(v1::Data::Format format) { return format == v1::Data::CSV || format == v1::Data::TSV; }

absl::StatusOr<v1::Data::Format> FormatOf(const v1::Data& data, const std::string& path) {
  if (data.format() != v1::Data::AUTO) return data.format();
  CONVOY_ASSIGN_OR_RETURN(const v1::Data::Format found, DetectFormat(path));
  // data.csv says that it is text in columns, even if it is only one.
  return data.has_csv() && found == v1::Data::LIBSVM ? v1::Data::CSV : found;
}

CacheOptions CacheOptionsOf(const v1::Data& data, const ActivityCallback& activity) {
  CacheOptions options;
  options.directory = data.cache_dir().empty() ? DefaultCacheDir() : data.cache_dir();
  options.activity = activity;
  return options;
}

// `use`: of CSV and TSV files.
absl::StatusOr<CachePointer> OpenCacheOf(const v1::Data& data, v1::Data::Format format,
                                         const std::string& examples, const std::string& labels,
                                         const FileUse& use, const ActivityCallback& activity) {
  CacheSource source = {format, examples, format == v1::Data::IDX ? labels : "",
                        format == v1::Data::LIBSVM && data.zero_based()};
  if (IsCsv(format)) {
    source.csv = data.csv();
    source.encoding = {use.schema, use.labels ? data.csv().max_bad_lines() : 0, use.labels};
  }
  return OpenCache(source, CacheOptionsOf(data, activity));
}

// Null for formats other than CSV and TSV.
absl::StatusOr<std::shared_ptr<const v1::Schema>> SchemaOf(const v1::Data& data,
                                                           v1::Data::Format format,
                                                           const ActivityCallback& activity) {
  if (!IsCsv(format)) return nullptr;
  if (data.csv().label().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(data.train(), " is a ",
                                                   v1::Data::Format_Name(format),
                                                   " file: set data.csv.label to the name of the "
                                                   "column to learn (`convoy init` writes a job)"));
  }
  return LearnedSchema(data.train(), data.csv(), format == v1::Data::TSV,
                       CacheOptionsOf(data, activity));
}

// The labels that the job names, or those that go with the name of the images. `setting` is for
// the error.
absl::StatusOr<std::string> RequiredLabels(v1::Data::Format format, const std::string& named,
                                           const std::string& images, const char* setting) {
  if (format != v1::Data::IDX || !named.empty()) return named;
  std::string derived = LabelsPathFor(images);
  if (!derived.empty()) return derived;
  return absl::InvalidArgumentError(
      absl::StrCat(images,
                   ": where are its labels? Its name has no \"images-idx3\" to replace by "
                   "\"labels-idx1\"; set ",
                   setting));
}

// Features of a data set on `cache`, given those of the job (0: not set).
absl::StatusOr<int64_t> FeaturesOf(const CacheHeader& header, const std::string& path,
                                   int64_t wanted) {
  const int64_t found = static_cast<int64_t>(header.features);
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
  if (header.kind == CacheKind::kDense || static_cast<int64_t>(header.features) <= features) {
    return absl::OkStatus();
  }
  const int64_t offset = zero_based ? 1 : 0;
  return absl::InvalidArgumentError(absl::StrCat(
      path, ":", header.features_line, ": index ", static_cast<int64_t>(header.features) - offset,
      ": expected at most ", features - offset, ", since there are ", features,
      " features (data.features, or the largest index of the training data)"));
}

absl::StatusOr<DatasetOptions> OptionsFor(const v1::Data& data, const CacheHeader& header,
                                          const std::string& path, int64_t wanted_features) {
  DatasetOptions options;
  CONVOY_ASSIGN_OR_RETURN(options.features, FeaturesOf(header, path, wanted_features));
  CONVOY_RETURN_IF_ERROR(CheckLargestIndex(header, path, options.features, data.zero_based()));
  const bool ubyte = header.kind == CacheKind::kDense && header.element == CacheElement::kUbyte;
  options.scale = static_cast<float>(data.has_scale() ? data.scale() : ubyte ? kUbyteScale : 1.0);
  return options;
}

absl::Status CheckSettings(const v1::Data& data) {
  if (data.train().empty()) return absl::InvalidArgumentError("data.train is not set");
  if (!std::isfinite(static_cast<float>(data.scale()))) {
    return absl::InvalidArgumentError(
        absl::StrCat("data.scale: expected a finite float32, got ", data.scale()));
  }
  if (data.features() > uint64_t{1} << 32) {
    return absl::InvalidArgumentError(
        absl::StrCat("data.features: expected at most 2^32, got ", data.features()));
  }
  return absl::OkStatus();
}

// Cuts `fraction` of the examples out of `options` of the training data, for validation.
absl::StatusOr<DatasetOptions> HoldBack(double fraction, uint64_t n, uint64_t seed,
                                        const std::string& path, DatasetOptions* train) {
  if (!(fraction > 0 && fraction < 1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "data.validation.fraction: expected a number between 0 and 1, got ", fraction));
  }
  if (n < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": data.validation.fraction needs at least 2 examples, got ", n));
  }
  const auto held = std::clamp<uint64_t>(
      static_cast<uint64_t>(std::llround(fraction * static_cast<double>(n))), 1, n - 1);
  std::vector<uint32_t> order = SeededPermutation(n, seed, "validation split", 0);
  const auto cut = order.begin() + static_cast<int64_t>(held);
  std::sort(order.begin(), cut);
  std::sort(cut, order.end());
  DatasetOptions validation = *train;
  validation.rows.assign(order.begin(), cut);
  train->rows.assign(cut, order.end());
  validation.selected = train->selected = true;
  return validation;
}

absl::StatusOr<std::unique_ptr<Dataset>> OpenValidationFile(const v1::Data& data,
                                                            v1::Data::Format format,
                                                            int64_t features, const FileUse& use,
                                                            const ActivityCallback& activity) {
  const std::string& path = data.validation().path();
  CONVOY_ASSIGN_OR_RETURN(
      const std::string labels,
      RequiredLabels(format, data.validation().labels(), path, "data.validation.labels"));
  CONVOY_ASSIGN_OR_RETURN(CachePointer cache,
                          OpenCacheOf(data, format, path, labels, use, activity));
  CONVOY_ASSIGN_OR_RETURN(DatasetOptions options,
                          OptionsFor(data, cache->view().header(), path, features));
  return MakeDataset(std::move(cache), std::move(options));
}

// The labels of a file to evaluate or predict on; empty: it has none.
std::string OptionalLabels(const v1::Data& data, const std::string& path) {
  if (path == data.train() && !data.train_labels().empty()) return data.train_labels();
  if (path == data.validation().path() && !data.validation().labels().empty()) {
    return data.validation().labels();
  }
  std::string derived = LabelsPathFor(path);
  return FileExists(derived) ? derived : "";
}

}  // namespace

absl::StatusOr<DataSets> OpenData(const v1::Data& data, uint64_t seed,
                                  const ActivityCallback& activity) {
  CONVOY_RETURN_IF_ERROR(CheckSettings(data));
  CONVOY_ASSIGN_OR_RETURN(const v1::Data::Format format, FormatOf(data, data.train()));
  CONVOY_ASSIGN_OR_RETURN(
      const std::string labels,
      RequiredLabels(format, data.train_labels(), data.train(), "data.train_labels"));
  FileUse use;
  CONVOY_ASSIGN_OR_RETURN(use.schema, SchemaOf(data, format, activity));
  CONVOY_ASSIGN_OR_RETURN(CachePointer cache,
                          OpenCacheOf(data, format, data.train(), labels, use, activity));
  const CacheHeader& header = cache->view().header();
  CONVOY_ASSIGN_OR_RETURN(
      DatasetOptions options,
      OptionsFor(data, header, data.train(), static_cast<int64_t>(data.features())));
  DataSets sets;
  sets.schema = use.schema;
  const v1::Validation& validation = data.validation();
  if (validation.source_case() == v1::Validation::kPath) {
    CONVOY_ASSIGN_OR_RETURN(sets.validation,
                            OpenValidationFile(data, format, options.features, use, activity));
  } else if (validation.source_case() == v1::Validation::kFraction) {
    CONVOY_ASSIGN_OR_RETURN(DatasetOptions held, HoldBack(validation.fraction(), header.examples,
                                                          seed, data.train(), &options));
    sets.validation = MakeDataset(cache, std::move(held));
  }
  sets.train = MakeDataset(std::move(cache), std::move(options));
  return sets;
}

absl::StatusOr<std::unique_ptr<Dataset>> OpenFile(const v1::Data& data, const std::string& path,
                                                  const ActivityCallback& activity,
                                                  const FileUse& use) {
  CONVOY_ASSIGN_OR_RETURN(const v1::Data::Format format,
                          use.schema != nullptr ? v1::Data::CSV : FormatOf(data, path));
  if (IsCsv(format) && use.schema == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is a CSV file, but the run has no schema.json to read it with"));
  }
  const std::string labels = format == v1::Data::IDX ? OptionalLabels(data, path) : "";
  CONVOY_ASSIGN_OR_RETURN(CachePointer cache,
                          OpenCacheOf(data, format, path, labels, use, activity));
  CONVOY_ASSIGN_OR_RETURN(
      DatasetOptions options,
      OptionsFor(data, cache->view().header(), path, static_cast<int64_t>(data.features())));
  return MakeDataset(std::move(cache), std::move(options));
}

}  // namespace convoy
