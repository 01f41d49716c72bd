// What training a model with one embedding table has to end with, from plain loops in one thread
// that share only the models, the update rules and the order of the examples with Convoy.
#ifndef CONVOY_TESTS_INTEGRATION_PLAIN_TABLE_LOOP_H_
#define CONVOY_TESTS_INTEGRATION_PLAIN_TABLE_LOOP_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "proto/job.pb.h"

namespace convoy::testing {

struct PlainModel {
  std::vector<std::string> names;             // of the variables
  std::vector<std::vector<float>> variables;  // as `names`
  std::map<uint64_t, std::vector<float>> rows;
};

// `job`: resolved, of 4 slices. Mode sync: one update a step with the gradients of the slices,
// added along the tree.
PlainModel TrainByGradients(const v1::Job& job);
// Mode local_sgd: the average over the slices of what `local_steps` steps of each change.
PlainModel TrainByAverages(const v1::Job& job, uint64_t local_steps);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_INTEGRATION_PLAIN_TABLE_LOOP_H_
