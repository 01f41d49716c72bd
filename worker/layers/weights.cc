#include "worker/layers/weights.h"

namespace convoy {

absl::Status RowSource::WantRows(int, std::span<const uint64_t>) {
  return absl::UnimplementedError("embedding tables are not available here");
}

absl::Status RowSource::WantRowsAndAnchors(int, std::span<const uint64_t>, uint32_t) {
  return absl::UnimplementedError("embedding tables are not available here");
}

absl::StatusOr<TableRows> RowSource::Rows(int) {
  return absl::UnimplementedError("embedding tables are not available here");
}

std::span<float> GradientSink::RowGradients(int) { return {}; }

absl::Status GradientSink::RowsReady(int) {
  return absl::UnimplementedError("embedding tables are not available here");
}

}  // namespace convoy
