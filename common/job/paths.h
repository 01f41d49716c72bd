// The files and folders that a job names.
#ifndef CONVOY_COMMON_JOB_PATHS_H_
#define CONVOY_COMMON_JOB_PATHS_H_

#include <string>
#include <vector>

#include "common/job/validate.h"

namespace convoy {

// "train-images-idx3-ubyte.gz" -> "train-labels-idx1-ubyte.gz", or without the ".gz" (or with it,
// if the images have none) if only that exists; empty for other names.
std::string LabelsOf(const std::string& images);

// Makes the paths of `job` absolute. Relative ones are relative to the folder of `job_file`.
void ResolvePaths(const std::string& job_file, v1::Job* job);

// Opens every file that the training will read, derived files of labels included.
std::vector<Violation> CheckFiles(const v1::Job& job);

// The paths of these files, and of what the training begins with (Job.init); some may not exist.
std::vector<std::string> InputsOf(const v1::Job& job);

// Name of a job that has none: that of its file without folder and extensions.
std::string JobNameOf(const std::string& job_file);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_PATHS_H_
