#include "launcher/coordinator/table_room.h"

#include "absl/strings/str_cat.h"

namespace convoy {

std::string DescribeFullTables(const Membership& members) {
  for (uint32_t rank = 0; rank < members.servers(); ++rank) {
    const Process* const server = members.server(rank);
    if (server == nullptr || server->stats.refused_ids() == 0) continue;
    return absl::StrCat(
        "an embedding table is full on server ", rank,
        ": ids without a row get none, and what is learnt of them is dropped; give "
        "it more room (table.max_rows, table.max_mb), admit fewer "
        "(table.admit_after), or let old rows go (table.when_full: EVICT_OLDEST; where "
        "they do, a single step names more rows than a bucket has room for)");
  }
  return "";
}

}  // namespace convoy
