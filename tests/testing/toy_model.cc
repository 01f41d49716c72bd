#include "tests/testing/toy_model.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/math/random.h"
#include "common/math/variable.h"
#include "common/optimizers/anchored.h"
#include "common/optimizers/optimizer.h"
#include "common/optimizers/row_updater.h"
#include "common/optimizers/schedule.h"

namespace convoy::testing {
namespace {

using Sum = std::optional<std::vector<float>>;

Sum Add(const Sum& left, const Sum& right) {
  if (!left) return right;
  if (!right) return left;
  std::vector<float> sum(left->size());
  for (size_t i = 0; i < sum.size(); ++i) sum[i] = (*left)[i] + (*right)[i];
  return sum;
}

// Written from the definition, not from SliceTree: pairs of neighbours, then pairs of pairs.
Sum TreeSum(std::vector<Sum> parts) {
  while (parts.size() > 1) {
    std::vector<Sum> next;
    for (size_t i = 0; i < parts.size(); i += 2) {
      next.push_back(i + 1 < parts.size() ? Add(parts[i], parts[i + 1]) : parts[i]);
    }
    parts = std::move(next);
  }
  return parts[0];
}

// Each once.
std::vector<uint64_t> InOrderOfBuckets(const std::vector<uint64_t>& ids) {
  std::set<std::pair<uint32_t, uint64_t>> sorted;
  for (const uint64_t id : ids) sorted.emplace(BucketOf(id), id);
  std::vector<uint64_t> ordered;
  for (const auto& [bucket, id] : sorted) ordered.push_back(id);
  return ordered;
}

// A step of gradient descent.
void Descend(const ToyJob& job, const std::vector<float>& gradient, std::span<const float> anchors,
             std::vector<float>* weights) {
  const auto strength = static_cast<float>(job.optimizer.anchor());
  for (size_t i = 0; i < weights->size(); ++i) {
    float& weight = (*weights)[i];
    float slope = gradient[i];
    const bool anchored = !anchors.empty() && std::bit_cast<uint32_t>(anchors[i]) !=
                                                  std::bit_cast<uint32_t>(kNotAnchored);
    if (anchored) slope += strength * (weight - anchors[i]);
    weight -= 0.01f * slope;
  }
}

}  // namespace

std::vector<VariableSpec> ToyVariables(bool large) {
  std::vector<VariableSpec> variables = {
      {"a/weight", {5, 3}, Initializer::GlorotUniform(5, 3)},
      {"a/bias", {3}, Initializer::Zeros()},
      {"b/weight", {3, 7}, Initializer::GlorotUniform(3, 7)},
      {"b/bias", {1}, Initializer::Constant(0.5f)},
  };
  if (large) variables.push_back({"c/weight", {300, 250}, Initializer::HeNormal(300)});
  return variables;
}

std::vector<TableSpec> ToyTables() {
  return {{"rows", {{"weight", 1, Initializer::Zeros()}, {"factors", 2, Initializer::HeNormal(2)}}},
          {"bias", {{"bias", 1, Initializer::Constant(0.25f)}}}};
}

std::vector<uint64_t> ToyIds(const ToyJob& job, uint64_t step, uint32_t slice, uint32_t table,
                             uint32_t local_step) {
  if (job.sparse && RandomStream(job.seed, "no rows", step, slice).Below(table, 4) == 0) return {};
  const RandomStream random(job.seed, "ids", step, slice);
  std::vector<uint64_t> ids;
  for (uint64_t i = 0; i < 6; ++i) {
    ids.push_back(random.Below(100 * local_step + 10 * table + i, 25) * 1'000'003);
  }
  return InOrderOfBuckets(ids);
}

std::vector<uint64_t> ToyRoundIds(const ToyJob& job, uint64_t step, uint32_t slice,
                                  uint32_t table) {
  std::vector<uint64_t> all;
  for (uint32_t k = 0; k < std::max(1u, job.local_steps); ++k) {
    const std::vector<uint64_t> ids = ToyIds(job, step, slice, table, k);
    all.insert(all.end(), ids.begin(), ids.end());
  }
  return InOrderOfBuckets(all);
}

std::vector<float> ToyRowGradient(uint32_t table, uint64_t id, const std::vector<float>& row,
                                  ToyRange examples) {
  std::vector<float> gradient(row.size(), 0.0f);
  for (uint64_t example = examples.begin; example < examples.end; ++example) {
    const RandomStream targets(11, "row target", example, id + table);
    for (size_t i = 0; i < row.size(); ++i) gradient[i] += row[i] - targets.Uniform(i);
  }
  return gradient;
}

std::vector<float> ToyRowContribution(const ToyJob& job, uint64_t step, uint32_t slice,
                                      uint32_t table, uint64_t id, const std::vector<float>& row,
                                      ToyRange examples, float factor,
                                      std::span<const float> anchors) {
  if (job.local_steps == 0) return ToyRowGradient(table, id, row, examples);
  std::vector<float> moved = row;
  for (uint32_t k = 0; k < job.local_steps; ++k) {
    const std::vector<uint64_t> ids = ToyIds(job, step, slice, table, k);
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) continue;
    Descend(job, ToyRowGradient(table, id, moved, examples), anchors, &moved);
  }
  for (size_t i = 0; i < moved.size(); ++i) moved[i] = factor * (moved[i] - row[i]);
  return moved;
}

