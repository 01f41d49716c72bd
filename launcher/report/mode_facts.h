// What a mode does with the examples of a job, by the arithmetic of docs/modes.md.
#ifndef CONVOY_LAUNCHER_REPORT_MODE_FACTS_H_
#define CONVOY_LAUNCHER_REPORT_MODE_FACTS_H_

#include <cstdint>
#include <string>

#include "launcher/report/run_record.h"

namespace convoy {

struct ModeFacts {
  double examples_per_update = 0;
  double updates_per_epoch = 0;  // 0: not known, the run has not measured its data
  std::string weights_behind;    // how old the weights of a gradient are
  std::string rate_rule;         // with which learning rate to begin
};

ModeFacts FactsOf(const RunRecord& run);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_REPORT_MODE_FACTS_H_
