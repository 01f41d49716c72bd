// optimizer.anchor: the penalty strength/2 * (w - anchor)^2, where the anchor is the weight that
// was loaded (Job.init). An L2 penalty around 0 for each weight is `l2`; this is the one around the
// result of an earlier training, e.g. Li, Grandvalet & Davoine, "Explicit inductive bias for
// transfer learning with convolutional networks", ICML 2018 (L2-SP).
//
// An anchored rule is another rule with the slot "anchor" behind its own, so that checkpoints have
// it by name. No update changes it. The gradient is clipped, then strength * (w - anchor) is added,
// and the other rule sees the sum as its gradient. Rules that are not anchored know nothing of it.
#ifndef CONVOY_COMMON_OPTIMIZERS_ANCHORED_H_
#define CONVOY_COMMON_OPTIMIZERS_ANCHORED_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/optimizers/optimizer.h"
#include "common/optimizers/range_rule.h"

namespace convoy {

inline constexpr char kAnchorSlot[] = "anchor";

// The anchor of a weight that has none: minus zero, which is finite and to other programs a zero. A
// loaded weight of minus zero has the anchor 0, see AnchorTo.
inline constexpr float kNotAnchored = -0.0f;

// `name`: of a slot, "anchor" or "RANGE/anchor".
bool IsAnchorSlot(std::string_view name);
// `slots` without that one.
std::vector<std::string> WithoutAnchorSlots(std::vector<std::string> slots);

// The largest optimizer.anchor, overrides included; 0: nothing is anchored.
double StrongestAnchor(const v1::Optimizer& optimizer);

// Makes loaded weights the anchors of themselves, in place.
void AnchorTo(std::span<float> weights);

// Settings of the rule that an anchored one is made of.
OptimizerSettings WithoutAnchor(OptimizerSettings settings);
// `rule`: made of WithoutAnchor(settings).
std::unique_ptr<Optimizer> MakeAnchored(std::unique_ptr<Optimizer> rule,
                                        const OptimizerSettings& settings);
std::unique_ptr<RangeRule> MakeAnchored(std::unique_ptr<RangeRule> rule,
                                        const OptimizerSettings& settings, uint32_t columns);

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_ANCHORED_H_
