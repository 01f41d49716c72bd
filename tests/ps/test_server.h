// What the tests of ps share: a ServerCore in fake time, requests, and the sum of slices from its
// definition.
#ifndef CONVOY_TESTS_PS_TEST_SERVER_H_
#define CONVOY_TESTS_PS_TEST_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ps/server_core.h"

namespace convoy::testing {

inline constexpr uint64_t kJob = 0xabc;

Payload Floats(const std::vector<float>& values);
std::vector<float> Values(const Payload& payload);
// Equal floats may differ in bits (0 and -0).
std::vector<uint32_t> Bits(const std::vector<float>& values);

// Pairs of neighbours, then pairs of these, ...; an empty part is no gradient.
std::vector<float> TreeSum(std::vector<std::vector<float>> parts);

// "w" of 3 elements is cell 0 and "b" of 1 element is cell 1; all zeros.
std::vector<VariableSpec> SmallModel();

struct TestServer {
  explicit TestServer(ServerCore::Options options,
                      std::vector<VariableSpec> variables = SmallModel(), uint32_t servers = 1,
                      std::vector<TableSpec> tables = {});

  std::vector<ServerCore::Outgoing> Handle(const ExchangeRequest& request);
  // The one reply that is due at once.
  ExchangeReply Reply(const ExchangeRequest& request);
  std::vector<ServerCore::Outgoing> Tick();
  std::vector<float> Weights(uint32_t cell) const { return core->CellState(cell).values; }
  Cell::Counts Counts(uint32_t cell) const { return core->CellState(cell).counts; }

  absl::Time now = absl::FromUnixSeconds(1000);
  std::unique_ptr<ServerCore> core;
};

// Plain SGD with rate 1, so that a step from zeros ends at minus the mean.
ServerCore::Options SyncOptions(uint32_t slices, uint32_t workers = 1);
ServerCore::Options TaskOptions(Mode mode);
// Workers step by Adam at rate 0.25; servers average the differences of `slices`.
ServerCore::Options LocalSgdOptions(uint32_t slices);

using Gradients = std::vector<std::pair<uint32_t, std::vector<float>>>;  // by cell
ExchangeRequest NewRequest(uint32_t worker);
ExchangeRequest PushStep(uint32_t worker, uint64_t step, TreeNode node, const Gradients& gradients,
                         uint32_t examples = 1, bool final = true);
ExchangeRequest PushBatch(uint32_t worker, uint64_t task, uint64_t batch,
                          const Gradients& gradients, uint64_t base_version = 0,
                          uint32_t examples = 1);
ExchangeRequest PullStep(uint32_t worker, uint64_t version, std::vector<uint32_t> cells);

// Rows of tables. Ids in any order; they are sent as the protocol wants them.
using RowGradients = std::vector<std::pair<uint64_t, std::vector<float>>>;  // by id
RowContribution Rows(uint32_t table, RowGradients gradients, uint64_t base_version = 0);
RowPull PullOf(uint32_t table, std::vector<uint64_t> ids, bool anchors = false);
// As `PullOf` orders them.
std::vector<uint64_t> InOrder(std::vector<uint64_t> ids);
Payload Ids(const std::vector<uint64_t>& ids);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_PS_TEST_SERVER_H_
