// Cache files: what is accepted can be read to the last entry. Checksums are not compared, since no
// fuzzer guesses them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "worker/data/cache_format.h"

namespace {

using convoy::CacheView;

void ReadRows(const CacheView& view) {
  for (size_t row = 0; row < view.header().examples; ++row) {
    for (int64_t k = view.row_offsets()[row]; k < view.row_offsets()[row + 1]; ++k) {
      if (view.columns()[static_cast<size_t>(k)] >= view.header().features) abort();
    }
  }
}

void ReadIds(const CacheView& view) {
  const bool values = view.header().element == convoy::CacheElement::kFloat32;
  uint64_t sum = 0;
  for (size_t row = 0; row < view.header().examples; ++row) {
    for (int64_t k = view.row_offsets()[row]; k < view.row_offsets()[row + 1]; ++k) {
      const auto at = static_cast<size_t>(k);
      sum += view.ids()[at] + (values && view.values()[at] != 0 ? 1 : 0);
      if (!view.fields().empty() && view.fields()[at] >= view.header().fields) abort();
    }
  }
  volatile uint64_t sink = sum;  // keeps the reads
  (void)sink;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr std::align_val_t kAlignment{convoy::kCacheAlignment};
  char* const file = static_cast<char*>(::operator new(size, kAlignment));
  std::memcpy(file, data, size);
  for (const auto check : {convoy::CacheCheck::kChecksums, convoy::CacheCheck::kStructureOnly}) {
    const absl::StatusOr<CacheView> view = CacheView::Parse({file, size}, check);
    if (view.ok() && view->header().kind == convoy::CacheKind::kSparse) ReadRows(*view);
    if (view.ok() && view->header().kind == convoy::CacheKind::kIds) ReadIds(*view);
  }
  ::operator delete(file, kAlignment);
  return 0;
}
