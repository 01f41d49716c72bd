#include "common/checkpoint/init_plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/init_anchors.h"
#include "common/checkpoint/init_source.h"
#include "common/checkpoint/map_rules.h"
#include "common/checkpoint/table_columns.h"
#include "common/mode.h"
#include "common/name_patterns.h"
#include "common/optimizers/anchored.h"
#include "common/optimizers/frozen.h"
#include "common/optimizers/optimizer.h"
#include "common/optimizers/row_updater.h"
#include "common/status.h"

namespace convoy {
namespace {

using Shape = std::vector<uint64_t>;
using Item = v1::InitPlan::Item;

std::string SizesText(const Shape& shape) {
  return shape.empty() ? "one value" : absl::StrJoin(shape, " x ");
}

bool MayWiden(const Shape& to, const Shape& from) {
  return to.size() == from.size() &&
         std::ranges::equal(to, from, [](uint64_t a, uint64_t b) { return a >= b; });
}

bool IsTransposed(const Shape& to, const Shape& from) {
  return to.size() == 2 && from.size() == 2 && to[0] == from[1] && to[1] == from[0];
}

bool SameNames(std::vector<std::string> a, std::vector<std::string> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

// What is wrong with a variable or table, with what may be done about it.
std::string Proposal(const std::string& name, const std::string& problem, bool may_widen) {
  return absl::StrCat(
      "\n  ", name, ": ", problem, "; ",
      may_widen ? absl::StrCat("keep what there is with --widen '", name, "', or ") : "",
      "begin it anew with --replace '", name, "'");
}

class InitPlanner {
 public:
  InitPlanner(const WeightArchive& archive, const v1::Job& job,
              std::span<const VariableSpec> variables, std::span<const TableSpec> tables)
      : archive_(archive), job_(job), variables_(variables), tables_(tables) {}

  absl::StatusOr<v1::InitPlan> Run() {
    CONVOY_RETURN_IF_ERROR(Prepare());
    CONVOY_RETURN_IF_ERROR(Rename());
    for (size_t v = 0; v < variables_.size(); ++v) CONVOY_RETURN_IF_ERROR(PlanVariable(v));
    for (size_t t = 0; t < tables_.size(); ++t) CONVOY_RETURN_IF_ERROR(PlanTable(t));
    CONVOY_RETURN_IF_ERROR(CheckRules());
    if (!problems_.empty()) return Unfit();
    CONVOY_RETURN_IF_ERROR(CheckAnchors(plan_, job_.optimizer(), archive_.path()));
    AddUnused();
    return std::move(plan_);
  }

 private:
  absl::Status Prepare() {
    const v1::Init& init = job_.init();
    CONVOY_ASSIGN_OR_RETURN(replace_, NamePatterns::Compile("init.replace", init.replace()));
    CONVOY_ASSIGN_OR_RETURN(widen_, NamePatterns::Compile("init.widen", init.widen()));
    CONVOY_ASSIGN_OR_RETURN(reset_,
                            NamePatterns::Compile("init.reset_optimizer", init.reset_optimizer()));
    CONVOY_ASSIGN_OR_RETURN(frozen_, FindFrozen(job_.optimizer(), variables_, tables_));
    CONVOY_ASSIGN_OR_RETURN(const Mode mode, ParseMode(job_.training().mode()));
    servers_optimize_ = !mode.local();
    return absl::OkStatus();
  }

  // Names of the archive by what they are called in the model; variables, then tables.
  absl::Status Rename() {
    CONVOY_ASSIGN_OR_RETURN(MapRules rules, MapRules::Compile(job_.init().map()));
    std::vector<std::string> names;
    for (const auto& variable : archive_.variables()) names.push_back(variable.name);
    for (const auto& table : archive_.tables()) names.push_back(table.name);
    std::map<std::string, std::string> renamed;  // new name -> old name
    for (size_t i = 0; i < names.size(); ++i) {
      const std::optional<std::string> name = rules.NewName(names[i]);
      if (!name) {
        found_.emplace(names[i], i);
        continue;
      }
      if (const auto [at, is_new] = renamed.emplace(*name, names[i]); !is_new) {
        return absl::InvalidArgumentError(absl::StrCat("init.map: both \"", at->second, "\" and \"",
                                                       names[i], "\" become \"", *name, "\""));
      }
      found_[*name] = i;
    }
    CONVOY_RETURN_IF_ERROR(rules.CheckAllMatched(names));
    return CheckRenamed(renamed);
  }

  // A rule that only gives names which nobody has is a mistake.
  absl::Status CheckRenamed(const std::map<std::string, std::string>& renamed) const {
    const std::vector<std::string> names = ModelNames();
    const auto known = [&](const auto& entry) {
      return std::ranges::find(names, entry.first) != names.end();
    };
    if (renamed.empty() || std::ranges::any_of(renamed, known)) return absl::OkStatus();
    const auto& [name, old_name] = *renamed.begin();
    return absl::InvalidArgumentError(
        absl::StrCat("init.map: \"", old_name, "\" becomes \"", name,
                     "\", which the model has not; it has: ", ListOfNames(names)));
  }

  std::vector<std::string> ModelNames() const {
    std::vector<std::string> names;
    for (const VariableSpec& variable : variables_) names.push_back(variable.name);
    for (const TableSpec& table : tables_) names.push_back(table.name);
    return names;
  }

  absl::Status PlanVariable(size_t number) {
    const VariableSpec& spec = variables_[number];
    Item& item = *plan_.add_variables();
    item.set_name(spec.name);
    item.set_frozen(frozen_.variable(number));
    const Shape shape(spec.shape.begin(), spec.shape.end());
    item.mutable_shape()->Add(shape.begin(), shape.end());
    const bool replace = replace_->Matches(spec.name), widen = widen_->Matches(spec.name);
    const bool reset = reset_->Matches(spec.name);
    const auto found = found_.find(spec.name);
    const bool there = found != found_.end() && found->second < archive_.variables().size();
    if (replace) return absl::OkStatus();
    if (!there) return NotThere(spec.name);
    const WeightArchive::Variable& stored = archive_.variables()[found->second];
    if (stored.shape != shape && !(widen && MayWiden(shape, stored.shape))) {
      problems_.push_back(Proposal(
          spec.name,
          absl::StrCat("has ", SizesText(stored.shape), " there and ", SizesText(shape), " here",
                       IsTransposed(shape, stored.shape)
                           ? " (transposed: Convoy's weights are [inputs, outputs])"
                           : ""),
          MayWiden(shape, stored.shape)));
      return absl::OkStatus();
    }
    CONVOY_RETURN_IF_ERROR(archive_.Read(found->second, std::nullopt, 0, {}));
    Take(found->second, stored.name, stored.shape != shape, &item);
    item.mutable_from_shape()->Add(stored.shape.begin(), stored.shape.end());
    return ChooseSlots(spec.name, stored.slots, reset, &item);
  }

  absl::Status ChooseSlots(const std::string& name, const std::vector<std::string>& stored,
                           bool reset, Item* item) {
    CONVOY_ASSIGN_OR_RETURN(const OptimizerSettings settings, SettingsFor(job_.optimizer(), name));
    CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<Optimizer> optimizer, MakeOptimizer(settings));
    item->set_anchored(settings.anchor != 0);
    std::vector<std::string> slots;
    if (servers_optimize_) slots = WithoutAnchorSlots(optimizer->slot_names());
    const std::vector<std::string> theirs = WithoutAnchorSlots(stored);
    const bool same = SameNames(slots, theirs);
    item->set_slots_new(!theirs.empty() && (reset || !same));
    if (!reset && same) item->mutable_slots()->Add(slots.begin(), slots.end());
    return absl::OkStatus();
  }

  absl::Status PlanTable(size_t number) {
    const TableSpec& spec = tables_[number];
    Item& item = *plan_.add_tables();
    item.set_name(spec.name);
    item.set_frozen(frozen_.table(number));
    item.add_shape(spec.dim());
    const bool replace = replace_->Matches(spec.name), widen = widen_->Matches(spec.name);
    const bool reset = reset_->Matches(spec.name);
    const auto found = found_.find(spec.name);
    const bool there = found != found_.end() && found->second >= archive_.variables().size();
    if (replace) return absl::OkStatus();
    if (!there) return NotThere(spec.name);
    const WeightArchive::Table& stored =
        archive_.tables()[found->second - archive_.variables().size()];
    const TableFit fit = FitTable(spec, stored);
    if (fit.kind == TableFit::Kind::kNot || (fit.kind == TableFit::Kind::kWider && !widen)) {
      problems_.push_back(Proposal(spec.name, fit.difference, fit.kind == TableFit::Kind::kWider));
      return absl::OkStatus();
    }
    Take(found->second, stored.name, fit.kind == TableFit::Kind::kWider, &item);
    item.add_from_shape(stored.dim);
    item.set_rows(stored.rows);
    return ChooseRowSlots(spec, stored, reset, &item);
  }

  absl::Status ChooseRowSlots(const TableSpec& spec, const WeightArchive::Table& stored, bool reset,
                              Item* item) {
    CONVOY_ASSIGN_OR_RETURN(const RowUpdater updater, RowUpdater::Create(job_.optimizer(), spec));
    item->set_anchored(!AnchorColumns(spec, updater, stored).empty());
    if (servers_optimize_ && !reset) {
      for (const std::string& slot : LoadableRowSlots(spec, updater, stored)) item->add_slots(slot);
    }
    const auto theirs = std::ranges::count_if(
        stored.slots, [](const auto& slot) { return !IsAnchorSlot(slot.name); });
    item->set_slots_new(item->slots_size() < theirs);
    return absl::OkStatus();
  }

  absl::Status NotThere(const std::string& name) {
    problems_.push_back(Proposal(
        name,
        absl::StrCat("is not there (give it the name it has there with --map 'NAME=", name, "')"),
        false));
    return absl::OkStatus();
  }

  void Take(size_t index, const std::string& from, bool widened, Item* item) {
    used_.insert(index);
    item->set_from(from);
    item->set_action(widened                ? v1::InitPlan::WIDENED
                     : from == item->name() ? v1::InitPlan::LOADED
                                            : v1::InitPlan::MAPPED);
  }

  absl::Status CheckRules() const {
    const std::vector<std::string> names = ModelNames();
    for (const auto* patterns : {&replace_, &widen_, &reset_}) {
      CONVOY_RETURN_IF_ERROR((*patterns)->CheckAllMatched("variable or table", names));
    }
    return absl::OkStatus();
  }

  absl::Status Unfit() const {
    std::vector<std::string> names;
    for (const auto& variable : archive_.variables()) names.push_back(variable.name);
    for (const auto& table : archive_.tables()) names.push_back(table.name);
    return absl::InvalidArgumentError(
        absl::StrCat(archive_.path(), " does not fit the model:", absl::StrJoin(problems_, ""),
                     "\n  There are: ", ListOfNames(names)));
  }

  void AddUnused() {
    const size_t variables = archive_.variables().size();
    for (size_t i = 0; i < variables + archive_.tables().size(); ++i) {
      if (used_.contains(i)) continue;
      plan_.add_unused(i < variables ? archive_.variables()[i].name
                                     : archive_.tables()[i - variables].name);
    }
  }

  const WeightArchive& archive_;
  const v1::Job& job_;
  const std::span<const VariableSpec> variables_;
  const std::span<const TableSpec> tables_;
  std::optional<NamePatterns> replace_, widen_, reset_;
  FrozenParts frozen_;
  bool servers_optimize_ = true;
  std::map<std::string, size_t> found_;  // name in the model -> variable, or table behind them
  std::set<size_t> used_;                // numbered as in found_
  std::vector<std::string> problems_;
  v1::InitPlan plan_;
};

}  // namespace

absl::StatusOr<v1::InitPlan> PlanInit(const WeightArchive& archive, const v1::Job& job,
                                      std::span<const VariableSpec> variables,
                                      std::span<const TableSpec> tables) {
  return InitPlanner(archive, job, variables, tables).Run();
}

absl::StatusOr<v1::InitPlan> PlanInitOf(const v1::Job& job, std::span<const VariableSpec> variables,
                                        std::span<const TableSpec> tables) {
  CONVOY_ASSIGN_OR_RETURN(const InitSource source, FindInitSource(job.init().from()));
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<WeightArchive> archive, OpenArchive(source.path));
  CONVOY_ASSIGN_OR_RETURN(v1::InitPlan plan, PlanInit(*archive, job, variables, tables));
  plan.set_path(source.path);
  plan.set_step(source.step.value_or(0));
  plan.set_run(source.run);
  plan.set_note(source.note);
  return plan;
}

}  // namespace convoy
