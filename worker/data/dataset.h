// The examples of a job: parsed once into a binary cache that is memory-mapped and shared by the
// workers of a host. Immutable after Open; may be used from any thread.
#ifndef CONVOY_WORKER_DATA_DATASET_H_
#define CONVOY_WORKER_DATA_DATASET_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "proto/schema.pb.h"
#include "worker/data/activity.h"
#include "worker/data/bad_lines.h"
#include "worker/data/batch.h"

namespace convoy {

// Shape of an image example; {1, 1, features} for anything else.
struct ExampleShape {
  int64_t height = 1, width = 1, channels = 1;
};

class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual int64_t size() const = 0;      // examples
  virtual int64_t features() const = 0;  // of one example
  virtual bool sparse() const = 0;
  // Whether examples are rows of ids without an upper bound: then features() is 0, sparse() true,
  // and batches have ids, fields and values in place of columns.
  virtual bool has_ids() const { return false; }
  // Field numbers of the ids are below this; 0: the format has no fields (Batch::fields is all 0).
  virtual int64_t fields() const { return 0; }
  virtual ExampleShape example_shape() const = 0;
  // Checksum of sources and options.
  virtual uint64_t fingerprint() const = 0;
  // False: a file to predict on, without labels.
  virtual bool has_labels() const = 0;
  // Of the whole file, of which the data set may be a part.
  virtual SkippedLines skipped() const { return {}; }
  // Label of example i as it stands in the file; NaN without labels.
  virtual float label(int64_t i) const = 0;
  // Fills `batch` with the examples numbered `indices` (each < size()), features scaled, labels as
  // in the file (none without labels), batch->examples = indices. `batch->epoch` is left to the
  // caller. Memory of `batch` is reused.
  virtual void Read(std::span<const uint32_t> indices, Batch* batch) const = 0;
};

struct DataSets {
  std::unique_ptr<Dataset> train;
  std::unique_ptr<Dataset> validation;  // null: none
  std::unique_ptr<Dataset> test;        // null: none
  // CSV, TSV: what was learnt from the training data; null for other formats.
  std::shared_ptr<const v1::Schema> schema;
};

// How a file other than that of the training is read.
struct FileUse {
  std::shared_ptr<const v1::Schema> schema;  // of the training data; CSV and TSV only
  // False: every line must be readable, and CSV and TSV need no labels.
  bool labels = true;
};

// Opens the data of a job, building caches where they are missing or stale. Processes that want the
// same cache wait for the one that builds it. `seed` draws the fractions of validation and test,
// which are fixed sets of examples in the order of the file (worker/data/split.h). The schema of
// CSV and TSV files is learnt from the whole file data.train. An empty data.cache_dir means
// DefaultCacheDir(). NotFound: a file;
// InvalidArgument: its contents (file and line or byte, expected, got) or a setting of `data`;
// PermissionDenied, ResourceExhausted: a file can't be read or the cache can't be written (says
// what to do); DeadlineExceeded: the process that builds the cache makes no progress; Unavailable:
// the file changed while it was read, try again.
// `earlier`: CSV and TSV: what is learnt from data.train extends this schema (extended_schema.h);
// null: it is one of its own.
absl::StatusOr<DataSets> OpenData(const v1::Data& data, uint64_t seed,
                                  const ActivityCallback& activity,
                                  const v1::Schema* earlier = nullptr);

// One file, for evaluate and predict. `data` is that of the resolved job: data.features and
// data.scale are those of the training data. Labels of an IDX file are those named in `data` if
// `path` is a file of the job, else its name with "images-idx3" replaced by "labels-idx1" if there
// is such a file; otherwise the data set has no labels. CSV and TSV files have labels if they have
// the column. Errors as above.
absl::StatusOr<std::unique_ptr<Dataset>> OpenFile(const v1::Data& data, const std::string& path,
                                                  const ActivityCallback& activity,
                                                  const FileUse& use = {});

// The rows of `path` that OpenData would give to `part` ("train", "validation" or "test") if it
// were data.train, e.g. to measure on the test rows of a training file again. InvalidArgument: the
// job holds nothing back for that part. Errors as above.
absl::StatusOr<std::unique_ptr<Dataset>> OpenPart(v1::Data data, uint64_t seed,
                                                  const std::string& path, std::string_view part,
                                                  const ActivityCallback& activity,
                                                  const FileUse& use = {});

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_DATASET_H_
