#include "worker/data/interleave.h"

#include <algorithm>
#include <cstddef>

namespace convoy {
namespace {

// Appends elements [begin, end) of `from`, if there are any at all.
template <typename T>
void AppendPart(const std::vector<T>& from, int64_t begin, int64_t end, std::vector<T>* to) {
  if (!from.empty()) to->insert(to->end(), from.begin() + begin, from.begin() + end);
}

void AppendEntries(const Batch& from, size_t row, Batch* out) {
  const int64_t begin = from.row_offsets[row], end = from.row_offsets[row + 1];
  AppendPart(from.columns, begin, end, &out->columns);
  AppendPart(from.values, begin, end, &out->values);
  AppendPart(from.ids, begin, end, &out->ids);
  AppendPart(from.fields, begin, end, &out->fields);
  out->row_offsets.push_back(out->row_offsets.back() + end - begin);
}

}  // namespace

void Interleave(const Batch& first, const Batch& second, const std::vector<bool>& from_second,
                Batch* out) {
  out->size = static_cast<int64_t>(from_second.size());
  out->features = first.features;
  out->sparse = first.sparse;
  out->row_offsets.assign(first.sparse ? 1 : 0, 0);
  out->columns.clear();
  out->values.clear();
  out->ids.clear();
  out->fields.clear();
  out->labels.clear();
  out->examples.clear();
  out->weights.clear();
  const auto width = static_cast<size_t>(first.features);
  if (!first.sparse) out->dense.Reserve(from_second.size() * width);
  size_t next[2] = {0, 0};
  for (size_t k = 0; k < from_second.size(); ++k) {
    const Batch& from = from_second[k] ? second : first;
    const size_t row = next[from_second[k]]++;
    if (from.sparse) {
      AppendEntries(from, row, out);
    } else {
      std::copy_n(from.dense.data() + row * width, width, out->dense.data() + k * width);
    }
    out->labels.push_back(from.labels[row]);
    out->examples.push_back(from.examples[row]);
  }
}

}  // namespace convoy
