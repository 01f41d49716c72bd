// Asking for the memory of rows ahead of their use.
//
// Rows are all over the memory, and one access after the other would wait for each. So whoever goes
// through many rows runs ahead of itself in three stages: one asks for the row's place in the
// index; some rows later another one reads it and asks for what says where that row stands; a third
// one reads that and asks for the row. For each row that is worked on, each stage goes on by one:
// work and waiting overlap, and never more is asked for at once than a processor can keep track of.
#ifndef CONVOY_PS_TABLE_ROWS_AHEAD_H_
#define CONVOY_PS_TABLE_ROWS_AHEAD_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ps/table/row_store.h"

namespace convoy {

// Of rows that are numbered in the order in which they are worked on. Not thread-safe: the stores
// are locked by the caller.
class RowsAhead {
 public:
  // How far the stage that asks for the index is ahead.
  static constexpr size_t kIndexAhead = 64;

  // Forgets everything. `hashes`: HashId of each row's id; outlives the use.
  void Start(std::span<const uint64_t> hashes);
  // Rows of one store alone; takes the hashes itself, and is as after Begin(0).
  void Start(const RowStore* store, std::span<const uint64_t> ids);

  // Rows [begin, end), which are behind all that were added before, are of this store.
  void Add(const RowStore* store, size_t begin, size_t end) {
    runs_.push_back({store, begin, end});
  }
  // The rows from `first` on are worked on next; what is before them is not looked at any more.
  void Begin(size_t first);
  // Where row first + i probably is, one that was added: for RowStore::Find. Ascending.
  uint32_t Guess(size_t i) {
    StepIndex();
    StepGuesses();
    StepRows();
    return guesses_[first_ + i];
  }

 private:
  static constexpr size_t kGuessesAhead = 44;
  static constexpr size_t kRowsAhead = 28;

  struct Run {
    const RowStore* store;
    size_t begin, end;
  };
  // The row that a stage comes to next, in a run of which `end` is the end.
  struct Stage {
    size_t row = 0, end = 0;
    const RowStore* store = nullptr;
    size_t next_run = 0;
  };

  // Goes on to the next run if the one it is in is done. False: there is none.
  bool Enter(Stage& stage) const {
    if (stage.row < stage.end) return true;
    if (stage.next_run == runs_.size()) return false;
    const Run& run = runs_[stage.next_run];
    stage = {run.begin, run.end, run.store, stage.next_run + 1};
    return true;
  }
  void Skip(Stage& stage) const;
  bool StepIndex() {
    if (!Enter(index_)) return false;
    index_.store->PrefetchIndex(hashes_[index_.row++]);
    return true;
  }
  bool StepGuesses() {
    if (!Enter(guessed_) || guessed_.row >= index_.row) return false;
    const uint32_t guess = guessed_.store->Guess(hashes_[guessed_.row]);
    guessed_.store->PrefetchWhere(guess);
    guesses_[guessed_.row++] = guess;
    return true;
  }
  bool StepRows() {
    if (!Enter(rows_) || rows_.row >= guessed_.row) return false;
    rows_.store->PrefetchGuessed(guesses_[rows_.row++]);
    return true;
  }

  std::span<const uint64_t> hashes_;
  std::vector<uint64_t> own_hashes_;
  std::vector<uint32_t> guesses_;  // by row
  std::vector<Run> runs_;
  Stage index_, guessed_, rows_;
  size_t first_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_ROWS_AHEAD_H_
