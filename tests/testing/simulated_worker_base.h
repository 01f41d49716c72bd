// What simulated workers of all modes do alike: pulls, pushes, and what they hold.
#ifndef CONVOY_TESTS_TESTING_SIMULATED_WORKER_BASE_H_
#define CONVOY_TESTS_TESTING_SIMULATED_WORKER_BASE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "common/net/exchange.h"
#include "common/placement/placement.h"
#include "tests/testing/simulated_worker.h"
#include "tests/testing/toy_model.h"

namespace convoy::testing {

class SimulatedWorkerBase : public SimulatedWorker {
 public:
  SimulatedWorkerBase(const ToyJob& job, const Placement& placement, Environment environment);

  void Start() final;
  void OnReply(const ExchangeRequest& request, const ExchangeReply& reply) final;

 protected:
  struct Gradient {
    uint32_t cell;
    std::shared_ptr<std::vector<float>> values;
  };

  // The anchors are there, if there are any.
  virtual void Begin() = 0;
  // A reply to what was asked for since.
  virtual void OnStepReply(const ExchangeRequest& request, const ExchangeReply& reply) = 0;

  // Pulls all cells of all servers; in pieces if what has come can be used before the rest, as
  // ParameterClient does.
  void PullAll(ExchangeRequest header);

  // Sends the gradients in random order and random groups, one `final` message to every server;
  // with `pull` the messages also ask for the new values of all cells.
  void Push(ExchangeRequest header, std::vector<Gradient> gradients,
            std::vector<RowContribution> rows, bool pull);

  // Ids of one table and server, in the order of messages.
  using ServerIds = std::vector<std::vector<uint64_t>>;
  ServerIds ByServer(const std::vector<uint64_t>& ids) const;

  // A step, or round of local steps, begins: nothing has been read for it.
  void BeginRound() { read_.clear(); }
  // How often rows are pulled in it.
  uint32_t RowPulls() const { return std::max(1u, job_.local_steps); }

  // Asks for the rows that the slice (or batch) reads in a local step for the first time. False:
  // there are none.
  bool PullRows(uint64_t step, uint32_t slice, uint32_t local_step, uint64_t version);

  // What the slice (or batch) sends of the rows that it reads, from the rows that were pulled.
  std::vector<RowContribution> RowContributions(uint64_t step, uint32_t slice, ToyRange examples,
                                                float factor) const;
  void Expect(uint32_t server, ExchangeRequest request);

  // True when the last outstanding reply has come.
  bool Take(const ExchangeRequest& request, const ExchangeReply& reply);

  const ToyJob& job_;
  const Placement& placement_;
  const Environment environment_;
  std::vector<std::vector<float>> weights_;  // by cell
  std::vector<uint64_t> versions_;
  std::map<std::pair<uint32_t, uint64_t>, std::vector<float>> rows_;  // by table and id
  std::map<std::pair<uint32_t, uint64_t>, uint64_t> row_versions_;
  // Of local steps that are held near something; else empty.
  std::vector<std::vector<float>> anchors_;  // by cell
  std::map<std::pair<uint32_t, uint64_t>, std::vector<float>> row_anchors_;
  std::set<std::tuple<uint32_t, uint32_t, uint64_t>> read_;  // in the round: slice, table, id

 private:
  bool IsAnchored() const { return job_.local_steps > 0 && job_.optimizer.anchor() > 0; }
  static Payload IdPayload(const std::shared_ptr<std::vector<uint64_t>>& ids);

  int unanswered_ = 0;
  bool pulls_anchors_ = false;  // it has not begun yet
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_SIMULATED_WORKER_BASE_H_
