// Which build of the program this is. Bit-identical results are promised between processes of one
// build and one instruction set, so both are compared when processes meet.
#ifndef CONVOY_COMMON_BUILD_INFO_H_
#define CONVOY_COMMON_BUILD_INFO_H_

#include <string>

#include "absl/status/status.h"

namespace convoy {

// E.g. "0.1.0".
std::string Version();
// Identity of the running program: a hash of its file.
std::string BuildId();
// What the program was compiled for, e.g. "x86-64-v3".
std::string InstructionSet();
// FailedPrecondition: this processor lacks instructions that the program was compiled for; says
// which and what to do.
absl::Status CheckProcessor();

}  // namespace convoy

#endif  // CONVOY_COMMON_BUILD_INFO_H_
