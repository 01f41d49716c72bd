// What a run tells about how it should have been run.
#ifndef CONVOY_LAUNCHER_PROCESS_ADVICE_H_
#define CONVOY_LAUNCHER_PROCESS_ADVICE_H_

#include <string>
#include <string_view>

namespace convoy {

// A sentence if one process without servers would have been clearly faster on this machine, else
// "". The estimate is examples / (processor time that the workers' models took), both since the job
// went on if it did, from summary.json: what remains without waiting, sending and updating
// elsewhere. Nothing is said of a job that lost a worker or was restarted. `train`: the command of
// the run, to which "--mode single" is added for measuring it.
std::string SingleProcessAdvice(std::string_view summary_json, std::string_view train);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_ADVICE_H_
