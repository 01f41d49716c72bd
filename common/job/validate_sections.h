// The rules of Validate that are more than the range of one number, by section of the job file.
#ifndef CONVOY_COMMON_JOB_VALIDATE_SECTIONS_H_
#define CONVOY_COMMON_JOB_VALIDATE_SECTIONS_H_

#include <vector>

#include "common/job/validate.h"

namespace convoy {

void ValidateData(const v1::Job& job, std::vector<Violation>* violations);
void ValidateModel(const v1::Job& job, std::vector<Violation>* violations);
void ValidateInit(const v1::Job& job, std::vector<Violation>* violations);
void ValidateOptimizer(const v1::Job& job, std::vector<Violation>* violations);
void ValidateTraining(const v1::Job& job, std::vector<Violation>* violations);
void ValidateTables(const v1::Job& job, std::vector<Violation>* violations);
void ValidateRehearsal(const v1::Job& job, std::vector<Violation>* violations);
void ValidateCheckpoint(const v1::Job& job, std::vector<Violation>* violations);
void ValidateCluster(const v1::Job& job, std::vector<Violation>* violations);
void ValidateMetrics(const v1::Job& job, std::vector<Violation>* violations);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_VALIDATE_SECTIONS_H_
