// The embedding tables and checkpoints of mode single: those of a server, in the process that
// trains.
#ifndef CONVOY_LAUNCHER_COMMANDS_SINGLE_TABLES_H_
#define CONVOY_LAUNCHER_COMMANDS_SINGLE_TABLES_H_

#include <memory>

#include "absl/status/statusor.h"
#include "worker/table_store.h"

namespace convoy {

// Their rows have the bits that one server would give them in mode sync. A TableStoreFactory.
absl::StatusOr<std::unique_ptr<TableStore>> MakeSingleTables(const TableStoreOptions& options);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_SINGLE_TABLES_H_
