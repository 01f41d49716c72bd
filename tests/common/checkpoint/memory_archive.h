// An archive of weights in memory.
#ifndef CONVOY_TESTS_COMMON_CHECKPOINT_MEMORY_ARCHIVE_H_
#define CONVOY_TESTS_COMMON_CHECKPOINT_MEMORY_ARCHIVE_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/checkpoint/weight_archive.h"

namespace convoy {

// Variables and tables by name and shape; no values.
class MemoryArchive final : public WeightArchive {
 public:
  MemoryArchive& Add(Variable variable) {
    variables_.push_back(std::move(variable));
    return *this;
  }
  MemoryArchive& Add(Table table) {
    tables_.push_back(std::move(table));
    return *this;
  }

  const std::string& path() const override { return path_; }
  const std::vector<Variable>& variables() const override { return variables_; }
  const std::vector<Table>& tables() const override { return tables_; }
  absl::Status Read(size_t, std::optional<size_t>, uint64_t, std::span<float> out) const override {
    std::ranges::fill(out, 0.0f);
    return absl::OkStatus();
  }
  uint64_t Updates(size_t, uint64_t) const override { return 0; }
  absl::Status ReadRows(size_t, absl::FunctionRef<absl::Status(const Rows&)>) const override {
    return absl::OkStatus();
  }

 private:
  const std::string path_ = "archive";
  std::vector<Variable> variables_;
  std::vector<Table> tables_;
};

}  // namespace convoy

#endif  // CONVOY_TESTS_COMMON_CHECKPOINT_MEMORY_ARCHIVE_H_
