#include "ps/shard_restore.h"

#include <algorithm>
#include <future>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status.h"

namespace convoy {
namespace {

using TaskRanges = std::vector<std::pair<uint64_t, uint64_t>>;  // [first, last], ascending

constexpr uint32_t kMostReaders = 4;  // threads of a server
// Tasks that are complete on one server and not on another: those under way at a moment.
constexpr uint64_t kMostTasksOfOneServer = 1 << 20;

// A mark of a task whose batches are all counted.
constexpr uint64_t kAllBatches = std::numeric_limits<uint64_t>::max();

TaskRanges CommonTasks(const TaskRanges& a, const TaskRanges& b) {
  TaskRanges common;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const uint64_t first = std::max(a[i].first, b[j].first);
    const uint64_t last = std::min(a[i].second, b[j].second);
    if (first <= last) common.emplace_back(first, last);
    if (a[i].second < b[j].second) {
      ++i;
    } else {
      ++j;
    }
  }
  return common;
}

// What of `tasks` is not in `common`, whose ranges are parts of those of `tasks`.
TaskRanges TasksWithout(const TaskRanges& tasks, const TaskRanges& common) {
  TaskRanges rest;
  size_t c = 0;
  for (const auto& [first, last] : tasks) {
    uint64_t next = first;
    for (; c < common.size() && common[c].first <= last; ++c) {
      if (common[c].first > next) rest.emplace_back(next, common[c].first - 1);
      next = common[c].second + 1;
    }
    if (next <= last) rest.emplace_back(next, last);
  }
  return rest;
}

IntervalSet SetOf(const TaskRanges& ranges) {
  IntervalSet set;
  for (const auto& [first, last] : ranges) set.Add(first, last + 1);
  return set;
}

absl::Status OtherModel(const std::string& what) {
  return absl::FailedPreconditionError(
      absl::StrCat("the checkpoint is of another model or optimizer: ", what));
}

absl::StatusOr<size_t> NumberOf(const auto& list, const std::string& name, const char* what) {
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].name == name) return i;
  }
  return OtherModel(absl::StrCat("it has no ", what, " \"", name, "\""));
}

// Of as many floats, but they may be of other slots.
absl::Status CheckSlots(const CheckpointTable& stored, const RowUpdater& updater) {
  std::vector<std::string> got, want;
  for (const CheckpointTable::Range& slot : stored.slots)
    got.push_back(absl::StrCat(slot.name, " (", slot.size, ")"));
  for (const RowUpdater::SlotColumns& slot : updater.slot_columns())
    want.push_back(absl::StrCat(slot.name, " (", slot.size, ")"));
  if (got == want) return absl::OkStatus();
  return OtherModel(absl::StrCat("table \"", stored.name, "\": got the slots [",
                                 absl::StrJoin(got, ", "), "], want [", absl::StrJoin(want, ", "),
                                 "]"));
}

class ShardRestorer {
 public:
  ShardRestorer(const CheckpointReader& checkpoint, const Placement& placement, uint32_t rank,
                Shard& shard)
      : checkpoint_(checkpoint), placement_(placement), rank_(rank), shard_(shard) {}

  absl::Status Run() {
    CONVOY_RETURN_IF_ERROR(FindTasks());
    CONVOY_RETURN_IF_ERROR(RestoreBlocks());
    for (uint32_t t = 0; t < shard_.tables(); ++t) CONVOY_RETURN_IF_ERROR(RestoreTable(t));
    shard_.server_cell().Restore({PositionOf(OwnCell()), nullptr, {}});
    shard_.RestoreTasks(complete_);
    return absl::OkStatus();
  }

 private:
  // Cells of one server now may be of several then. Complete is what was complete on all of them,
  // or for the coordinator before they wrote: nobody works on it or speaks of it again. What was so
  // on some is marked in the cells that come from there.
  absl::Status FindTasks() {
    TaskRanges common;
    for (uint32_t server = 0; server < checkpoint_.servers(); ++server) {
      const TaskRanges& tasks = checkpoint_.complete_tasks(server);
      common = server == 0 ? tasks : CommonTasks(common, tasks);
    }
    complete_ = SetOf(common);
    for (const auto& [first, last] : checkpoint_.manifest().completed_tasks) {
      complete_.Add(first, last + 1);
    }
    TaskRanges complete;
    for (const auto& [begin, end] : complete_.all()) complete.emplace_back(begin, end - 1);
    for (uint32_t server = 0; server < checkpoint_.servers(); ++server) {
      TaskMarks::Marks& marks = only_there_.emplace_back();
      const TaskRanges& tasks = checkpoint_.complete_tasks(server);
      for (const auto& [first, last] : TasksWithout(tasks, CommonTasks(tasks, complete))) {
        if (last - first >= kMostTasksOfOneServer - marks.size()) {
          return absl::DataLossError(absl::StrCat(
              "the checkpoint of step ", checkpoint_.manifest().step, " is damaged: on server ",
              server, " the tasks ", first, " to ", last,
              " are complete, which are not on another one; want at most ", kMostTasksOfOneServer));
        }
        for (uint64_t task = first; task <= last; ++task) marks.emplace_back(task, kAllBatches);
      }
    }
    return absl::OkStatus();
  }

