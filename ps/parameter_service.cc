#include "ps/parameter_service.h"

#include <atomic>
#include <utility>
#include <vector>

#include "common/mutex.h"
#include "common/net/stream_server.h"
#include "common/net/wire_checksum.h"

namespace convoy {
namespace {

constexpr char kExchange[] = "/convoy.v1.ParameterServer/Exchange";
constexpr char kGetLayout[] = "/convoy.v1.ParameterServer/GetLayout";
constexpr char kGetStats[] = "/convoy.v1.ParameterServer/GetStats";
constexpr char kReadTable[] = "/convoy.v1.ParameterServer/ReadTable";
constexpr char kNoPart[] = "this server has not got its part of a job yet";

v1::GetLayoutReply LayoutOf(const ServerCore& core) {
  v1::GetLayoutReply layout;
  layout.set_job_id(core.options().job_id);
  layout.set_generation(core.options().generation);
  layout.set_mode(ToString(core.options().mode));
  layout.set_slices(core.options().slices);
  for (uint32_t id : core.placement().cells_of_server(core.options().rank)) {
    const CellSpec& spec = core.placement().cells()[id];
    v1::CellLayout* cell = layout.add_cells();
    cell->set_id(id);
    cell->set_variable(core.placement().variables()[spec.variable].name);
    cell->set_offset(static_cast<uint64_t>(spec.offset));
    cell->set_size(spec.size);
  }
  layout.set_servers(core.placement().servers());
  layout.set_rank(core.options().rank);
  for (const TableSpec& spec : core.placement().tables()) {
    v1::TableLayout* table = layout.add_tables();
    table->set_id(static_cast<uint32_t>(layout.tables_size() - 1));
    table->set_name(spec.name);
    table->set_dim(spec.dim());
  }
  return layout;
}

}  // namespace

class ParameterService::Impl final : public StreamServer::Handler {
 public:
  explicit Impl(const Options& options) : options_(options) {}
  ~Impl() override { Stop(); }

  absl::Status Start() {
    StreamServer::Options stream;
    stream.listen = options_.listen;
    stream.method = kExchange;
    stream.handler = this;
    stream.methods[kGetLayout] = MessageMethod<v1::GetLayoutRequest, v1::GetLayoutReply>(
        [this](const v1::GetLayoutRequest&) { return Layout(); });
    stream.methods[kGetStats] = MessageMethod<v1::GetStatsRequest, v1::ServerStats>(
        [this](const v1::GetStatsRequest&) { return absl::StatusOr<v1::ServerStats>(Stats()); });
    stream.methods[kReadTable] = MessageMethod<v1::ReadTableRequest, v1::ReadTableReply>(
        [this](const v1::ReadTableRequest& request) { return ReadTable(request); });
    stream.threads = options_.threads;
    stream.spin = options_.spin;
    stream.max_backlog_bytes = options_.max_backlog_bytes;
    absl::StatusOr<std::unique_ptr<StreamServer>> server = StreamServer::Start(stream);
    if (!server.ok()) return server.status();
    MutexLock lock(mutex_);
    server_ = *std::move(server);
    return absl::OkStatus();
  }

  void Stop() {
    if (const std::shared_ptr<StreamServer> server = Server()) server->Stop();
  }

  void SetMaxBacklog(size_t bytes) {
    if (const std::shared_ptr<StreamServer> server = Server()) server->SetMaxBacklog(bytes);
  }
  void SetLink(const LinkLimit& limit) {
    if (const std::shared_ptr<StreamServer> server = Server()) server->SetLink(limit);
  }

  absl::Status ListenLocally(bool share_memory) {
    const std::shared_ptr<StreamServer> server = Server();
    return server ? server->ListenLocally(share_memory) : absl::OkStatus();
  }

  void UseChecksums() { checksums_ = true; }

  void Install(std::shared_ptr<ServerCore> core) {
    MutexLock lock(mutex_);
    core_ = std::move(core);
  }

  std::shared_ptr<StreamServer> Server() const {
    MutexLock lock(mutex_);
    return server_;
  }

  std::shared_ptr<ServerCore> Core() const {
    MutexLock lock(mutex_);
    return core_;
  }

