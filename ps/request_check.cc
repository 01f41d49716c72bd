#include "ps/request_check.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/math/variable.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr size_t kNone = ~size_t{0};

bool NotFinite(uint32_t bits) { return (bits & 0x7f800000u) == 0x7f800000u; }

// Whether one of `count` floats at any address is NaN or infinite.
bool AnyNotFinite(const char* floats, size_t count) {
  uint32_t any = 0;
  for (size_t i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, floats + i * sizeof(bits), sizeof(bits));
    any |= static_cast<uint32_t>(NotFinite(bits));
  }
  return any != 0;
}

// Index of the first value that is NaN or infinite.
size_t FirstNotFinite(const Payload& values) {
  bool any = false;
  ForEachUnalignedRun(
      values, [&](const char* floats, size_t count) { any = any || AnyNotFinite(floats, count); });
  if (!any) return kNone;
  size_t found = kNone;
  ForEachFloatRun(values, [&](const float* run, size_t count, size_t index) {
    for (size_t i = 0; i < count && found == kNone; ++i) {
      if (NotFinite(std::bit_cast<uint32_t>(run[i]))) found = index + i;
    }
  });
  return found;
}

std::string Shape(const VariableSpec& variable) { return absl::StrJoin(variable.shape, " x "); }

}  // namespace

RequestCheck::RequestCheck(uint32_t rank, const Mode& mode, const Placement* placement,
                           const SliceTree* tree)
    : rank_(rank),
      mode_(mode),
      policy_(ConsistencyPolicy::For(mode)),
      placement_(placement),
      tree_(tree) {}

absl::Status RequestCheck::IsHere(uint32_t id, const char* what) const {
  const size_t cells = placement_->cells().size();
  if (id >= cells) {
    return absl::FailedPreconditionError(
        absl::StrCat(what, " of cell ", id, ": the model has ", cells, " cells"));
  }
  if (placement_->cells()[id].server != rank_) {
    return absl::FailedPreconditionError(
        absl::StrCat(what, " of ", placement_->Describe(id), " (cell ", id, "): it is on server ",
                     placement_->cells()[id].server, ", this is server ", rank_));
  }
  return absl::OkStatus();
}

absl::Status RequestCheck::Push(const ExchangeRequest& request,
                                std::span<const RowIds> rows) const {
  if (!request.has_push()) return absl::OkStatus();
  if (policy_.apply == ConsistencyPolicy::Apply::kRounds && !tree_->Contains(request.node)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "push of tree node (level ", request.node.level, ", index ", request.node.index,
        "): the job has ", tree_->slices(), " slices, there is no such node"));
  }
  if (policy_.backup > 0 && request.node.level > 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "push of a sum of slices (level ", request.node.level, ", index ", request.node.index,
        "): mode ", convoy::ToString(mode_), " takes single slices, because each may be dropped"));
  }
  if (policy_.apply == ConsistencyPolicy::Apply::kAtOnce && request.task == 0) {
    return absl::InvalidArgumentError("push without a task: tasks are numbered from 1 in mode " +
                                      convoy::ToString(mode_));
  }
  for (const Contribution& contribution : request.contributions) {
    CONVOY_RETURN_IF_ERROR(CheckContribution(request, contribution));
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    CONVOY_RETURN_IF_ERROR(CheckRows(request, request.rows[i], rows[i]));
  }
  return absl::OkStatus();
}

absl::Status RequestCheck::NotFiniteError(const ExchangeRequest& request, const std::string& what,
                                          const std::string& where) const {
  const std::string when = policy_.apply == ConsistencyPolicy::Apply::kRounds
                               ? absl::StrCat("step ", request.step)
                               : absl::StrCat("task ", request.task, " batch ", request.batch);
  return absl::InvalidArgumentError(absl::StrCat(
      "gradient of ", what, " from worker ", request.worker, " at ", when,
      " is not a finite number at ", where,
      "; lower optimizer.learning_rate, set optimizer.clip_norm, or training.nan_policy: SKIP"));
}

