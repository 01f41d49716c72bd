#include "launcher/coordinator/held_answers.h"

#include <iterator>

namespace convoy {
namespace {

void Append(AnsweredCalls more, AnsweredCalls* to) {
  to->insert(to->end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

AnsweredCalls HeldAnswers::Hold(AnsweredCalls answers, bool to_sync) {
  if (!to_sync || late_) return answers;
  Append(std::move(answers), &waiting_);
  return {};
}

void HeldAnswers::SyncBegins(absl::Time now) {
  began_ = now;
  Append(std::exchange(waiting_, {}), &covered_);
}

AnsweredCalls HeldAnswers::SyncEnded() {
  began_.reset();
  late_ = false;
  return std::exchange(covered_, {});
}

AnsweredCalls HeldAnswers::TakeLate(absl::Time now) {
  if (now < deadline()) return {};
  late_ = true;
  AnsweredCalls all = std::exchange(covered_, {});
  Append(std::exchange(waiting_, {}), &all);
  return all;
}

}  // namespace convoy
