// The same bits for every cut, alignment and destination, and after save and restore.
#include <cstring>

#include "common/math/random.h"
#include "common/optimizers/anchored.h"
#include "tests/common/optimizers/optimizer_fixture.h"

namespace convoy {
namespace {

constexpr int64_t kSize = 1000;
constexpr size_t kBytes = kSize * sizeof(float);

std::vector<float> Normals(const char* name) {
  std::vector<float> values(kSize);
  RandomStream(1, name).FillNormal(0, values);
  return values;
}

// Weights (a few are 0, where rules branch) and slots after two updates: nothing is in its initial
// state.
struct Cell {
  explicit Cell(const Optimizer& optimizer) : weights(Normals("weights")) {
    for (size_t i = 0; i < weights.size(); i += 7) weights[i] = 0;
    for (int slot = 0; slot < optimizer.num_slots(); ++slot) {
      slots.emplace_back(kSize, optimizer.initial_slot_value(slot));
      if (!IsAnchorSlot(optimizer.slot_names()[static_cast<size_t>(slot)])) continue;
      slots.back() = Normals("anchors");
      for (size_t i = 0; i < weights.size(); i += 3) slots.back()[i] = kNotAnchored;
    }
    for (const char* name : {"first", "second"}) Update(optimizer, Normals(name).data(), 0, kSize);
    update = 3;
  }

  // Updates [begin, begin + size) in place.
  void Update(const Optimizer& optimizer, const float* gradient, int64_t begin, int64_t size) {
    UpdateTo(optimizer, gradient, weights.data() + begin, weights.data() + begin, begin, size);
  }
  void UpdateTo(const Optimizer& optimizer, const float* gradient, const float* in, float* out,
                int64_t begin, int64_t size) {
    std::vector<float*> pointers;
    for (auto& slot : slots) pointers.push_back(slot.data() + begin);
    optimizer.Apply({0.03f, update, 1.0f / 3}, {gradient, in, out, pointers.data(), size});
  }

  // Bitwise: NaN would count as equal, -0 and 0 as different.
  bool SameBits(const Cell& other) const {
    bool same = std::memcmp(weights.data(), other.weights.data(), kBytes) == 0;
    for (size_t i = 0; i < slots.size(); ++i) {
      same = same && std::memcmp(slots[i].data(), other.slots[i].data(), kBytes) == 0;
    }
    return same;
  }

  std::vector<float> weights;
  std::vector<std::vector<float>> slots;
  int64_t update = 1;
};

class BitIdentityTest : public testing::TestWithParam<std::string> {
 protected:
  const std::unique_ptr<Optimizer> optimizer_ = OptimizerFromText(GetParam());
  const std::vector<float> gradient_ = Normals("gradient");
};

TEST_P(BitIdentityTest, PiecesAtAnyOffsetGiveTheBitsOfTheWhole) {
  Cell whole(*optimizer_), pieces(*optimizer_);
  whole.Update(*optimizer_, gradient_.data(), 0, kSize);
  const RandomStream random(2, "pieces");
  uint64_t draw = 0;
  for (int64_t begin = 0; begin < kSize;) {
    const int64_t wanted = static_cast<int64_t>(random.Below(draw++, 61));
    const int64_t size = std::min(kSize - begin, wanted);
    pieces.Update(*optimizer_, gradient_.data() + begin, begin, size);
    begin += size;
  }
  EXPECT_TRUE(whole.SameBits(pieces));
}

TEST_P(BitIdentityTest, GradientAndWeightsAtAnyByteAddressGiveTheSameBits) {
  Cell aligned(*optimizer_);
  aligned.Update(*optimizer_, gradient_.data(), 0, kSize);
  for (size_t shift = 1; shift < 8; ++shift) {
    Cell cell(*optimizer_);
    std::vector<char> gradient(kBytes + 8), weights(kBytes + 8);
    std::memcpy(gradient.data() + shift, gradient_.data(), kBytes);
    std::memcpy(weights.data() + 8 - shift, cell.weights.data(), kBytes);
    cell.UpdateTo(*optimizer_, reinterpret_cast<const float*>(gradient.data() + shift),
                  reinterpret_cast<const float*>(weights.data() + 8 - shift), cell.weights.data(),
                  0, kSize);
    EXPECT_TRUE(aligned.SameBits(cell)) << shift << " bytes";
  }
}

TEST_P(BitIdentityTest, AnotherBufferForTheNextVersionGivesTheBitsOfAnUpdateInPlace) {
  Cell in_place(*optimizer_), beside(*optimizer_);
  in_place.Update(*optimizer_, gradient_.data(), 0, kSize);
  const std::vector<float> old = beside.weights;
  std::vector<float> next(kSize);
  beside.UpdateTo(*optimizer_, gradient_.data(), beside.weights.data(), next.data(), 0, kSize);
  EXPECT_EQ(beside.weights, old);
  beside.weights = next;
  EXPECT_TRUE(in_place.SameBits(beside));
}

TEST_P(BitIdentityTest, ARestoredCopyGoesOnWithTheSameBits) {
  Cell original(*optimizer_);
  Cell restored = original;
  const auto same_rule = OptimizerFromText(GetParam());
  for (int64_t update = 3; update < 6; ++update) {
    original.update = restored.update = update;
    original.Update(*optimizer_, gradient_.data(), 0, kSize);
    restored.Update(*same_rule, gradient_.data(), 0, kSize);
    EXPECT_TRUE(original.SameBits(restored)) << update;
  }
  EXPECT_FALSE(original.SameBits(Cell(*optimizer_)));
}

TEST_P(BitIdentityTest, AnEmptyPieceIsFine) {
  Cell cell(*optimizer_), untouched(*optimizer_);
  cell.Update(*optimizer_, gradient_.data(), kSize, 0);
  EXPECT_TRUE(cell.SameBits(untouched));
}

std::vector<std::string> EveryRuleWithEveryTerm() {
  std::vector<std::string> configs;
  for (const char* rule : {"sgd {}", "momentum {}", "nesterov {}", "adagrad {}", "rmsprop {}",
                           "adam {}", "adamw {}", "ftrl {}"}) {
    for (const char* terms :
         {"", "clip_value: 0.2", "l1: 0.1 l2: 0.01", "clip_value: 0.2 l1: 0.1 l2: 0.01"}) {
      configs.push_back(std::string(rule) + " " + terms);
      if (std::string(rule) != "ftrl {}") configs.push_back(configs.back() + " anchor: 0.3");
    }
  }
  return configs;
}

INSTANTIATE_TEST_SUITE_P(Rules, BitIdentityTest, testing::ValuesIn(EveryRuleWithEveryTerm()));

}  // namespace
}  // namespace convoy
