#include "common/net/reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/reflection.pb.h"

namespace convoy {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

constexpr char kReflectionService[] = "grpc.reflection.v1alpha.ServerReflection";

void AddFile(const FileDescriptor* file, std::set<const FileDescriptor*>* seen,
             v1::ReflectionFiles* files) {
  if (!seen->insert(file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file->CopyTo(&proto);
  files->add_file(proto.SerializeAsString());
  for (int i = 0; i < file->dependency_count(); ++i) AddFile(file->dependency(i), seen, files);
}

void AnswerFile(const FileDescriptor* file, const std::string& name, v1::ReflectionReply* reply) {
  if (file == nullptr) {
    reply->mutable_error()->set_code(static_cast<int>(absl::StatusCode::kNotFound));
    reply->mutable_error()->set_message(absl::StrCat("there is no ", name));
    return;
  }
  std::set<const FileDescriptor*> seen;
  AddFile(file, &seen, reply->mutable_files());
}

v1::ReflectionReply Reflect(const std::set<std::string>& services,
                            const v1::ReflectionRequest& request) {
  const DescriptorPool* pool = DescriptorPool::generated_pool();
  v1::ReflectionReply reply;
  *reply.mutable_original_request() = request;
  if (request.has_file_by_filename()) {
    AnswerFile(pool->FindFileByName(request.file_by_filename()), request.file_by_filename(),
               &reply);
  } else if (request.has_file_containing_symbol()) {
    AnswerFile(pool->FindFileContainingSymbol(request.file_containing_symbol()),
               request.file_containing_symbol(), &reply);
  } else if (request.has_list_services()) {
    for (const std::string& service : services)
      reply.mutable_services()->add_service()->set_name(service);
  } else {
    reply.mutable_error()->set_code(static_cast<int>(absl::StatusCode::kUnimplemented));
    reply.mutable_error()->set_message(
        "files by name or symbol, and the list of services, can be asked for");
  }
  return reply;
}

}  // namespace

MethodAnswer ReflectionOf(std::set<std::string> services) {
  services.insert(kReflectionService);
  return MessageMethod<v1::ReflectionRequest, v1::ReflectionReply>(
      [services = std::move(services)](const v1::ReflectionRequest& request) {
        return absl::StatusOr<v1::ReflectionReply>(Reflect(services, request));
      });
}

}  // namespace convoy
