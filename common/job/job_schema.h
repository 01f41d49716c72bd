// The schema of job files as its authors wrote it: fields, and the comments that explain them.
#ifndef CONVOY_COMMON_JOB_JOB_SCHEMA_H_
#define CONVOY_COMMON_JOB_JOB_SCHEMA_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"

namespace convoy {

// Immutable; any thread.
class JobSchema {
 public:
  using Field = google::protobuf::FieldDescriptor;
  using Group = google::protobuf::Descriptor;

  JobSchema();

  // The job itself.
  const Group& job() const { return *job_; }

  // A field by its path from the job, e.g. "optimizer.adam.beta1"; [0] and [key] may follow a name
  // and mean nothing. Null for "". InvalidArgument: the path, with a suggestion.
  absl::StatusOr<const Field*> Find(std::string_view path) const;

  // The comment of a field, or that of its group's type if it has none; lines as they are in the
  // schema, "" if there is none.
  std::string Comment(const Field& field) const;
  std::string Comment(const google::protobuf::EnumValueDescriptor& value) const;
  // Of a set of alternatives.
  std::string Comment(const google::protobuf::OneofDescriptor& alternatives) const;
  // What stands before the first declaration of the file: about job files as such.
  std::string FileComment() const;

 private:
  std::unique_ptr<google::protobuf::DescriptorPool> pool_;
  const Group* job_ = nullptr;
};

// "a number > 0", "true or false", "text", "one of RELU, TANH, GELU", "a group", "a list of ...".
std::string TypeText(const google::protobuf::FieldDescriptor& field);
// The default as it is written in a job file; "" if the schema gives none.
std::string DefaultText(const google::protobuf::FieldDescriptor& field);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_JOB_SCHEMA_H_
