// The rules of Validate for the files of the section `data`, and for the parts that are held back.
#ifndef CONVOY_COMMON_JOB_VALIDATE_DATA_FILES_H_
#define CONVOY_COMMON_JOB_VALIDATE_DATA_FILES_H_

#include <vector>

#include "common/job/validate.h"

namespace convoy {

void ValidateDataFiles(const v1::Data& data, std::vector<Violation>* violations);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_VALIDATE_DATA_FILES_H_
