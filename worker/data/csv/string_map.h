// Maps from text that are looked up without making a std::string.
#ifndef CONVOY_WORKER_DATA_CSV_STRING_MAP_H_
#define CONVOY_WORKER_DATA_CSV_STRING_MAP_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"

namespace convoy {

// Abseil's own works with its own string_view only, which is another type in this distribution.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

template <typename Value>
using StringMap = absl::flat_hash_map<std::string, Value, TextHash, std::equal_to<>>;

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_STRING_MAP_H_