ToyRange SliceExamples(const ToyJob& job, uint64_t step, uint32_t slice) {
  const uint64_t per_epoch = (job.examples + job.batch_size - 1) / job.batch_size;
  const uint64_t begin = step % per_epoch * job.batch_size;
  const uint64_t size = std::min<uint64_t>(job.batch_size, job.examples - begin);
  return {begin + slice * size / job.slices, begin + (slice + 1) * size / job.slices};
}

bool NoGradient(const ToyJob& job, uint64_t step, uint32_t slice, uint32_t cell) {
  if (SliceExamples(job, step, slice).size() == 0) return true;
  return job.sparse && RandomStream(job.seed, "no gradient", step, slice).Below(cell, 4) == 0;
}

std::vector<float> ToyGradient(const CellSpec& cell, const std::vector<float>& weights,
                               ToyRange examples) {
  std::vector<float> gradient(weights.size(), 0.0f);
  for (uint64_t example = examples.begin; example < examples.end; ++example) {
    const RandomStream targets(7, "target", example, cell.id);
    for (size_t i = 0; i < weights.size(); ++i) gradient[i] += weights[i] - targets.Uniform(i % 64);
  }
  return gradient;
}

std::vector<float> ToyContribution(const ToyJob& job, const CellSpec& cell,
                                   const std::vector<float>& weights, ToyRange examples,
                                   float factor, std::span<const float> anchors) {
  if (job.local_steps == 0) return ToyGradient(cell, weights, examples);
  std::vector<float> moved = weights;
  for (uint32_t k = 0; k < job.local_steps; ++k) {
    Descend(job, ToyGradient(cell, moved, examples), anchors, &moved);
  }
  for (size_t i = 0; i < moved.size(); ++i) moved[i] = factor * (moved[i] - weights[i]);
  return moved;
}

