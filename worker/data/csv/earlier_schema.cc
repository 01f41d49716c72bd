#include "worker/data/csv/earlier_schema.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "common/checkpoint/init_source.h"
#include "common/checkpoint/manifest.h"
#include "common/status.h"
#include "worker/data/csv/schema_json.h"

namespace convoy {

absl::StatusOr<std::shared_ptr<const v1::Schema>> EarlierSchema(const v1::Init& init) {
  if (init.from().empty()) return nullptr;
  CONVOY_ASSIGN_OR_RETURN(const InitSource source, FindInitSource(init.from()));
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
