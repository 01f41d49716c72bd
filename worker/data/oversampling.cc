#include "worker/data/oversampling.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/math/random.h"

namespace convoy {

Oversampling::Oversampling(std::span<const uint32_t> classes) : examples_(classes.size()) {
  for (uint32_t example = 0; example < classes.size(); ++example) {
    const size_t c = classes[example];
    if (c >= members_.size()) members_.resize(c + 1);
    members_[c].push_back(example);
    largest_ = std::max<uint64_t>(largest_, members_[c].size());
  }
  std::erase_if(members_, [](const auto& members) { return members.empty(); });
}

void OversampledOrder::Draw(uint64_t epoch) {
  if (!order_.empty() && (!shuffle_ || epoch == drawn_epoch_)) return;
  order_ = classes_->members();
  drawn_epoch_ = epoch;
  for (size_t c = 0; shuffle_ && c < order_.size(); ++c) {
    const std::vector<uint32_t>& members = classes_->members()[c];
    const std::vector<uint32_t> permutation =
        SeededPermutation(members.size(), seed_, absl::StrCat("order of class ", c), epoch);
    for (size_t i = 0; i < members.size(); ++i) order_[c][i] = members[permutation[i]];
  }
}

void OversampledOrder::Visit(uint64_t epoch, std::span<uint32_t> places,
                             std::vector<uint64_t>* visits) {
  Draw(epoch);
  visits->clear();
  for (uint32_t& place : places) {
    const std::vector<uint32_t>& order = order_[place % order_.size()];
    const uint64_t turn = place / order_.size();
    place = order[turn % order.size()];
    visits->push_back(turn / order.size() * classes_->examples() + place);
  }
}

}  // namespace convoy
