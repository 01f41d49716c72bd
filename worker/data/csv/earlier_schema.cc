#include "worker/data/csv/earlier_schema.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "common/checkpoint/init_source.h"
#include "common/checkpoint/manifest.h"
#include "common/status.h"
#include "worker/data/csv/schema_json.h"

namespace convoy {

namespace {

// A job that goes on has weights of its own, and the run that it began with may have removed the
// checkpoint meanwhile: any other one of that run has the same schema. A job that begins without
// its checkpoint is refused for its weights.
absl::StatusOr<InitSource> FindSchemaSource(const std::string& from) {
  absl::StatusOr<InitSource> source = FindInitSource(from);
  const size_t at = from.rfind('@');
  if (!absl::IsNotFound(source.status()) || at == std::string::npos) return source;
  absl::StatusOr<InitSource> other = FindInitSource(from.substr(0, at));
  return other.ok() ? other : source;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const v1::Schema>> EarlierSchema(const v1::Init& init) {
  if (init.from().empty()) return nullptr;
  CONVOY_ASSIGN_OR_RETURN(const InitSource source, FindSchemaSource(init.from()));
  const std::filesystem::path path(source.path);
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) {
    return ReadRunSchema(path.parent_path().string());
  }
  CONVOY_ASSIGN_OR_RETURN(const CheckpointManifest manifest, ReadManifest(source.path));
  if (manifest.schema.empty()) return nullptr;
  CONVOY_ASSIGN_OR_RETURN(v1::Schema schema, ParseSchema(manifest.schema, source.path));
  return std::make_shared<const v1::Schema>(std::move(schema));
}

}  // namespace convoy