std::vector<std::vector<float>> PlainLoop(const ToyJob& job) {
  const Placement placement = *Placement::Create(job.variables, 1);
  std::vector<std::vector<float>> result;
  for (const VariableSpec& variable : job.variables) {
    result.emplace_back(static_cast<size_t>(variable.size()));
    InitializeValues(variable, job.seed, 0, result.back());
  }
  for (const CellSpec& cell : placement.cells()) {
    const OptimizerSettings settings =
        *SettingsFor(job.optimizer, job.variables[cell.variable].name);
    const auto optimizer = *MakeOptimizer(settings);
    auto first = result[cell.variable].begin() + cell.offset;
    std::vector<float> weights(first, first + cell.size);
    std::vector<std::vector<float>> slots;
    for (int s = 0; s < optimizer->num_slots(); ++s)
      slots.emplace_back(cell.size, optimizer->initial_slot_value(s));
    uint64_t seen = 0, updates = 0;
    for (uint64_t step = 0; step < job.steps; ++step) {
      std::vector<Sum> parts;
      uint64_t count = 0;
      for (uint32_t slice = 0; slice < job.slices; ++slice) {
        const ToyRange examples = SliceExamples(job, step, slice);
        count += examples.size();
        parts.push_back(NoGradient(job, step, slice, cell.id)
                            ? Sum()
                            : ToyContribution(job, cell, weights, examples,
                                              static_cast<float>(examples.size())));
      }
      if (const Sum sum = TreeSum(parts); sum && job.local_steps > 0) {
        const auto inverse = static_cast<float>(1.0 / static_cast<double>(count));
        for (size_t i = 0; i < weights.size(); ++i) weights[i] += (*sum)[i] * inverse;
        continue;
      }
      if (const Sum sum = TreeSum(parts)) {
        std::vector<float*> slot_pointers;
        for (auto& slot : slots) slot_pointers.push_back(slot.data());
        const double factor =
            ScheduleFactor(job.optimizer.schedule(), seen, job.examples, job.examples);
        optimizer->Apply(
            {static_cast<float>(settings.learning_rate * factor), static_cast<int64_t>(++updates),
             static_cast<float>(1.0 / static_cast<double>(count))},
            {sum->data(), weights.data(), weights.data(), slot_pointers.data(),
             static_cast<int64_t>(weights.size())});
      }
      seen += count;
    }
    std::copy(weights.begin(), weights.end(), first);
  }
  return result;
}

std::vector<ToyRows> PlainTables(const ToyJob& job) {
  std::vector<ToyRows> result(job.tables.size());
  for (uint32_t t = 0; t < job.tables.size(); ++t) {
    const TableSpec& spec = job.tables[t];
    const RowUpdater updater = *RowUpdater::Create(job.optimizer, spec);
    ToyRows slots;
    std::map<uint64_t, int64_t> updates;
    const auto row_of = [&](uint64_t id) {
      std::vector<float>& row = result[t][id];
      if (row.empty()) {
        row.resize(spec.dim());
        InitializeRow(spec, job.seed, id, row);
        slots[id].resize(updater.slot_floats());
        updater.InitializeSlots(slots[id].data());
      }
      return row;
    };
    uint64_t seen = 0;
    for (uint64_t step = 0; step < job.steps; ++step) {
      std::map<uint64_t, std::vector<Sum>> parts;  // by id, of all slices
      uint64_t count = 0;
      for (uint32_t slice = 0; slice < job.slices; ++slice) {
        const ToyRange examples = SliceExamples(job, step, slice);
        count += examples.size();
        if (examples.size() == 0) continue;
        for (const uint64_t id : ToyRoundIds(job, step, slice, t)) {
          parts[id].resize(job.slices);
          parts[id][slice] = ToyRowContribution(job, step, slice, t, id, row_of(id), examples,
                                                static_cast<float>(examples.size()));
        }
      }
      const double factor =
          ScheduleFactor(job.optimizer.schedule(), seen, job.examples, job.examples);
      for (auto& [id, sums] : parts) {
        const Sum sum = TreeSum(sums);
        const auto inverse = static_cast<float>(1.0 / static_cast<double>(count));
        std::vector<float>& row = result[t][id];
        if (job.local_steps > 0) {
          for (size_t i = 0; i < row.size(); ++i) row[i] += (*sum)[i] * inverse;
          continue;
        }
        updater.Apply({factor, ++updates[id], inverse}, sum->data(), row.data(), slots[id].data());
      }
      seen += count;
    }
  }
  return result;
}

}  // namespace convoy::testing
