// Counter-based random numbers: a number is a function of (seed, name, index ...), never of the
// process, thread or order in which it is asked for.
#ifndef CONVOY_COMMON_MATH_RANDOM_H_
#define CONVOY_COMMON_MATH_RANDOM_H_

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace convoy {

// Philox4x32-10. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// A stream of random numbers named (seed, name, a, b). Immutable: any thread may use it. All four
// parts of the name are hashed (xxh3, 128 bits) into the key and the high half of the counter; the
// low half of the counter is i / 4, so one Philox call makes four numbers.
class RandomStream {
 public:
  RandomStream(uint64_t seed, std::string_view name, uint64_t a = 0, uint64_t b = 0);

  // Number i of the stream, 32 random bits. Random access; streams do not depend on call order.
  uint32_t Bits(uint64_t i) const;
  // Uniform in [0, 1), 24 bits.
  float Uniform(uint64_t i) const;
  // Standard normal: normals 2j and 2j + 1 are the Box-Muller pair of numbers 2j and 2j + 1.
  float Normal(uint64_t i) const;
  // Uniform in [0, n), n >= 1, unbiased enough for shuffling (64-bit multiply-shift).
  uint64_t Below(uint64_t i, uint64_t n) const;

  // Numbers [first, first + out.size()), the same bits as Uniform and Normal give one by one, but
  // with all four numbers of a Philox call used.
  void FillUniform(uint64_t first, std::span<float> out) const;
  void FillNormal(uint64_t first, std::span<float> out) const;

 private:
  std::array<uint32_t, 4> Counter(uint64_t block) const;
  // Numbers 4 * block to 4 * block + 3.
  std::array<uint32_t, 4> Block(uint64_t block) const;

  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 2> high_;
};

// Fisher-Yates permutation of [0, n) named (seed, name, epoch); n < 2^32; 4 bytes an element.
std::vector<uint32_t> SeededPermutation(uint64_t n, uint64_t seed, std::string_view name,
                                        uint64_t epoch);

// 64-bit hash of a string, the same on every machine (xxh3).
uint64_t StableHash(std::string_view text);

}  // namespace convoy

#endif  // CONVOY_COMMON_MATH_RANDOM_H_
