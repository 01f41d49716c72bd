// A first job for a data file, as text with comments.
#ifndef CONVOY_LAUNCHER_COMMANDS_JOB_DRAFT_H_
#define CONVOY_LAUNCHER_COMMANDS_JOB_DRAFT_H_

#include <string>

#include "launcher/commands/data_survey.h"

namespace convoy {

// A job file that trains at once: two classes by logistic_regression, more by an mlp (sparse data:
// softmax_regression), numbers by linear_regression; about 3,000 steps, a fifth of the examples
// held back for validation.
std::string DraftJob(const DataSurvey& survey);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_JOB_DRAFT_H_
