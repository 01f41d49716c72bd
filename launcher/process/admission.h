// Whether a job that is ready to begin fits into this machine, and what people are told about that.
#ifndef CONVOY_LAUNCHER_PROCESS_ADMISSION_H_
#define CONVOY_LAUNCHER_PROCESS_ADMISSION_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// ResourceExhausted: the processes that run here are expected to need more memory than there is,
// and cluster.memory_check is on. A machine whose memory can't be read admits every job.
absl::StatusOr<v1::MemoryReport> AdmitByMemory(const v1::Assignment& assignment,
                                               uint32_t servers_here, uint32_t workers_here);

// "memory: at most about 33.6 MB a server, 81.0 MB a worker, 229.2 MB in all; 7.2 GB available".
std::string MemoryLine(const v1::MemoryReport& memory);

// What a job with more servers, and threads of workers, than cores is told; "": there are cores
// enough.
std::string CoresAdvice(uint32_t servers, uint32_t workers, uint32_t threads_per_worker,
                        uint32_t cores);

// Cores that this process may run on.
uint32_t UsableCores();

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_ADMISSION_H_
