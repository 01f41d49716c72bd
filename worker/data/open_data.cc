// OpenData and OpenFile of dataset.h: from the settings of a job to data sets.
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/data/cache.h"
#include "worker/data/cached_dataset.h"
#include "worker/data/csv/extended_schema.h"
#include "worker/data/csv/learned_schema.h"
#include "worker/data/data_shape.h"
#include "worker/data/dataset.h"
#include "worker/data/default_cache_dir.h"
#include "worker/data/file_format.h"
#include "worker/data/format_settings.h"
#include "worker/data/kept_classes.h"
#include "worker/data/split.h"

namespace convoy {
namespace {

using CachePointer = std::shared_ptr<const CacheFile>;

bool IsCsvOrTsv(v1::Data::Format format) {
  return format == v1::Data::CSV || format == v1::Data::TSV;
}

bool IsIdsOrLibsvm(v1::Data::Format format) {
  return format == v1::Data::LIBSVM || format == v1::Data::LIBFFM || format == v1::Data::CRITEO;
}

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
  CacheSource source;
  source.format = format;
  source.examples = examples;
  if (format == v1::Data::IDX) source.labels = labels;
  source.zero_based = format == v1::Data::LIBSVM && data.zero_based();
  source.ids = format == v1::Data::LIBSVM && data.ids();
  if (IsIdsOrLibsvm(format) && use.labels) source.max_bad_lines = data.max_bad_lines();
  if (IsCsvOrTsv(format)) {
    source.csv = data.csv();
    source.encoding = {use.schema, use.labels ? data.csv().max_bad_lines() : 0, use.labels};
  }
  return OpenCache(source, CacheOptionsOf(data, activity));
}

// Null for formats other than CSV and TSV.
absl::StatusOr<std::shared_ptr<const v1::Schema>> SchemaOf(const v1::Data& data,
                                                           v1::Data::Format format,
                                                           const ActivityCallback& activity) {
  if (!IsCsvOrTsv(format)) return nullptr;
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

// A file named by data.validation or data.test, with the features of the training data.
absl::StatusOr<std::unique_ptr<Dataset>> OpenHeldOutFile(
    const v1::Data& data, v1::Data::Format format, const v1::Validation& file,
    const char* labels_setting, const WantedShape& wanted, const FileUse& use,
    const ActivityCallback& activity) {
  CONVOY_ASSIGN_OR_RETURN(const std::string labels,
                          RequiredLabels(format, file.labels(), file.path(), labels_setting));
  CONVOY_ASSIGN_OR_RETURN(CachePointer cache,
                          OpenCacheOf(data, format, file.path(), labels, use, activity));
  CONVOY_ASSIGN_OR_RETURN(DatasetOptions options,
                          OptionsFor(data, cache->view().header(), file.path(), wanted));
  CONVOY_RETURN_IF_ERROR(KeepClasses(data, cache->view(), file.path(), &options));
  return MakeDataset(std::move(cache), std::move(options));
}

absl::StatusOr<std::unique_ptr<Dataset>> RowsOf(const v1::Data& data, const CachePointer& cache,
                                                DatasetOptions options,
                                                std::vector<uint32_t> rows) {
  options.rows = std::move(rows);
  options.selected = true;
  CONVOY_RETURN_IF_ERROR(KeepClasses(data, cache->view(), data.train(), &options));
  return MakeDataset(cache, std::move(options));
}

// The training file, cut into its parts.
absl::StatusOr<DataSets> OpenParts(const v1::Data& data, uint64_t seed, CachePointer cache,
                                   DatasetOptions options) {
  DataSets sets;
  if (!HasSplit(data)) {
    CONVOY_RETURN_IF_ERROR(KeepClasses(data, cache->view(), data.train(), &options));
    sets.train = MakeDataset(std::move(cache), std::move(options));
    return sets;
  }
  absl::StatusOr<Split> split = DrawSplit(data, cache->view().header().examples, seed);
  CONVOY_RETURN_IF_ERROR(Annotate(split.status(), data.train()));
  CONVOY_ASSIGN_OR_RETURN(sets.train, RowsOf(data, cache, options, std::move(split->train)));
  if (!split->validation.empty()) {
    CONVOY_ASSIGN_OR_RETURN(sets.validation,
                            RowsOf(data, cache, options, std::move(split->validation)));
  }
  if (!split->test.empty()) {
    CONVOY_ASSIGN_OR_RETURN(sets.test, RowsOf(data, cache, options, std::move(split->test)));
  }
  return sets;
}

// Also if they are written differently, e.g. one relative to the folder of the job and one to where
// the user is.
bool IsSameFile(const std::string& a, const std::string& b) {
  std::error_code ignored;
  return a == b || std::filesystem::equivalent(a, b, ignored);
}

// The labels of a file to evaluate or predict on; empty: it has none.
std::string OptionalLabels(const v1::Data& data, const std::string& path) {
  const auto named_for = [&path](const std::string& examples, const std::string& labels) {
    return !labels.empty() && IsSameFile(path, examples);
  };
  const v1::Validation &validation = data.validation(), &test = data.test();
  if (named_for(data.train(), data.train_labels())) return data.train_labels();
  if (named_for(validation.path(), validation.labels())) return validation.labels();
  if (named_for(test.path(), test.labels())) return test.labels();
  std::string derived = LabelsPathFor(path);
  return FileExists(derived) ? derived : "";
}

// `use.schema`: null: learnt from data.train.
absl::StatusOr<DataSets> OpenDataWith(const v1::Data& data, uint64_t seed, FileUse use,
                                      const ActivityCallback& activity) {
  CONVOY_RETURN_IF_ERROR(CheckSettings(data));
  CONVOY_ASSIGN_OR_RETURN(const v1::Data::Format format, FormatOf(data, data.train()));
  CONVOY_RETURN_IF_ERROR(CheckFormatSettings(data, format));
  CONVOY_ASSIGN_OR_RETURN(
      const std::string labels,
      RequiredLabels(format, data.train_labels(), data.train(), "data.train_labels"));
  if (use.schema == nullptr) {
    CONVOY_ASSIGN_OR_RETURN(use.schema, SchemaOf(data, format, activity));
  }
  CONVOY_ASSIGN_OR_RETURN(CachePointer cache,
                          OpenCacheOf(data, format, data.train(), labels, use, activity));
  const CacheHeader& header = cache->view().header();
  CONVOY_ASSIGN_OR_RETURN(DatasetOptions options,
                          OptionsFor(data, header, data.train(), WantedBy(data)));
  const WantedShape wanted = {options.features, options.fields};
  CONVOY_ASSIGN_OR_RETURN(DataSets sets,
                          OpenParts(data, seed, std::move(cache), std::move(options)));
  sets.schema = use.schema;
  if (data.validation().has_path()) {
    CONVOY_ASSIGN_OR_RETURN(
        sets.validation, OpenHeldOutFile(data, format, data.validation(), "data.validation.labels",
                                         wanted, use, activity));
  }
  if (data.test().has_path()) {
    CONVOY_ASSIGN_OR_RETURN(sets.test, OpenHeldOutFile(data, format, data.test(),
                                                       "data.test.labels", wanted, use, activity));
  }
  return sets;
}

}  // namespace

absl::StatusOr<DataSets> OpenData(const v1::Data& data, uint64_t seed,
                                  const ActivityCallback& activity, const v1::Schema* earlier) {
  if (earlier == nullptr) return OpenDataWith(data, seed, {}, activity);
  CONVOY_RETURN_IF_ERROR(CheckSettings(data));
  CONVOY_ASSIGN_OR_RETURN(const v1::Data::Format format, FormatOf(data, data.train()));
  CONVOY_ASSIGN_OR_RETURN(const std::shared_ptr<const v1::Schema> learned,
                          SchemaOf(data, format, activity));
  FileUse use;
  if (learned != nullptr) {
    CONVOY_ASSIGN_OR_RETURN(v1::Schema extended, ExtendSchema(*earlier, *learned, data.train()));
    use.schema = std::make_shared<const v1::Schema>(std::move(extended));
  }
  return OpenDataWith(data, seed, std::move(use), activity);
}

absl::StatusOr<std::unique_ptr<Dataset>> OpenFile(const v1::Data& data, const std::string& path,
                                                  const ActivityCallback& activity,
                                                  const FileUse& use) {
  CONVOY_ASSIGN_OR_RETURN(const v1::Data::Format format,
                          use.schema != nullptr ? v1::Data::CSV : FormatOf(data, path));
  if (IsCsvOrTsv(format) && use.schema == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is a CSV file, but the run has no schema.json to read it with"));
  }
  const std::string labels = format == v1::Data::IDX ? OptionalLabels(data, path) : "";
  CONVOY_ASSIGN_OR_RETURN(CachePointer cache,
                          OpenCacheOf(data, format, path, labels, use, activity));
  CONVOY_ASSIGN_OR_RETURN(DatasetOptions options,
                          OptionsFor(data, cache->view().header(), path, WantedBy(data)));
  if (use.labels && cache->view().header().labelled) {
    CONVOY_RETURN_IF_ERROR(KeepClasses(data, cache->view(), path, &options));
  }
  return MakeDataset(std::move(cache), std::move(options));
}

absl::StatusOr<std::unique_ptr<Dataset>> OpenPart(v1::Data data, uint64_t seed,
                                                  const std::string& path, std::string_view part,
                                                  const ActivityCallback& activity,
                                                  const FileUse& use) {
  if (!IsSameFile(path, data.train())) data.clear_train_labels();
  data.set_train(path);
  if (data.validation().has_path()) data.clear_validation();
  if (data.test().has_path()) data.clear_test();
  CONVOY_ASSIGN_OR_RETURN(DataSets sets, OpenDataWith(data, seed, use, activity));
  std::unique_ptr<Dataset> chosen = part == "train"        ? std::move(sets.train)
                                    : part == "validation" ? std::move(sets.validation)
                                                           : std::move(sets.test);
  if (chosen != nullptr) return chosen;
  return absl::InvalidArgumentError(absl::StrCat(
      "the job has no data.", std::string(part), ".fraction, so none of the rows of ", path,
      " are its ", std::string(part), " part; a file of its own is measured without --split"));
}

}  // namespace convoy
