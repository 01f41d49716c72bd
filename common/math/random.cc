#include "common/math/random.h"

#include <xxhash.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/math/normal_pair.h"

namespace convoy {
namespace {

constexpr uint32_t kKeyStep0 = 0x9E3779B9, kKeyStep1 = 0xBB67AE85;

// Blocks that are made at once, one in each lane of the vector registers.
constexpr size_t kLanes = 8;
constexpr size_t kBatch = 4 * kLanes;
using Lanes = std::array<uint32_t, kLanes>;

struct PhiloxState {
  std::array<uint32_t, 4> counter;
  std::array<uint32_t, 2> key;
};

inline void PhiloxRound(uint32_t& c0, uint32_t& c1, uint32_t& c2, uint32_t& c3, uint32_t k0,
                        uint32_t k1) {
  const uint64_t product0 = uint64_t{0xD2511F53} * c0;
  const uint64_t product1 = uint64_t{0xCD9E8D57} * c2;
  c0 = static_cast<uint32_t>(product1 >> 32) ^ c1 ^ k0;
  c1 = static_cast<uint32_t>(product1);
  c2 = static_cast<uint32_t>(product0 >> 32) ^ c3 ^ k1;
  c3 = static_cast<uint32_t>(product0);
}

// Philox of kLanes counters that follow `first`; word k of lane l is in [k][l].
std::array<Lanes, 4> PhiloxLanes(const PhiloxState& first) {
  const uint64_t low = uint64_t{first.counter[1]} << 32 | first.counter[0];
  std::array<Lanes, 4> c;
  for (size_t lane = 0; lane < kLanes; ++lane) {
    c[0][lane] = static_cast<uint32_t>(low + lane);
    c[1][lane] = static_cast<uint32_t>((low + lane) >> 32);
    c[2][lane] = first.counter[2];
    c[3][lane] = first.counter[3];
  }
  uint32_t k0 = first.key[0], k1 = first.key[1];
  for (int round = 0; round < 10; ++round, k0 += kKeyStep0, k1 += kKeyStep1) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      PhiloxRound(c[0][lane], c[1][lane], c[2][lane], c[3][lane], k0, k1);
    }
  }
  return c;
}

float ToUniform(uint32_t bits) {
  return static_cast<float>(static_cast<int32_t>(bits >> 8)) * 0x1p-24f;
}

void ToUniforms(const std::array<Lanes, 4>& bits, float* out) {
  for (size_t lane = 0; lane < kLanes; ++lane) {
    for (size_t k = 0; k < 4; ++k) out[4 * lane + k] = ToUniform(bits[k][lane]);
  }
}

void ToNormals(const std::array<Lanes, 4>& bits, float* out) {
  for (size_t k = 0; k < 4; k += 2) {
    std::array<float, kLanes> first, second;
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const NormalPair pair = ToNormalPair(bits[k][lane], bits[k + 1][lane]);
      first[lane] = pair.first;
      second[lane] = pair.second;
    }
    for (size_t lane = 0; lane < kLanes; ++lane) {
      out[4 * lane + k] = first[lane];
      out[4 * lane + k + 1] = second[lane];
    }
  }
}

// Fills `out` with values `first`, `first` + 1, ...; make(j, values) writes those of batch j.
template <typename Make>
void FillFromBatches(uint64_t first, std::span<float> out, Make make) {
  for (size_t done = 0; done < out.size();) {
    const uint64_t index = first + done;
    const size_t skip = index % kBatch;
    const size_t count = std::min(kBatch - skip, out.size() - done);
    if (count == kBatch) {
      make(index / kBatch, out.data() + done);
    } else {
      std::array<float, kBatch> values;
      make(index / kBatch, values.data());
      std::copy_n(values.data() + skip, count, out.data() + done);
    }
    done += count;
  }
}

}  // namespace

std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    PhiloxRound(counter[0], counter[1], counter[2], counter[3], key[0], key[1]);
    key[0] += kKeyStep0;
    key[1] += kKeyStep1;
  }
  return counter;
}

RandomStream::RandomStream(uint64_t seed, std::string_view name, uint64_t a, uint64_t b) {
  const XXH128_hash_t name_hash = XXH3_128bits(name.data(), name.size());
  const uint64_t words[] = {name_hash.low64, name_hash.high64, seed, a, b};
  const XXH128_hash_t hash = XXH3_128bits(words, sizeof(words));
  key_ = {static_cast<uint32_t>(hash.low64), static_cast<uint32_t>(hash.low64 >> 32)};
  high_ = {static_cast<uint32_t>(hash.high64), static_cast<uint32_t>(hash.high64 >> 32)};
}

std::array<uint32_t, 4> RandomStream::Counter(uint64_t block) const {
  return {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), high_[0], high_[1]};
}

std::array<uint32_t, 4> RandomStream::Block(uint64_t block) const {
  return Philox4x32(Counter(block), key_);
}

uint32_t RandomStream::Bits(uint64_t i) const { return Block(i / 4)[i % 4]; }

float RandomStream::Uniform(uint64_t i) const { return ToUniform(Bits(i)); }

float RandomStream::Normal(uint64_t i) const {
  const auto bits = Block(i / 4);
  const size_t pair = i % 4 / 2 * 2;
  const NormalPair normals = ToNormalPair(bits[pair], bits[pair + 1]);
  return i % 2 == 0 ? normals.first : normals.second;
}

uint64_t RandomStream::Below(uint64_t i, uint64_t n) const {
  const auto bits = Block(i / 2);
  const uint64_t wide = uint64_t{bits[i % 2 * 2 + 1]} << 32 | bits[i % 2 * 2];
  return static_cast<uint64_t>(static_cast<unsigned __int128>(wide) * n >> 64);
}

void RandomStream::FillUniform(uint64_t first, std::span<float> out) const {
  FillFromBatches(first, out, [this](uint64_t batch, float* values) {
    ToUniforms(PhiloxLanes({Counter(batch * kLanes), key_}), values);
  });
}

void RandomStream::FillNormal(uint64_t first, std::span<float> out) const {
  FillFromBatches(first, out, [this](uint64_t batch, float* values) {
    ToNormals(PhiloxLanes({Counter(batch * kLanes), key_}), values);
  });
}

std::vector<uint32_t> SeededPermutation(uint64_t n, uint64_t seed, std::string_view name,
                                        uint64_t epoch) {
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  const RandomStream stream(seed, name, epoch);
  for (uint64_t left = n; left > 1; --left) {
    std::swap(order[left - 1], order[stream.Below(left, left)]);
  }
  return order;
}

uint64_t StableHash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

}  // namespace convoy
