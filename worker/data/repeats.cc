#include "worker/data/repeats.h"

#include <algorithm>
#include <bit>

#include "common/math/table.h"

namespace convoy {
namespace {

bool Ascending(std::span<const uint16_t> fields, std::span<const uint64_t> ids) {
  for (size_t i = 1; i < ids.size(); ++i) {
    if (fields[i] < fields[i - 1] || (fields[i] == fields[i - 1] && ids[i] <= ids[i - 1])) {
      return false;
    }
  }
  return true;
}

}  // namespace

void Repeats::BeginRound(size_t entries) {
  if (const size_t room = std::bit_ceil(2 * entries);
      slots_.size() < room || round_ == UINT32_MAX) {
    slots_.assign(std::max(room, slots_.size()), {});
    round_ = 0;
  }
  ++round_;
}

std::optional<size_t> Repeats::Find(std::span<const uint16_t> fields,
                                    std::span<const uint64_t> ids) {
  if (Ascending(fields, ids)) return std::nullopt;
  BeginRound(ids.size());
  const size_t mask = slots_.size() - 1;
  for (size_t i = 0; i < ids.size(); ++i) {
    size_t at = HashId(ids[i] + fields[i]) & mask;
    for (; slots_[at].round == round_; at = (at + 1) & mask) {
      const uint32_t place = slots_[at].place;
      if (ids[place] == ids[i] && fields[place] == fields[i]) return i;
    }
    slots_[at] = {round_, static_cast<uint32_t>(i)};
  }
  return std::nullopt;
}

}  // namespace convoy
