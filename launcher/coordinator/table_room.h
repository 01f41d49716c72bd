// Whether the embedding tables of a job have room for new ids.
#ifndef CONVOY_LAUNCHER_COORDINATOR_TABLE_ROOM_H_
#define CONVOY_LAUNCHER_COORDINATOR_TABLE_ROOM_H_

#include <string>

#include "launcher/coordinator/membership.h"

namespace convoy {

// "" unless a server has reported ids that got no row since a table was full; otherwise a sentence
// that names it and says what to do.
std::string DescribeFullTables(const Membership& members);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_TABLE_ROOM_H_
