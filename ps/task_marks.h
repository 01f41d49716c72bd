// Which batches of which data tasks a cell has counted: one number for each open task, because the
// batches of a task reach a server in order.
#ifndef CONVOY_PS_TASK_MARKS_H_
#define CONVOY_PS_TASK_MARKS_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace convoy {

// Not thread-safe: used under the cell's lock.
class TaskMarks {
 public:
  // The batch of the task that is counted next.
  uint64_t Next(uint64_t task) const {
    const auto it = Find(task);
    return it == marks_.end() ? 0 : it->second;
  }
  // Counts batch Next(task).
  void Count(uint64_t task) {
    const auto it = Find(task);
    if (it == marks_.end()) {
      marks_.emplace_back(task, 1);
    } else {
      ++marks_[static_cast<size_t>(it - marks_.begin())].second;
    }
  }
  // The task is complete everywhere and is never sent again.
  void Forget(uint64_t task) {
    std::erase_if(marks_, [task](const auto& mark) { return mark.first == task; });
  }
  size_t open_tasks() const { return marks_.size(); }

  // (task, batch that is counted next), in an unspecified order.
  using Marks = std::vector<std::pair<uint64_t, uint64_t>>;
  const Marks& all() const { return marks_; }
  void Restore(Marks marks) { marks_ = std::move(marks); }

 private:
  Marks::const_iterator Find(uint64_t task) const {
    return std::find_if(marks_.begin(), marks_.end(),
                        [task](const auto& mark) { return mark.first == task; });
  }

  Marks marks_;  // few: at most about three for each worker
};

}  // namespace convoy

#endif  // CONVOY_PS_TASK_MARKS_H_
