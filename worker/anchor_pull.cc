#include "worker/anchor_pull.h"

#include <algorithm>
#include <vector>

#include "common/status.h"

namespace convoy {

absl::Status PullAnchors(ParameterClient& parameters,
                         std::span<const std::unique_ptr<LocalSteps>> steps) {
  const std::vector<std::span<float>> first = steps[0]->anchors();
  CONVOY_RETURN_IF_ERROR(parameters.PullAnchors(first));
  for (const std::unique_ptr<LocalSteps>& other : steps.subspan(1)) {
    const std::vector<std::span<float>> anchors = other->anchors();
    for (size_t v = 0; v < first.size(); ++v) std::ranges::copy(first[v], anchors[v].begin());
  }
  return absl::OkStatus();
}

}  // namespace convoy
