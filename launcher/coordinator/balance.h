// Whether the servers of a job carry alike.
#ifndef CONVOY_LAUNCHER_COORDINATOR_BALANCE_H_
#define CONVOY_LAUNCHER_COORDINATOR_BALANCE_H_

#include <string>
#include <vector>

#include "launcher/coordinator/membership.h"
#include "proto/parameter_server.pb.h"

namespace convoy {

// `servers`: by rank. "" if none received and sent more than 1.5 times its share; otherwise a
// sentence that names the one that carries most, and what it carries most of, e.g. "server 1
// carries 80 % of the servers' traffic, 2.4 times its share of 3 servers; of that \"rows\" bucket
// 17 62 %, \"bias\" block 0 3 %".
std::string DescribeImbalance(const std::vector<v1::ServerStats>& servers);
// Of what the servers have reported so far.
std::string DescribeImbalance(const Membership& members);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_BALANCE_H_
