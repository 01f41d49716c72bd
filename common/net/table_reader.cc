#include "common/net/table_reader.h"

#include <grpcpp/grpcpp.h>

#include <deque>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/net/grpc_time.h"
#include "proto/parameter_server.grpc.pb.h"

namespace convoy {
namespace {

struct Question {
  uint32_t table;
  uint32_t bucket;
  grpc::ClientContext context;
  v1::ReadTableReply reply;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::ReadTableReply>> call;
  bool answered = false;
};

}  // namespace

class TableReader::Impl {
 public:
  Impl(const std::string& address, uint64_t job, absl::Duration answer_timeout)
      : server_(address), job_id_(job), timeout_(answer_timeout) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    stub_ = v1::ParameterServer::NewStub(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  }
  ~Impl() {
    for (const auto& question : open_) question->context.TryCancel();
    queue_.Shutdown();
    void* tag;
    bool ok;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  void Ask(uint32_t table, uint32_t bucket, bool count_only) {
    v1::ReadTableRequest request;
    request.set_job_id(job_id_);
    request.set_table(table);
    request.set_bucket(bucket);
    request.set_count_only(count_only);
    auto question = std::make_unique<Question>();
    question->table = table;
    question->bucket = bucket;
    question->call = stub_->AsyncReadTable(&question->context, request, &queue_);
    question->call->Finish(&question->reply, &question->status, question.get());
    open_.push_back(std::move(question));
  }

  absl::StatusOr<v1::ReadTableReply> Await() {
    const std::unique_ptr<Question> question = std::move(open_.front());
    open_.pop_front();
    grpc::Status& status = question->status;
    // Not ClientContext::set_deadline: see UnaryCall.
    absl::Time deadline = SteadyNow() + timeout_;
    while (!question->answered) {
      void* tag;
      bool ok;
      if (queue_.AsyncNext(&tag, &ok, net_internal::GprTime(deadline)) ==
          grpc::CompletionQueue::GOT_EVENT) {
        static_cast<Question*>(tag)->answered = true;
        continue;
      }
      deadline = absl::InfiniteFuture();
      question->context.TryCancel();
    }
    if (status.ok()) return std::move(question->reply);
    if (deadline == absl::InfiniteFuture())
      status = grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded");
    return absl::Status(
        static_cast<absl::StatusCode>(status.error_code()),
        absl::StrCat("reading bucket ", question->bucket, " of table ", question->table,
                     " from the server at ", server_, ": ", status.error_message()));
  }

 private:
  const std::string server_;
  const uint64_t job_id_;
  const absl::Duration timeout_;
  std::unique_ptr<v1::ParameterServer::Stub> stub_;
  grpc::CompletionQueue queue_;
  std::deque<std::unique_ptr<Question>> open_;  // in the order they were asked
};

TableReader::TableReader(const std::string& address, uint64_t job_id, absl::Duration timeout)
    : impl_(std::make_unique<Impl>(address, job_id, timeout)) {}
TableReader::~TableReader() = default;

void TableReader::Ask(uint32_t table, uint32_t bucket, bool count_only) {
  impl_->Ask(table, bucket, count_only);
}

absl::StatusOr<v1::ReadTableReply> TableReader::Await() { return impl_->Await(); }

}  // namespace convoy
