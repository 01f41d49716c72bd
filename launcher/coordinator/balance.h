// Whether the servers of a job carry alike.
#ifndef CONVOY_LAUNCHER_COORDINATOR_BALANCE_H_
#define CONVOY_LAUNCHER_COORDINATOR_BALANCE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace convoy {

// `bytes`: received and sent, by rank of the server. "" if no server carries more than 1.5 times its
// share; otherwise a sentence that names the one that carries most, e.g. "server 1 carries 80 % of
// the servers' traffic, 2.4 times its share of 3 servers".
std::string DescribeImbalance(const std::vector<uint64_t>& bytes);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_BALANCE_H_
