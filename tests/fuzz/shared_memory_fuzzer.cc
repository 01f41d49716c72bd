// Takes any bytes for a message of a stream whose ends share memory, and reads all that it names.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "common/net/exchange.h"
#include "common/net/shared_memory.h"

namespace {

// The end of a server; the client's memory is full of ones.
const std::shared_ptr<convoy::SharedMemory>& Memory() {
  static const auto memory = [] {
    auto client = *convoy::SharedMemory::Create();
    auto server = *convoy::SharedMemory::Map(client->TakeFile());
    const std::string ones(convoy::SharedMemory::kHalfBytes, '\1');
    convoy::Payload payload;
    payload.Append({ones.data(), ones.size()});
    convoy::WireMessage message;
    message.AddPayload(payload);
    message.Finish();
    if (!client->Place(message)) std::abort();
    return server;
  }();
  return memory;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  convoy::Payload message;
  message.Append({reinterpret_cast<const char*>(data), size});
  const absl::StatusOr<convoy::Payload> found = Memory()->Find(message);
  if (!found.ok()) return 0;
  // Bytes that are neither ones nor of the message itself are from outside of the client's slots.
  const std::string bytes = found->ToString();
  if (bytes.size() != found->size()) std::abort();
  const auto others = bytes.size() - static_cast<size_t>(std::ranges::count(bytes, '\1'));
  if (others > size) std::abort();
  convoy::DecodeRequest(*found).IgnoreError();
  return 0;
}
