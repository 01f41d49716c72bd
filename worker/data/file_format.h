// What kind of file a path names, and where its labels are.
#ifndef CONVOY_WORKER_DATA_FILE_FORMAT_H_
#define CONVOY_WORKER_DATA_FILE_FORMAT_H_

#include <string>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"

namespace convoy {

// By the first bytes of the (decompressed) file and its name: 00 00 begins an IDX file; a name ends
// with .csv or .tsv (or these and .gz); the first line of CSV and TSV has a separator (comma,
// semicolon, |, tab) and no index:value; that of libffm text has field:id:value; else it is libsvm
// text.
// InvalidArgument: the file is empty; else the errors of ByteSource.
absl::StatusOr<v1::Data::Format> DetectFormat(const std::string& path);

// The file of labels that belongs to a file of images: "images-idx3" in its name replaced by
// "labels-idx1", as it is, or with or without ".gz" if only that exists. Empty: the name has no
// "images-idx3".
std::string LabelsPathFor(const std::string& images);

bool FileExists(const std::string& path);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_FILE_FORMAT_H_
