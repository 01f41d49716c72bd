// What the tests of the data plane share: payloads from bytes, and messages as text to compare.
#ifndef CONVOY_TESTS_COMMON_NET_WIRE_TEXT_H_
#define CONVOY_TESTS_COMMON_NET_WIRE_TEXT_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "common/net/exchange.h"
#include "common/net/payload.h"

namespace convoy::testing {

// The bytes in one piece / in pieces of `size` / in random pieces, each in memory of its own, so
// that reading beyond a piece is seen by AddressSanitizer.
Payload Whole(const std::string& bytes);
Payload InPieces(const std::string& bytes, size_t size);
Payload InRandomPieces(const std::string& bytes, std::mt19937_64& random);

std::string Bytes(const Payload& payload);
Payload Floats(const std::vector<float>& values);
// The bits of the values.
std::vector<uint32_t> Bits(const Payload& payload);

// Every field, so that equal texts are equal messages.
std::string Text(const ExchangeRequest& request);
std::string Text(const ExchangeReply& reply);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_COMMON_NET_WIRE_TEXT_H_
