#include "worker/data/csv/schema_json.h"

#include <google/protobuf/util/json_util.h>

#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/data/csv/schema_layout.h"
#include "worker/data/file_format.h"

namespace convoy {

std::string SchemaToJson(const v1::Schema& schema) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  // Every message of known fields has a JSON form.
  const auto status = google::protobuf::util::MessageToJsonString(schema, &json, options);
  return status.ok() ? json : "";
}

absl::StatusOr<v1::Schema> ParseSchema(std::string_view json, const std::string& name) {
  v1::Schema schema;
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), &schema);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": no schema: ", std::string(status.message())));
  }
  CONVOY_RETURN_IF_ERROR(Annotate(CheckSchema(schema), name));
  return schema;
}

std::string SchemaPathIn(const std::string& run_dir) { return run_dir + "/schema.json"; }

absl::StatusOr<std::shared_ptr<const v1::Schema>> ReadRunSchema(const std::string& run_dir) {
  const std::string path = SchemaPathIn(run_dir);
  if (!FileExists(path)) return nullptr;
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return absl::PermissionDeniedError(absl::StrCat(path, ": can't be read"));
  CONVOY_ASSIGN_OR_RETURN(v1::Schema schema, ParseSchema(text.str(), path));
  return std::make_shared<const v1::Schema>(std::move(schema));
}

}  // namespace convoy
