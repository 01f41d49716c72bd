#include "tests/common/checkpoint/sample_checkpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/server_file_layout.h"
#include "common/files/atomic_file.h"
#include "common/files/file_hash.h"
#include "common/files/safetensors_writer.h"
#include "common/math/table.h"

namespace convoy {
namespace {

constexpr uint64_t kWaitingSampleId = 77;

SampleTensor Floats(const std::string& name, std::vector<float> values) {
  return {name, "F32", {values.size()}, std::move(values), {}, {}};
}

SampleTensor U64Table(const std::string& name, uint64_t columns, std::vector<uint64_t> values) {
  return {name, "U64", {values.size() / columns, columns}, {}, {}, std::move(values)};
}

void AddCell(std::vector<uint64_t>* cells, CellKind kind, uint64_t number, uint64_t first,
             uint64_t rows, uint64_t step) {
  const uint64_t updates = cells->size() / kCellColumns + 1;
  cells->insert(cells->end(), {static_cast<uint64_t>(kind), number, first, rows, step, updates,
                               100 * updates, 0});
}

// Values begin .. end - 1 of "w" and its slots.
void AddBlock(uint64_t begin, uint64_t end, float shift, SampleFile* file) {
  std::vector<float> w, m, v;
  for (uint64_t i = begin; i < end; ++i) {
    w.push_back(static_cast<float>(i) + shift);
    m.push_back(static_cast<float>(10 + i));
    v.push_back(static_cast<float>(20 + i));
  }
  const std::string name = BlockTensor("w", begin, end);
  file->tensors.push_back(Floats(name, w));
  file->tensors.push_back(Floats(BlockSlotTensor(name, "m"), m));
  file->tensors.push_back(Floats(BlockSlotTensor(name, "v"), v));
}

// Buckets `server`, `server` + servers, ... of the table.
void AddTable(const SampleOptions& options, uint32_t server, std::vector<uint64_t>* cells,
              SampleFile* file) {
  std::vector<uint64_t> ids, waiting;
  std::vector<uint32_t> counters;
  std::vector<float> rows, slots;
  for (uint32_t bucket = server; bucket < kTableBuckets; bucket += options.servers) {
    uint64_t count = 0;
    for (const uint64_t id : options.ids) {
      if (BucketOf(id) != bucket) continue;
      ++count;
      ids.push_back(id);
      const auto x = static_cast<float>(id);
      rows.insert(rows.end(), {x + options.shift, x + 0.25f, x + 0.5f});
      slots.insert(slots.end(), {-x, -x - 0.25f, -x - 0.5f});
      counters.insert(counters.end(), {static_cast<uint32_t>(id % 100), 3});
    }
    AddCell(cells, CellKind::kBucket, 0, bucket, count, options.step);
    if (BucketOf(kWaitingSampleId) == bucket) {
      waiting.insert(waiting.end(), {bucket, kWaitingSampleId, 2, 9});
    }
  }
  const uint64_t n = ids.size();
  file->tensors.push_back({"t/ids", "U64", {n}, {}, {}, ids});
  file->tensors.push_back(U64Table("t/waiting", kWaitingColumns, waiting));
  file->tensors.push_back({"t/rows", "F32", {n, 3}, rows, {}, {}});
  file->tensors.push_back({"t/slots", "F32", {n, 3}, slots, {}, {}});
  file->tensors.push_back({"t/counters", "U32", {n, 2}, {}, counters, {}});
}

SampleFile FileOfServer(const SampleOptions& options, uint32_t server) {
  SampleFile file;
  file.metadata = {{"format", kServerFileFormat},
                   {"server", ServerOfServers(server, options.servers)}};
  std::vector<uint64_t> cells, marks;
  AddCell(&cells, CellKind::kServer, 0, 0, 0, options.step);
  if (server == 0) {
    AddCell(&cells, CellKind::kBlock, 0, 0, 0, options.step);
    AddBlock(0, 4, options.shift, &file);
    marks = {1, 5, 2};
    AddCell(&cells, CellKind::kBlock, 1, 0, 0, options.step);
    file.tensors.push_back(Floats("b[0:1]", {7}));
  }
  if (server == options.servers - 1) {
    AddCell(&cells, CellKind::kBlock, 0, 4, 0, options.step);
    AddBlock(4, 6, options.shift, &file);
  }
  AddTable(options, server, &cells, &file);
  file.tensors.push_back(U64Table(kCellsTensor, kCellColumns, cells));
  file.tensors.push_back(U64Table(kMarksTensor, kMarkColumns, marks));
  file.tensors.push_back(U64Table(kCompleteTensor, 2, {1, 4}));
  std::stable_partition(file.tensors.begin(), file.tensors.end(),
                        [](const SampleTensor& tensor) { return tensor.dtype == "U64"; });
  return file;
}

void WriteSampleFile(const SampleFile& file, const std::string& path) {
  std::vector<TensorDeclaration> declarations;
  for (const SampleTensor& tensor : file.tensors) {
    declarations.push_back({tensor.name, tensor.shape, tensor.dtype});
  }
  auto writer = SafetensorsWriter::Create(path, declarations, file.metadata);
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (const SampleTensor& tensor : file.tensors) {
    ASSERT_TRUE((tensor.dtype == "F32"   ? (*writer)->Write(tensor.name, 0, tensor.f32)
                 : tensor.dtype == "U32" ? (*writer)->WriteU32(tensor.name, 0, tensor.u32)
                                         : (*writer)->WriteU64(tensor.name, 0, tensor.u64))
                    .ok());
  }
  const absl::Status status = (*writer)->Commit();
  ASSERT_TRUE(status.ok()) << status;
}

}  // namespace

SampleTensor& SampleFile::Tensor(const std::string& name) {
  return *std::find_if(tensors.begin(), tensors.end(),
                       [&](const SampleTensor& tensor) { return tensor.name == name; });
}

void SampleFile::Remove(const std::string& name) {
  std::erase_if(tensors, [&](const SampleTensor& tensor) { return tensor.name == name; });
}

SampleCheckpoint::SampleCheckpoint(const SampleOptions& options) {
  manifest.step = options.step;
  manifest.mode = "async";
  manifest.slices = 4;
  manifest.generation = 2;
  manifest.examples = options.step * 128;
  manifest.created = "2026-11-26T14:05:09Z";
  manifest.build = "build-1";
  manifest.instruction_set = "x86-64-v3";
  manifest.job = "name: \"sample\"\n";
  manifest.data_fingerprint = 0x0123456789abcdef;
  manifest.data_examples = 60000;
  manifest.epoch_examples = 60000;
  manifest.variables = {{"w", {2, 3}}, {"b", {1}}};
  manifest.tables = {
      {"t", {{"bias", 1}, {"factors", 2}}, {{"bias/z", 1}, {"bias/n", 1}, {"factors/a", 1}}}};
  manifest.slots = {{"w", {"m", "v"}}};
  manifest.completed_tasks = {{1, 4}};
  for (uint32_t server = 0; server < options.servers; ++server) {
    files.push_back(FileOfServer(options, server));
  }
}

void SampleCheckpoint::MakeDeltaOf(const CheckpointBase& base) {
  manifest.base = base;
  for (SampleFile& file : files) {
    std::vector<uint64_t> deltas;
    const std::vector<uint64_t>& cells = file.Tensor(kCellsTensor).u64;
    for (size_t at = 0; at < cells.size(); at += kCellColumns) {
      const bool is_bucket = cells[at] == static_cast<uint64_t>(CellKind::kBucket);
      if (is_bucket) deltas.insert(deltas.end(), {cells[at + 3], 0});
    }
    const SampleTensor removed = {TableRemovedTensor("t"), "U64", {0}, {}, {}, {}};
    file.tensors.insert(file.tensors.begin(),
                        {U64Table(kDeltasTensor, kDeltaColumns, deltas), removed});
  }
}

void SampleCheckpoint::Write(const std::string& folder) {
  std::filesystem::create_directories(folder);
  manifest.files.clear();
  for (uint32_t server = 0; server < files.size(); ++server) {
    const std::string name = ServerFileName(server, static_cast<uint32_t>(files.size()));
    const std::string path = absl::StrCat(folder, "/", name);
    WriteSampleFile(files[server], path);
    const absl::StatusOr<FileHash> hash = HashFile(path);
    ASSERT_TRUE(hash.ok()) << hash.status();
    manifest.files.push_back({name, hash->bytes, hash->xxh3});
  }
  const absl::Status status =
      WriteFileAtomically(absl::StrCat(folder, "/", kManifestName), ToJson(manifest));
  ASSERT_TRUE(status.ok()) << status;
}

}  // namespace convoy
