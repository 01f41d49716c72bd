// Small training data on disk.
#ifndef CONVOY_TESTS_WORKER_DATA_DATASET_FIXTURE_H_
#define CONVOY_TESTS_WORKER_DATA_DATASET_FIXTURE_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/worker/data/data_files.h"
#include "worker/data/dataset.h"

namespace convoy {

inline std::vector<float> Dense(const Batch& batch) {
  const auto values = batch.dense.span().first(static_cast<size_t>(batch.size * batch.features));
  return {values.begin(), values.end()};
}

class DatasetTest : public ::testing::Test {
 protected:
  DatasetTest() { data_.set_cache_dir(folder_ / "cache"); }

  absl::StatusOr<DataSets> Open(uint64_t seed = 1) const { return OpenData(data_, seed, nullptr); }

  // 3 images of 2 x 2 with labels 5, 6, 7.
  void UseImages() {
    data_.set_train(folder_.Write(
        "t-images-idx3-ubyte",
        testing::Idx(0x08, {3, 2, 2}, std::string("\0\1\2\3abcd\xfc\xfd\xfe\xff", 12))));
    folder_.Write("t-labels-idx1-ubyte", testing::Idx(0x08, {3}, "\5\6\7"));
  }

  // `rows` lines "i 1:i 2:1".
  void UseRows(int rows) {
    std::string text;
    for (int i = 0; i < rows; ++i) absl::StrAppend(&text, i, " 1:", i, " 2:1\n");
    data_.set_train(folder_.Write("t.libsvm", text));
  }

  testing::TemporaryFolder folder_;
  v1::Data data_;
};

}  // namespace convoy

#endif  // CONVOY_TESTS_WORKER_DATA_DATASET_FIXTURE_H_
