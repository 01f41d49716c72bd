// What the numbers in a server's file of a checkpoint mean (docs/checkpoints.md), and the names of
// its tensors.
#ifndef CONVOY_COMMON_CHECKPOINT_SERVER_FILE_LAYOUT_H_
#define CONVOY_COMMON_CHECKPOINT_SERVER_FILE_LAYOUT_H_

#include <cstdint>
#include <string>

namespace convoy {

inline constexpr char kCellsTensor[] = "/cells";        // U64 [cells, kCellColumns]
inline constexpr char kMarksTensor[] = "/marks";        // U64 [marks, kMarkColumns]
inline constexpr char kCompleteTensor[] = "/complete";  // U64 [ranges, 2]
inline constexpr char kDeltasTensor[] = "/deltas";      // U64 [buckets, kDeltaColumns]

// Of "/cells": kind, number of the variable or table, first value or bucket, rows, version,
// updates, examples, slices dropped.
inline constexpr uint64_t kCellColumns = 8;
// Of "/marks": row of "/cells", task, batch of the task that is counted next.
inline constexpr uint64_t kMarkColumns = 3;
// Of "/deltas", for each bucket of "/cells": rows that are in the file, ids of TABLE/removed.
inline constexpr uint64_t kDeltaColumns = 2;
// Of TABLE/waiting: bucket, id, sightings, step at which it was last seen.
inline constexpr uint64_t kWaitingColumns = 4;
// Of TABLE/counters: step at which the row was last changed, updates.
inline constexpr uint64_t kRowCounters = 2;

enum class CellKind : uint64_t { kServer = 0, kBlock = 1, kBucket = 2 };

// "VARIABLE[BEGIN:END]".
std::string BlockTensor(const std::string& variable, uint64_t begin, uint64_t end);
// "VARIABLE[BEGIN:END].SLOT".
std::string BlockSlotTensor(const std::string& block, const std::string& slot);

// Of tables.
std::string TableIdsTensor(const std::string& table);
std::string TableRowsTensor(const std::string& table);
std::string TableSlotsTensor(const std::string& table);
std::string TableCountersTensor(const std::string& table);
std::string TableWaitingTensor(const std::string& table);
std::string TableRemovedTensor(const std::string& table);

// Of __metadata__.
inline constexpr char kServerFileFormat[] = "convoy checkpoint";  // "format"
std::string ServerOfServers(uint32_t server, uint32_t servers);   // "server": "0 of 2"
// "server-0-of-2.safetensors".
std::string ServerFileName(uint32_t server, uint32_t servers);

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_SERVER_FILE_LAYOUT_H_
