// The few things that the coordinator's JSON texts share. Members keep their order.
#ifndef CONVOY_LAUNCHER_COORDINATOR_JSON_H_
#define CONVOY_LAUNCHER_COORDINATOR_JSON_H_

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/time/time.h"

namespace convoy {

using Json = nlohmann::ordered_json;

inline double RoundedSeconds(absl::Duration duration) {
  return std::round(absl::ToDoubleSeconds(duration) * 1000) / 1000;
}

// What each line of events.jsonl begins with. `since`: the start of training.
inline Json EventLine(const char* kind, uint64_t generation, absl::Duration since) {
  return {{"time", RoundedSeconds(since)}, {"kind", kind}, {"generation", generation}};
}

// Appends the members of the object `text`.
inline void AddMembers(const std::string& text, Json* json) {
  const Json members = Json::parse(text, /*callback=*/nullptr, /*allow_exceptions=*/false);
  for (const auto& [name, value] : members.items()) (*json)[name] = value;
}

// `counters`: a message with staleness_count, _sum, _min and _max.
template <typename Counters>
Json StalenessJson(const Counters& counters) {
  const double mean = counters.staleness_count() == 0
                          ? 0
                          : static_cast<double>(counters.staleness_sum()) /
                                static_cast<double>(counters.staleness_count());
  return {{"min", counters.staleness_min()}, {"mean", mean}, {"max", counters.staleness_max()}};
}

// One line. Bytes that are not UTF-8 are replaced.
inline std::string ToText(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_JSON_H_
