#include "common/net/table_reader.h"

#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/net/unary_call.h"
#include "proto/parameter_server.grpc.pb.h"

namespace convoy {

class TableReader::Impl {
 public:
  Impl(const std::string& address, uint64_t job, absl::Duration call_timeout)
      : server(address), job_id(job), timeout(call_timeout) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    stub = v1::ParameterServer::NewStub(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  }

  const std::string server;
  const uint64_t job_id;
  const absl::Duration timeout;
  std::unique_ptr<v1::ParameterServer::Stub> stub;
};

TableReader::TableReader(const std::string& address, uint64_t job_id, absl::Duration timeout)
    : impl_(std::make_unique<Impl>(address, job_id, timeout)) {}
TableReader::~TableReader() = default;

absl::StatusOr<v1::ReadTableReply> TableReader::Read(uint32_t table, uint32_t bucket,
                                                     bool count_only) {
  v1::ReadTableRequest request;
  request.set_job_id(impl_->job_id);
  request.set_table(table);
  request.set_bucket(bucket);
  request.set_count_only(count_only);
  grpc::ClientContext context;
  v1::ReadTableReply reply;
  const grpc::Status status =
      net_internal::UnaryCall(*impl_->stub, &v1::ParameterServer::Stub::AsyncReadTable, request,
                              SteadyNow() + impl_->timeout, &context, &reply);
  if (status.ok()) return reply;
  return absl::Status(
      static_cast<absl::StatusCode>(status.error_code()),
      absl::StrCat("reading bucket ", bucket, " of table ", table, " from the server at ",
                   impl_->server, ": ", status.error_message()));
}

}  // namespace convoy
