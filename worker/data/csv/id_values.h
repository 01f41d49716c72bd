// The ids of a field of an ID column.
#ifndef CONVOY_WORKER_DATA_CSV_ID_VALUES_H_
#define CONVOY_WORKER_DATA_CSV_ID_VALUES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/schema.pb.h"

namespace convoy {

// Appends the ids of `field`, which is not missing, to `ids`: of several values each once, in
// ascending order; empty ones are passed over. `column` and `name` are its name and the hash of it.
// Returns what is wrong ("": nothing): FROM NUMBER, and a value is no whole number up to 2^63.
std::string AppendIds(const std::string& column, uint64_t name, const v1::IdTreatment& treatment,
                      std::string_view field, std::vector<uint64_t>* ids);

// xxh3 of the name of a column: the `name` of HashedId.
uint64_t NameHash(std::string_view column);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_ID_VALUES_H_