  void OnMessage(StreamId stream, Payload message) override {
    if (checksums_) {
      if (const absl::Status intact = VerifyChecksum(message); !intact.ok()) {
        // Nothing in it can be trusted, not even which request it was, and none that follows may be
        // handled without it: the worker sends all of them again on another stream.
        damaged_.fetch_add(1, std::memory_order_relaxed);
        if (const std::shared_ptr<StreamServer> server = Server()) server->Close(stream, intact);
        return;
      }
    }
    const std::shared_ptr<ServerCore> core = Core();
    std::vector<ServerCore::Outgoing> out;
    const absl::StatusOr<ExchangeRequest> request = DecodeRequest(message);
    if (!request.ok()) {
      out.push_back({stream, Failure(0, request.status())});
    } else if (core == nullptr) {
      out.push_back({stream, Failure(request->request_id, absl::UnavailableError(kNoPart))});
    } else {
      core->Handle(stream, *request, options_.clock->Now(), &out);
    }
    Send(out);
  }

  void OnClosed(StreamId stream) override {
    if (const std::shared_ptr<ServerCore> core = Core()) core->OnStreamClosed(stream);
  }

  void OnTick() override {
    const std::shared_ptr<ServerCore> core = Core();
    if (core == nullptr) return;
    std::vector<ServerCore::Outgoing> out;
    core->Tick(options_.clock->Now(), &out);
    Send(out);
  }

  absl::StatusOr<v1::GetLayoutReply> Layout() const {
    const std::shared_ptr<ServerCore> core = Core();
    if (core == nullptr) return absl::UnavailableError(kNoPart);
    return LayoutOf(*core);
  }

  absl::StatusOr<v1::ReadTableReply> ReadTable(const v1::ReadTableRequest& request) const {
    const std::shared_ptr<ServerCore> core = Core();
    if (core == nullptr) return absl::UnavailableError(kNoPart);
    return core->ReadTable(request);
  }

  v1::ServerStats Stats() const {
    v1::ServerStats stats;
    if (const std::shared_ptr<ServerCore> core = Core()) stats = core->Stats();
    stats.set_damaged(damaged_);
    if (const std::shared_ptr<StreamServer> server = Server()) {
      stats.set_bytes_received(server->bytes_received());
      stats.set_bytes_sent(server->bytes_sent());
    }
    return stats;
  }

 private:
  static ExchangeReply Failure(uint64_t request_id, const absl::Status& status) {
    ExchangeReply reply;
    reply.request_id = request_id;
    reply.code = status.code();
    reply.message = std::string(status.message());
    return reply;
  }

  void Send(const std::vector<ServerCore::Outgoing>& out) {
    if (out.empty()) return;
    const std::shared_ptr<StreamServer> server = Server();
    if (server == nullptr) return;
    for (const ServerCore::Outgoing& outgoing : out) {
      WireMessage message = Encode(outgoing.reply);
      if (checksums_) AddChecksum(&message);
      server->Send(outgoing.stream, message);
    }
  }

  const Options options_;
  std::atomic<bool> checksums_{false};
  std::atomic<uint64_t> damaged_{0};

  mutable Mutex mutex_;
  std::shared_ptr<ServerCore> core_ CONVOY_GUARDED_BY(mutex_);
  std::shared_ptr<StreamServer> server_ CONVOY_GUARDED_BY(mutex_);
};

absl::StatusOr<std::unique_ptr<ParameterService>> ParameterService::Start(Options options) {
  auto impl = std::make_unique<Impl>(options);
  if (absl::Status status = impl->Start(); !status.ok()) return status;
  return std::unique_ptr<ParameterService>(new ParameterService(std::move(impl)));
}

ParameterService::ParameterService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ParameterService::~ParameterService() = default;
const std::string& ParameterService::address() const { return impl_->Server()->address(); }
void ParameterService::SetMaxBacklog(size_t bytes) { impl_->SetMaxBacklog(bytes); }
void ParameterService::UseChecksums() { impl_->UseChecksums(); }
void ParameterService::SetLink(const LinkLimit& limit) { impl_->SetLink(limit); }
absl::Status ParameterService::ListenLocally(bool share_memory) {
  return impl_->ListenLocally(share_memory);
}
void ParameterService::Install(std::shared_ptr<ServerCore> core) {
  impl_->Install(std::move(core));
}
v1::ServerStats ParameterService::Stats() const { return impl_->Stats(); }
void ParameterService::Stop() { impl_->Stop(); }

}  // namespace convoy