  CellPosition PositionOf(const CheckpointCell& cell) const {
    CellPosition position;
    position.counts = {cell.version, cell.updates, cell.examples, cell.dropped};
    position.marks = only_there_[cell.server];
    for (const CheckpointCell::Mark& mark : cell.marks) {
      if (!complete_.Contains(mark.task)) position.marks.emplace_back(mark.task, mark.next);
    }
    return position;
  }

  // With another number of servers: the one that had counted least.
  const CheckpointCell& OwnCell() const {
    const CheckpointCell* least = &checkpoint_.server_cell(0);
    for (uint32_t server = 1; server < checkpoint_.servers(); ++server) {
      const CheckpointCell& own = checkpoint_.server_cell(server);
      if (own.version < least->version) least = &own;
    }
    return *least;
  }

  absl::Status RestoreBlocks() {
    for (const uint32_t id : placement_.cells_of_server(rank_)) {
      const CellSpec& spec = placement_.cells()[id];
      const std::string& name = placement_.variables()[spec.variable].name;
      CONVOY_ASSIGN_OR_RETURN(const size_t variable,
                              NumberOf(checkpoint_.variables(), name, "variable"));
      const std::vector<std::string> want = shard_.optimizer(spec.variable).slot_names();
      const std::vector<std::string>& got = checkpoint_.variables()[variable].slots;
      if (got != want) {
        return OtherModel(absl::StrCat("variable \"", name, "\": got the slots [",
                                       absl::StrJoin(got, ", "), "], want [",
                                       absl::StrJoin(want, ", "), "]"));
      }
      const auto begin = static_cast<uint64_t>(spec.offset);
      const CheckpointReader::Block* block = checkpoint_.FindBlock(variable, begin);
      if (block == nullptr || block->end != begin + spec.size) {
        return OtherModel(absl::StrCat("variable \"", name, "\" has no block of ", spec.size,
                                       " values from value ", begin));
      }
      BlockSnapshot snapshot = shard_.cell(id).MakeSnapshot(PositionOf(*block->cell));
      CONVOY_RETURN_IF_ERROR(checkpoint_.Read(variable, std::nullopt, begin, *snapshot.values));
      for (size_t s = 0; s < snapshot.slots.size(); ++s) {
        CONVOY_RETURN_IF_ERROR(checkpoint_.Read(variable, s, begin, snapshot.slots[s].span()));
      }
      shard_.cell(id).Restore(std::move(snapshot));
    }
    return absl::OkStatus();
  }

  absl::Status RestoreTable(uint32_t number) {
    TableShard& table = shard_.table(number);
    const std::string& name = table.spec().name;
    CONVOY_ASSIGN_OR_RETURN(const size_t stored, NumberOf(checkpoint_.tables(), name, "table"));
    const CheckpointTable& columns = checkpoint_.manifest().tables[stored];
    if (columns.dim() != table.dim() || columns.slot_floats() != table.updater().slot_floats()) {
      return OtherModel(absl::StrCat("table \"", name, "\": got ", columns.dim(), " columns and ",
                                     columns.slot_floats(), " of slots, want ", table.dim(),
                                     " and ", table.updater().slot_floats()));
    }
    CONVOY_RETURN_IF_ERROR(CheckSlots(columns, table.updater()));
    // Half of the time goes into pages that the system fills with zeros first.
    const uint32_t readers = std::clamp(std::thread::hardware_concurrency(), 1u, kMostReaders);
    std::vector<std::future<absl::Status>> others;
    for (uint32_t reader = 1; reader < readers; ++reader) {
      others.push_back(std::async(std::launch::async, [&, reader] {
        return RestoreBuckets(stored, reader, readers, table);
      }));
    }
    absl::Status status = RestoreBuckets(stored, 0, readers, table);
    for (std::future<absl::Status>& other : others) status.Update(other.get());
    return status;
  }

  // Each `readers`-th one of the server's, from `reader` on.
  absl::Status RestoreBuckets(size_t stored, uint32_t reader, uint32_t readers,
                              TableShard& table) const {
    BucketSnapshot snapshot;
    const uint32_t servers = placement_.servers();
    for (uint32_t b = rank_ + reader * servers; b < kTableBuckets; b += readers * servers) {
      snapshot.position = PositionOf(checkpoint_.bucket_cell(stored, b));
      CONVOY_RETURN_IF_ERROR(checkpoint_.ReadBucket(stored, b, &snapshot.rows));
      CONVOY_ASSIGN_OR_RETURN(snapshot.waiting, checkpoint_.ReadWaiting(stored, b));
      CONVOY_RETURN_IF_ERROR(table.bucket(b).Restore(snapshot));
    }
    return absl::OkStatus();
  }

  const CheckpointReader& checkpoint_;
  const Placement& placement_;
  const uint32_t rank_;
  Shard& shard_;
  IntervalSet complete_;
  std::vector<TaskMarks::Marks> only_there_;  // by server of the checkpoint
};

}  // namespace

absl::Status RestoreShard(const CheckpointReader& checkpoint, const Placement& placement,
                          uint32_t rank, Shard& shard) {
  return ShardRestorer(checkpoint, placement, rank, shard).Run();
}

}  // namespace convoy
