// `convoy evaluate` and `convoy predict`: a trained model on other data, in one process.
#ifndef CONVOY_LAUNCHER_COMMANDS_PREDICT_H_
#define CONVOY_LAUNCHER_COMMANDS_PREDICT_H_

#include <span>
#include <string>

#include "worker/models/model.h"

namespace convoy {

struct PredictOptions {
  std::string run_dir;   // of a finished training
  std::string data;      // file of the format of the training data
  std::string out;       // empty: standard output
};

// Metrics as a JSON object. Returns the exit code.
int RunEvaluateCommand(const PredictOptions& options, std::span<const ModelRegistration> models);

// CSV: example, prediction and, for classifiers, the probability of each class. Returns the exit code.
int RunPredictCommand(const PredictOptions& options, std::span<const ModelRegistration> models);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_PREDICT_H_
