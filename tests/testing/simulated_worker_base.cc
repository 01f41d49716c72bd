#include "tests/testing/simulated_worker_base.h"

#include <cstring>

namespace convoy::testing {

SimulatedWorkerBase::SimulatedWorkerBase(const ToyJob& job, const Placement& placement,
                                         Environment environment)
    : job_(job), placement_(placement), environment_(std::move(environment)) {
  for (const CellSpec& cell : placement.cells()) {
    weights_.emplace_back(cell.size);
    versions_.push_back(0);
  }
  anchors_.resize(weights_.size());
}

void SimulatedWorkerBase::Start() {
  pulls_anchors_ = IsAnchored();
  if (!pulls_anchors_) return Begin();
  for (const CellSpec& cell : placement_.cells()) {  // as PullAnchors
    ExchangeRequest request;
    request.pull_anchors.push_back(cell.id);
    Expect(cell.server, std::move(request));
  }
}

void SimulatedWorkerBase::OnReply(const ExchangeRequest& request, const ExchangeReply& reply) {
  if (!pulls_anchors_) return OnStepReply(request, reply);
  if (!Take(request, reply)) return;
  pulls_anchors_ = false;
  Begin();
}

void SimulatedWorkerBase::PullAll(ExchangeRequest header) {
  for (uint32_t server = 0; server < placement_.servers(); ++server) {
    ExchangeRequest request = header;
    for (uint32_t cell : placement_.cells_of_server(server)) {
      const bool full = environment_.overlaps && !request.pull_cells.empty();
      if (full && environment_.random(2) == 0) {
        Expect(server, std::exchange(request, {}));
        request.pull_version = header.pull_version;
      }
      request.pull_cells.push_back(cell);
    }
    Expect(server, std::move(request));
  }
}

void SimulatedWorkerBase::Push(ExchangeRequest header, std::vector<Gradient> gradients,
                               std::vector<RowContribution> rows, bool pull) {
  std::vector<std::vector<ExchangeRequest>> messages(placement_.servers(),
                                                     std::vector<ExchangeRequest>{header});
  for (size_t i = gradients.size(); i > 1; --i)
    std::swap(gradients[i - 1], gradients[environment_.random(i)]);
  for (const Gradient& gradient : gradients) {
    auto& queue = messages[placement_.cells()[gradient.cell].server];
    if (environment_.random(2) == 0) queue.push_back(header);
    queue.back().contributions.push_back(
        {gradient.cell, versions_[gradient.cell], Payload(*gradient.values, gradient.values)});
  }
  for (RowContribution& contribution : rows) {
    uint64_t first;  // all are of one server
    std::memcpy(&first, contribution.ids.segments()[0].data, sizeof(first));
    auto& queue = messages[placement_.server_of_bucket(BucketOf(first))];
    if (environment_.random(2) == 0) queue.push_back(header);
    queue.back().rows.push_back(std::move(contribution));
  }
  for (uint32_t server = 0; server < placement_.servers(); ++server) {
    auto& queue = messages[server];
    if (environment_.random(2) == 0) queue.push_back(header);
    queue.back().final = true;
    for (ExchangeRequest& message : queue) {
      message.pull_applied = pull && message.final;
      if (pull && message.final) {
        for (uint32_t cell : placement_.cells_of_server(server)) message.pull_cells.push_back(cell);
      }
      if (message.has_push()) Expect(server, std::move(message));
    }
  }
}

SimulatedWorkerBase::ServerIds SimulatedWorkerBase::ByServer(
    const std::vector<uint64_t>& ids) const {
  ServerIds by_server(placement_.servers());
  for (const uint64_t id : ids) by_server[placement_.server_of_bucket(BucketOf(id))].push_back(id);
  return by_server;
}

bool SimulatedWorkerBase::PullRows(uint64_t step, uint32_t slice, uint32_t local_step,
                                   uint64_t version) {
  bool any = false;
  for (uint32_t t = 0; t < job_.tables.size(); ++t) {
    std::vector<uint64_t> missing = ToyIds(job_, step, slice, t, local_step);
    std::erase_if(missing, [&](uint64_t id) { return !read_.emplace(slice, t, id).second; });
    const ServerIds by_server = ByServer(missing);
    for (uint32_t server = 0; server < by_server.size(); ++server) {
      if (by_server[server].empty()) continue;
      auto ids = std::make_shared<std::vector<uint64_t>>(by_server[server]);
      ExchangeRequest request;
      request.pull_version = version;
      request.pull_rows.push_back({t, IdPayload(ids), IsAnchored()});
      Expect(server, std::move(request));
      any = true;
    }
  }
  return any;
}

std::vector<RowContribution> SimulatedWorkerBase::RowContributions(uint64_t step, uint32_t slice,
                                                                   ToyRange examples,
                                                                   float factor) const {
  std::vector<RowContribution> rows;
  if (examples.size() == 0) return rows;
  for (uint32_t t = 0; t < job_.tables.size(); ++t) {
    for (const std::vector<uint64_t>& of_server : ByServer(ToyRoundIds(job_, step, slice, t))) {
      if (of_server.empty()) continue;
      auto ids = std::make_shared<std::vector<uint64_t>>(of_server);
      auto values = std::make_shared<std::vector<float>>();
      for (const uint64_t id : of_server) {
        const std::vector<float>& now = rows_.at({t, id});
        const std::vector<float> row = ToyRowContribution(job_, step, slice, t, id, now, examples,
                                                          factor, row_anchors_.at({t, id}));
        values->insert(values->end(), row.begin(), row.end());
      }
      rows.push_back(
          {t, row_versions_.at({t, of_server.front()}), IdPayload(ids), Payload(*values, values)});
    }
  }
  return rows;
}

void SimulatedWorkerBase::Expect(uint32_t server, ExchangeRequest request) {
  ++unanswered_;
  environment_.submit(server, std::move(request));
}

bool SimulatedWorkerBase::Take(const ExchangeRequest& request, const ExchangeReply& reply) {
  for (size_t k = 0; k < reply.rows.size(); ++k) {
    const uint32_t table = reply.rows[k].table;
    std::vector<uint64_t> ids(request.pull_rows[k].ids.size() / sizeof(uint64_t));
    request.pull_rows[k].ids.CopyTo(ids.data());
    const size_t dim = job_.tables[table].dim();
    const size_t width = IsAnchored() ? 2 * dim : dim;
    std::vector<float> values(ids.size() * width);
    reply.rows[k].values.CopyTo(values.data());
    for (size_t i = 0; i < ids.size(); ++i) {
      const float* const row = values.data() + i * width;
      rows_[{table, ids[i]}].assign(row, row + dim);
      row_versions_[{table, ids[i]}] = reply.rows[k].version;
      std::vector<float>& anchors = row_anchors_[{table, ids[i]}];
      anchors.assign(row + dim, row + width);
      if (IsAnchored()) environment_.on_row_anchors(table, ids[i], anchors);
    }
  }
  for (const CellValues& cell : reply.anchors) {
    anchors_[cell.cell].resize(placement_.cells()[cell.cell].size);
    cell.values.CopyTo(anchors_[cell.cell].data());
    environment_.on_anchors(cell.cell, anchors_[cell.cell]);
  }
  for (const CellValues& cell : reply.cells) {
    cell.values.CopyTo(weights_[cell.cell].data());
    versions_[cell.cell] = cell.version;
  }
  return --unanswered_ == 0;
}

Payload SimulatedWorkerBase::IdPayload(const std::shared_ptr<std::vector<uint64_t>>& ids) {
  Payload payload(ids);
  payload.Append({reinterpret_cast<const char*>(ids->data()), ids->size() * sizeof(uint64_t)});
  return payload;
}

}  // namespace convoy::testing
