#include "common/checkpoint/server_file_layout.h"

#include "absl/strings/str_cat.h"

namespace convoy {

std::string BlockTensor(const std::string& variable, uint64_t begin, uint64_t end) {
  return absl::StrCat(variable, "[", begin, ":", end, "]");
}

std::string BlockSlotTensor(const std::string& block, const std::string& slot) {
  return absl::StrCat(block, ".", slot);
}

std::string TableIdsTensor(const std::string& table) { return table + "/ids"; }
std::string TableRowsTensor(const std::string& table) { return table + "/rows"; }
std::string TableSlotsTensor(const std::string& table) { return table + "/slots"; }
std::string TableCountersTensor(const std::string& table) { return table + "/counters"; }
std::string TableWaitingTensor(const std::string& table) { return table + "/waiting"; }
std::string TableRemovedTensor(const std::string& table) { return table + "/removed"; }

std::string ServerOfServers(uint32_t server, uint32_t servers) {
  return absl::StrCat(server, " of ", servers);
}

std::string ServerFileName(uint32_t server, uint32_t servers) {
  return absl::StrCat("server-", server, "-of-", servers, ".safetensors");
}

}  // namespace convoy
