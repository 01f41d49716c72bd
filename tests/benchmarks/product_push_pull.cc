// The product as a party of the transport benchmark: mode async, plain SGD. Blocks that travel on
// their own are variables of their own; a tensor of more blocks than are in flight is one variable,
// in blocks of the product's size.
#include <algorithm>
#include <utility>

#include "common/aligned_buffer.h"
#include "common/placement/placement.h"
#include "ps/parameter_service.h"
#include "ps/server_core.h"
#include "tests/benchmarks/push_pull.h"
#include "worker/parameter_client.h"

namespace convoy::benchmarks {
namespace {

constexpr uint64_t kJob = 1;
constexpr Mode kMode{Mode::Kind::kAsync, 0};

struct Variant {
  bool checksums = false;
  bool local = false;
  bool share_memory = false;
};

Placement Place(const Tensor& tensor, int servers) {
  std::vector<VariableSpec> variables;
  if (tensor.block_floats == kBlockElements && tensor.whole) {
    variables.push_back({"tensor", {tensor.blocks * tensor.block_floats}, Initializer::Zeros()});
  } else {
    for (int64_t i = 0; i < tensor.blocks; ++i) {
      variables.push_back(
          {"block" + std::to_string(i), {tensor.block_floats}, Initializer::Zeros()});
    }
  }
  return *Placement::Create(std::move(variables), static_cast<uint32_t>(servers));
}

void Check(const absl::Status& status) {
  if (!status.ok()) Fail(std::string(status.message()));
}

class ProductServer final : public PushPullServer {
 public:
  ProductServer(const Tensor& tensor, int rank, int servers, const Variant& variant)
      : service_(*ParameterService::Start({})) {
    if (variant.checksums) service_->UseChecksums();
    if (variant.local) Check(service_->ListenLocally(variant.share_memory));
    ServerCore::Options options;
    options.job_id = kJob;
    options.rank = static_cast<uint32_t>(rank);
    options.mode = kMode;
    options.workers = static_cast<uint32_t>(tensor.workers);
    options.optimizer.mutable_sgd();
    service_->Install(*ServerCore::Create(options, Place(tensor, servers)));
  }
  std::string address() const override { return service_->address(); }

 private:
  const std::unique_ptr<ParameterService> service_;
};

class ProductClient final : public PushPullClient {
 public:
  ProductClient(const Tensor& tensor, int worker, const std::vector<std::string>& addresses,
                const Variant& variant) {
    ParameterClient::Options options;
    options.checksums = variant.checksums;
    options.job_id = kJob;
    options.worker = static_cast<uint32_t>(worker);
    options.servers = addresses;
    options.mode = kMode;
    options.coalesce_bytes =
        static_cast<size_t>(tensor.block_floats) * 4;  // one block in a message, as the others
    client_ = *ParameterClient::Connect(options, Place(tensor, static_cast<int>(addresses.size())));
    for (const VariableSpec& variable : client_->placement().variables()) {
      gradients_.push_back(std::make_shared<AlignedBuffer>(static_cast<size_t>(variable.size())));
    }
    header_.task = static_cast<uint64_t>(worker) + 1;
    header_.examples = 1;
    header_.pull = true;
    Check(client_->PullAll(0));
    Wait();
  }

  void Step() override {
    Check(client_->BeginPush(header_));
    ++header_.batch;
    for (uint32_t v = 0; v < gradients_.size(); ++v) {
      Check(client_->Weights(v).status());
      const AlignedBuffer& gradient = *gradients_[v];
      Check(client_->PushUpTo(v, static_cast<int64_t>(gradient.size()), gradient.span(),
                              gradients_[v]));
    }
    Check(client_->EndPush());
  }
  void Wait() override { Check(client_->WaitForWeights()); }

 private:
  std::unique_ptr<ParameterClient> client_;
  std::vector<std::shared_ptr<AlignedBuffer>> gradients_;  // by variable
  ParameterClient::PushHeader header_;
};

Party MakeParty(const char* name, const Variant& variant) {
  return {name,
          [variant](const Tensor& tensor, int rank, int servers) {
            return std::make_unique<ProductServer>(tensor, rank, servers, variant);
          },
          [variant](const Tensor& tensor, int worker, const std::vector<std::string>& addresses) {
            return std::make_unique<ProductClient>(tensor, worker, addresses, variant);
          }};
}

}  // namespace

Party ProductParty() { return MakeParty("product", {}); }
Party CheckedProductParty() { return MakeParty("product with checksums", {.checksums = true}); }
Party LocalProductParty() { return MakeParty("product, Unix socket", {.local = true}); }
Party SharingProductParty() {
  return MakeParty("product, shared memory", {.local = true, .share_memory = true});
}

}  // namespace convoy::benchmarks
