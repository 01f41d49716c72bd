// libffm text, libsvm text of ids and Criteo logs, gzip or not: any input gives rows or an error,
// and rows keep their promises.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <utility>

#include "worker/data/cache_format.h"
#include "worker/data/criteo.h"
#include "worker/data/id_text.h"

namespace {

// Of a line: no (field, id) twice, no id above the largest.
void CheckLine(const convoy::IdRows& rows, size_t begin, size_t end) {
  std::set<std::pair<uint16_t, uint64_t>> seen;
  for (size_t k = begin; k < end; ++k) {
    if (rows.ids[k] > convoy::kMaxId || !std::isfinite(rows.values[k])) abort();
    if (!seen.emplace(rows.fields[k], rows.ids[k]).second) abort();
  }
}

absl::Status CheckRows(const convoy::IdRows& rows) {
  if (rows.labels.size() != rows.row_ends.size()) abort();
  size_t begin = 0;
  for (const int64_t end : rows.row_ends) {
    CheckLine(rows, begin, static_cast<size_t>(end));
    begin = static_cast<size_t>(end);
  }
  if (begin != rows.ids.size()) abort();
  return absl::OkStatus();
}

void Read(const uint8_t* data, size_t size, convoy::IdParser& parser) {
  const auto source = convoy::Decompressed(
      convoy::MemorySource({reinterpret_cast<const char*>(data), size}), "fuzz");
  const auto summary = convoy::ReadIds(*source, parser, CheckRows);
  if (summary.ok() && (summary->rows == 0 || summary->fields > convoy::kMaxFields)) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  convoy::IdTextParser libffm(convoy::IdTextFormat::kLibffm, "fuzz", size % 3);
  convoy::IdTextParser libsvm(convoy::IdTextFormat::kLibsvm, "fuzz", size % 3);
  convoy::CriteoParser criteo("fuzz", size % 3);
  Read(data, size, libffm);
  Read(data, size, libsvm);
  Read(data, size, criteo);
  return 0;
}
