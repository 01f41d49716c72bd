#include "tests/worker/models/tables/table_parameters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "common/math/random.h"

namespace convoy::testing {

TableParameters::TableParameters(const Model& model, uint64_t seed, Order order)
    : model_(model),
      seed_(seed),
      order_(order),
      variables_(model.variables()),
      tables_(model.tables().size()) {
  variables_.Initialize(seed);
}

void TableParameters::Prepare(const Batch& batch) {
  for (size_t t = 0; t < tables_.size(); ++t) {
    const TableSpec& spec = model_.tables()[t];
    Table& table = tables_[t];
    std::vector<uint64_t> ids;
    model_.AppendIds(batch, static_cast<int>(t), &ids);
    RowIndex index;
    index.Build(ids);
    table.ids.assign(index.unique().begin(), index.unique().end());
    table.places.assign(index.places().begin(), index.places().end());
    if (order_ == Order::kReversed) {
      std::ranges::reverse(table.ids);
      for (uint32_t& place : table.places)
        place = static_cast<uint32_t>(table.ids.size()) - 1 - place;
    }
    table.values = AlignedBuffer(table.ids.size() * spec.dim());
    table.gradients = AlignedBuffer(table.ids.size() * spec.dim());
    for (const uint64_t id : table.ids) {
      const std::span<float> values = row(static_cast<int>(t), id);
      const auto stored = table.stored.find(id);
      if (stored == table.stored.end()) {
        InitializeRow(spec, seed_, id, values);
      } else {
        std::ranges::copy(stored->second, values.begin());
      }
    }
  }
}

void TableParameters::Randomize(float scale) {
  variables_.Randomize(3, scale);
  for (size_t t = 0; t < tables_.size(); ++t) {
    for (const uint64_t id : tables_[t].ids) {
      RandomStream(3, model_.tables()[t].name, id).FillNormal(0, row(static_cast<int>(t), id));
    }
    for (float& value : tables_[t].values.span()) value *= scale;
  }
}

void TableParameters::Step(float rate) {
  variables_.Step(rate);
  for (size_t t = 0; t < tables_.size(); ++t) {
    for (const uint64_t id : tables_[t].ids) {
      const std::span<float> values = row(static_cast<int>(t), id);
      const std::span<const float> slope = gradient(static_cast<int>(t), id);
      for (size_t i = 0; i < values.size(); ++i) values[i] -= rate * slope[i];
      tables_[t].stored[id].assign(values.begin(), values.end());
    }
  }
}

absl::StatusOr<TableRows> TableParameters::Rows(int table) {
  std::span<const uint32_t> places = tables_[table].places;
  if (drop_a_place_) places = places.first(places.size() - 1);
  return TableRows{std::as_const(tables_[table].values).span(), places,
                   static_cast<int64_t>(tables_[table].ids.size())};
}

std::span<float> TableParameters::RowGradients(int table) {
  std::ranges::fill(tables_[table].gradients.span(), std::numeric_limits<float>::quiet_NaN());
  return tables_[table].gradients.span();
}

absl::Status TableParameters::RowsReady(int table) {
  ++tables_[table].reports;
  return absl::OkStatus();
}

std::span<float> TableParameters::Of(int table, uint64_t id, AlignedBuffer& buffer) {
  const std::vector<uint64_t>& ids = tables_[table].ids;
  const auto place = static_cast<size_t>(std::ranges::find(ids, id) - ids.begin());
  const size_t dim = model_.tables()[static_cast<size_t>(table)].dim();
  return buffer.span().subspan(place * dim, dim);
}

void ExpectTableModelGradients(Model& model, const Batch& batch, const DifferenceOptions& options) {
  TableParameters parameters(model, 1), others(model, 1);
  for (TableParameters* each : {&parameters, &others}) {
    each->Prepare(batch);
    each->Randomize(0.5f);
  }
  const auto output = model.Train(batch, parameters, parameters);
  ASSERT_TRUE(output.ok()) << output.status();
  const auto loss = [&] {
    const auto moved = model.Train(batch, parameters, others);
    EXPECT_TRUE(moved.ok()) << moved.status();
    return moved.ok() ? moved->loss : 0;
  };
  for (int v = 0; v < parameters.variables().count(); ++v) {
    SCOPED_TRACE(model.variables()[v].name);
    ExpectGradient(loss, parameters.variables().weights(v), parameters.variables().gradient(v),
                   options);
  }
  for (int t = 0; t < static_cast<int>(model.tables().size()); ++t) {
    SCOPED_TRACE("rows of " + model.tables()[t].name);
    EXPECT_EQ(parameters.reports(t), 1);
    ExpectGradient(loss, parameters.values(t), parameters.gradients(t), options);
  }
}

Batch IdBatch(int64_t size, int64_t fields, uint64_t categories, uint64_t seed) {
  Batch batch;
  batch.size = size;
  batch.sparse = true;
  batch.row_offsets = {0};
  const RandomStream draw(seed, "categories"), values(seed, "values");
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t field = 0; field < fields && i > 0; ++field) {
      const uint64_t number = static_cast<uint64_t>(i * fields + field);
      const uint64_t id =
          HashId(static_cast<uint64_t>(field) << 32 | draw.Below(number, categories));
      for (int repeats = i == 1 && field == 0 ? 2 : 1; repeats > 0; --repeats) {
        batch.ids.push_back(id);
        batch.fields.push_back(static_cast<uint32_t>(field));
        batch.values.push_back(0.5f + values.Uniform(number));
      }
    }
    batch.row_offsets.push_back(static_cast<int64_t>(batch.values.size()));
    batch.labels.push_back(static_cast<float>(i % 2));
    batch.examples.push_back(static_cast<uint64_t>(100 + i));
  }
  return batch;
}

}  // namespace convoy::testing
