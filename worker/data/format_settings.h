// Fields of the job that go with one kind of file, and not with the one that is there.
#ifndef CONVOY_WORKER_DATA_FORMAT_SETTINGS_H_
#define CONVOY_WORKER_DATA_FORMAT_SETTINGS_H_

#include "absl/status/status.h"
#include "proto/job.pb.h"

namespace convoy {

// `format`: of data.train, never AUTO. InvalidArgument: a field of the section is for other formats
// only, e.g. `data.zero_based is for LIBSVM files, but train.csv is CSV`.
absl::Status CheckFormatSettings(const v1::Data& data, v1::Data::Format format);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_FORMAT_SETTINGS_H_