absl::Status RequestCheck::CheckIds(const char* what, uint32_t table, size_t bytes,
                                    const RowIds& ids) const {
  const std::vector<TableSpec>& tables = placement_->tables();
  if (table >= tables.size()) {
    return absl::FailedPreconditionError(absl::StrCat(
        what, " of rows of table ", table, ": the model has ", tables.size(), " tables"));
  }
  const std::string& name = tables[table].name;
  if (bytes % sizeof(uint64_t) != 0) {
    return absl::InvalidArgumentError(absl::StrCat(what, " of rows of table \"", name, "\": got ",
                                                   bytes, " bytes of ids, want a multiple of 8"));
  }
  const auto out_of_order = [&](size_t i) {
    return absl::InvalidArgumentError(absl::StrCat(what, " of rows of table \"", name, "\": id ",
                                                   ids.ids[i], " comes after id ", ids.ids[i - 1],
                                                   "; ids must ascend by (bucket, id), each once"));
  };
  for (size_t r = 0; r < ids.runs.size(); ++r) {
    const BucketRun& run = ids.runs[r];
    if (const uint32_t server = placement_->server_of_bucket(run.bucket); server != rank_) {
      return absl::FailedPreconditionError(
          absl::StrCat(what, " of row ", ids.ids[run.begin], " of table \"", name, "\" (bucket ",
                       run.bucket, "): it is on server ", server, ", this is server ", rank_));
    }
    if (r > 0 && run.bucket <= ids.runs[r - 1].bucket) return out_of_order(run.begin);
    for (size_t i = run.begin + 1; i < run.end; ++i) {
      if (ids.ids[i] <= ids.ids[i - 1]) return out_of_order(i);
    }
  }
  return absl::OkStatus();
}

absl::Status RequestCheck::CheckRows(const ExchangeRequest& request, const RowContribution& rows,
                                     const RowIds& ids) const {
  CONVOY_RETURN_IF_ERROR(CheckIds("push", rows.table, rows.ids.size(), ids));
  const TableSpec& table = placement_->tables()[rows.table];
  if (rows.values.size() != ids.size() * table.dim() * sizeof(float)) {
    return absl::InvalidArgumentError(
        absl::StrCat("push to table \"", table.name, "\": got ", rows.values.size(),
                     " bytes of values, want ", ids.size(), " rows of ", table.dim(), " float32"));
  }
  if (const size_t bad = FirstNotFinite(rows.values); bad != kNone) {
    return NotFiniteError(
        request, absl::StrCat("table \"", table.name, "\""),
        absl::StrCat("column ", bad % table.dim(), " of row ", ids.ids[bad / table.dim()]));
  }
  return absl::OkStatus();
}

absl::Status RequestCheck::CheckContribution(const ExchangeRequest& request,
                                             const Contribution& c) const {
  CONVOY_RETURN_IF_ERROR(IsHere(c.cell, "push"));
  const CellSpec& spec = placement_->cells()[c.cell];
  if (c.values.size() != size_t{spec.size} * sizeof(float)) {
    const VariableSpec& variable = placement_->variables()[spec.variable];
    return absl::InvalidArgumentError(absl::StrCat(
        "push to ", placement_->Describe(c.cell), ": got ", c.values.size() / sizeof(float),
        c.values.size() % sizeof(float) ? " and a half values" : " values", ", want ", spec.size,
        " (elements ", spec.offset, " to ", spec.offset + spec.size - 1, " of ", Shape(variable),
        ")"));
  }
  if (const size_t bad = FirstNotFinite(c.values); bad != kNone) {
    return NotFiniteError(request, placement_->Describe(c.cell),
                          absl::StrCat("element ", spec.offset + static_cast<int64_t>(bad)));
  }
  return absl::OkStatus();
}

absl::Status RequestCheck::Pull(const ExchangeRequest& request,
                                std::span<const RowIds> rows) const {
  const size_t cells = placement_->cells_of_server(rank_).size();
  if (request.pull_cells.size() > cells) {
    return absl::InvalidArgumentError(
        absl::StrCat("pull of ", request.pull_cells.size(), " cells, this server has ", cells));
  }
  for (uint32_t id : request.pull_cells) CONVOY_RETURN_IF_ERROR(IsHere(id, "pull"));
  for (size_t i = 0; i < rows.size(); ++i) {
    const RowPull& pull = request.pull_rows[i];
    CONVOY_RETURN_IF_ERROR(CheckIds("pull", pull.table, pull.ids.size(), rows[i]));
  }
  return CheckAnchors(request);
}

absl::Status RequestCheck::CheckAnchors(const ExchangeRequest& request) const {
  const bool of_rows =
      std::ranges::any_of(request.pull_rows, [](const RowPull& rows) { return rows.anchors; });
  if ((of_rows || !request.pull_anchors.empty()) && !policy_.difference()) {
    return absl::InvalidArgumentError(
        absl::StrCat("pull of anchors: in mode ", convoy::ToString(mode_),
                     " servers use them themselves; workers need them in local_sgd and geo only"));
  }
  if (const size_t cells = placement_->cells_of_server(rank_).size();
      request.pull_anchors.size() > cells) {
    return absl::InvalidArgumentError(absl::StrCat(
        "pull of the anchors of ", request.pull_anchors.size(), " cells, this server has ", cells));
  }
  for (uint32_t id : request.pull_anchors)
    CONVOY_RETURN_IF_ERROR(IsHere(id, "pull of the anchors"));
  return absl::OkStatus();
}

}  // namespace convoy
