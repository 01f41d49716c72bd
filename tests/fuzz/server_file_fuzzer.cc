// Opens any bytes as a server's file of a checkpoint with a variable "w" of 6 values, slot "m", and
// a table "t" of one column with one slot. Cells of what is accepted must lie within their tensors.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "common/checkpoint/server_file.h"

namespace {

void Check(bool condition) {
  if (!condition) std::abort();
}

convoy::CheckpointManifest Manifest() {
  convoy::CheckpointManifest manifest;
  manifest.variables = {{"w", {6}}};
  manifest.slots = {{"w", {"m"}}};
  manifest.tables = {{"t", {{"r", 1}}, {{"r/a", 1}}}};
  manifest.files.resize(1);
  return manifest;
}

void CheckCells(const convoy::ServerFile& file) {
  for (const auto& block : file.blocks()) {
    Check(block.begin < block.end);
    std::vector<float> values(block.end - block.begin);
    const std::string name = convoy::BlockTensor("w", block.begin, block.end);
    Check(file.tensors().ReadInto(name, 0, values).ok());
    Check(file.tensors().ReadInto(convoy::BlockSlotTensor(name, "m"), 0, values).ok());
  }
  for (const auto& bucket : file.buckets()) {
    std::vector<uint64_t> ids(bucket.rows), waiting(bucket.waiting * convoy::kWaitingColumns);
    std::vector<float> slots(bucket.rows);
    Check(file.tensors().ReadU64Into("t/ids", bucket.first_row, ids).ok());
    Check(file.tensors().ReadInto("t/slots", bucket.first_row, slots).ok());
    Check(file.tensors()
              .ReadU64Into("t/waiting", bucket.first_waiting * convoy::kWaitingColumns, waiting)
              .ok());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const int fd = ::memfd_create("server_file", MFD_CLOEXEC);
  static const convoy::CheckpointManifest manifest = Manifest();
  Check(::ftruncate(fd, 0) == 0);
  Check(::pwrite(fd, data, size, 0) == static_cast<ssize_t>(size));
  const auto file = convoy::ServerFile::Open("/proc/self/fd/" + std::to_string(fd), 0, manifest);
  if (file.ok()) CheckCells(**file);
  return 0;
}
