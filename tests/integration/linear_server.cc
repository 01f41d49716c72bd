#include "tests/integration/linear_server.h"

#include <gtest/gtest.h>

#include <utility>

#include "common/placement/placement.h"

namespace convoy::testing {
namespace {

std::shared_ptr<ServerCore> MakeCore(const LinearServer::Options& options) {
  ServerCore::Options core;
  core.job_id = LinearServer::kJobId;
  core.generation = LinearServer::kGeneration;
  core.mode = ParseMode(options.mode).value();
  core.optimizer.mutable_sgd();
  core.optimizer.set_learning_rate(options.learning_rate);
  core.slices = options.slices;
  return ServerCore::Create(core, Placement::Create(options.variables, 1).value()).value();
}

}  // namespace

LinearServer::LinearServer(const Options& options) {
  ParameterService::Options service;
  service.max_backlog_bytes = options.max_backlog_bytes;
  service_ = ParameterService::Start(service).value();
  service_->Install(MakeCore(options));
}

std::shared_ptr<grpc::Channel> LinearServer::Connect() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(service_->address(), grpc::InsecureChannelCredentials(),
                                   arguments);
}

std::chrono::system_clock::time_point TestDeadline() {
  return std::chrono::system_clock::now() + std::chrono::seconds(40);
}

// ---- ExchangeStream

ExchangeStream::ExchangeStream(const std::shared_ptr<grpc::Channel>& channel, uint32_t worker,
                               uint64_t session)
    : worker_(worker),
      session_(session),
      stub_(v1::ParameterServer::NewStub(channel)),
      stream_((context_.set_deadline(TestDeadline()), stub_->Exchange(&context_))) {}

ExchangeStream::~ExchangeStream() { Cancel(); }

v1::ExchangeRequest ExchangeStream::NewRequest() {
  v1::ExchangeRequest request;
  request.set_job_id(LinearServer::kJobId);
  request.set_generation(LinearServer::kGeneration);
  request.set_request_id(next_request_++);
  request.set_worker(worker_);
  request.set_session(session_);
  return request;
}

v1::ExchangeReply ExchangeStream::Read() {
  v1::ExchangeReply reply;
  EXPECT_TRUE(stream_->Read(&reply)) << "the stream has ended";
  return reply;
}

v1::ExchangeReply ExchangeStream::Ask(const v1::ExchangeRequest& request) {
  EXPECT_TRUE(Write(request)) << "the stream has ended";
  return Read();
}

grpc::Status ExchangeStream::Finish() {
  v1::ExchangeReply ignored;
  while (stream_->Read(&ignored)) {
  }
  return stream_->Finish();
}

void AddContribution(uint32_t cell, uint64_t base_version, const std::vector<float>& values,
                     v1::ExchangeRequest* request) {
  v1::Contribution* contribution = request->add_contributions();
  contribution->set_cell(cell);
  contribution->set_base_version(base_version);
  contribution->mutable_values()->Assign(values.begin(), values.end());
}

std::vector<float> Values(const v1::CellValues& cell) {
  return {cell.values().begin(), cell.values().end()};
}

// ---- RawCall

RawCall::RawCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method)
    : stub_(channel) {
  context_.set_deadline(TestDeadline());
  call_ = stub_.PrepareCall(&context_, method, &queue_);
  call_->StartCall(this);
  Await();
}

RawCall::~RawCall() {
  context_.TryCancel();
  if (!finished_) Finish();
  queue_.Shutdown();
  void* tag;
  bool ok;
  while (queue_.Next(&tag, &ok)) {
  }
}

bool RawCall::Await() {
  void* tag;
  bool ok;
  return queue_.Next(&tag, &ok) && ok;
}

bool RawCall::Write(std::string_view bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size());
  call_->Write(grpc::ByteBuffer(&slice, 1), this);
  return Await();
}

void RawCall::WritesDone() {
  call_->WritesDone(this);
  Await();
}

bool RawCall::Read(std::string* bytes) {
  grpc::ByteBuffer buffer;
  call_->Read(&buffer, this);
  if (!Await()) return false;
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return false;
  bytes->clear();
  for (const grpc::Slice& slice : slices) {
    bytes->append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return true;
}

grpc::Status RawCall::Finish() {
  grpc::Status status;
  finished_ = true;
  call_->Finish(&status, this);
  Await();
  return status;
}

std::string RawCall::Ask(std::string_view bytes) {
  std::string reply;
  Write(bytes);
  WritesDone();
  Read(&reply);
  EXPECT_TRUE(Finish().ok());
  return reply;
}

}  // namespace convoy::testing
