#include "ps/table/rows_ahead.h"

#include <algorithm>

#include "common/math/table.h"

namespace convoy {

void RowsAhead::Start(std::span<const uint64_t> hashes) {
  hashes_ = hashes;
  guesses_.resize(hashes.size());
  runs_.clear();
  index_ = {};
  guessed_ = {};
  rows_ = {};
}

void RowsAhead::Start(const RowStore* store, std::span<const uint64_t> ids) {
  own_hashes_.resize(ids.size());
  std::transform(ids.begin(), ids.end(), own_hashes_.begin(), HashId);
  Start(own_hashes_);
  Add(store, 0, ids.size());
  Begin(0);
}

void RowsAhead::Begin(size_t first) {
  first_ = first;
  Skip(index_);
  Skip(guessed_);
  Skip(rows_);
  while (index_.row < first + kIndexAhead && StepIndex()) {
  }
  while (guessed_.row < first + kGuessesAhead && StepGuesses()) {
  }
  while (rows_.row < first + kRowsAhead && StepRows()) {
  }
}

// The stores of what is skipped may be unlocked.
void RowsAhead::Skip(Stage& stage) const {
  while (stage.row < first_) {
    stage.row = std::min(first_, stage.end);
    if (stage.row == stage.end && !Enter(stage)) return;
  }
}

}  // namespace convoy
