// The rules of Validate for data.csv.
#ifndef CONVOY_COMMON_JOB_VALIDATE_CSV_H_
#define CONVOY_COMMON_JOB_VALIDATE_CSV_H_

#include <vector>

#include "common/job/validate.h"

namespace convoy {

void ValidateCsv(const v1::Data& data, std::vector<Violation>* violations);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_VALIDATE_CSV_H_
