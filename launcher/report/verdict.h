// What follows from a comparison, in plain words, by a rule that is stated with it.
#ifndef CONVOY_LAUNCHER_REPORT_VERDICT_H_
#define CONVOY_LAUNCHER_REPORT_VERDICT_H_

#include <string>
#include <vector>

#include "launcher/report/comparison.h"

namespace convoy {

struct Verdict {
  std::string headline;                // the most important sentence
  std::vector<std::string> sentences;  // the others, in order of importance
  std::string rule;                    // by which they follow from the numbers
};

// `all` has at least one run.
Verdict VerdictOf(const Comparison& all);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_REPORT_VERDICT_H_
