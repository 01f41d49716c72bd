// What the kinds of models learn, as far as the job file says it.
#ifndef CONVOY_COMMON_JOB_MODEL_TASK_H_
#define CONVOY_COMMON_JOB_MODEL_TASK_H_

#include <string>

#include "proto/job.pb.h"

namespace convoy {

// Whether the model predicts a number and not a class. False for custom models, which say it
// themselves.
bool LearnsNumber(const v1::Model& model);

// Whether the model tells two classes apart, always. False for custom models.
bool LearnsTwoClasses(const v1::Model& model);

// Whether the model is a built-in one with embedding tables. False for custom models.
bool HasTables(const v1::Model& model);

// Name of the kind in the job file, e.g. "mlp"; "" if none is set.
std::string KindName(const v1::Model& model);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_MODEL_TASK_H_
