// What is learnt from the values of one column. Pure functions of the values and their order.
#ifndef CONVOY_WORKER_DATA_CSV_COLUMN_STATISTICS_H_
#define CONVOY_WORKER_DATA_CSV_COLUMN_STATISTICS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/schema.pb.h"
#include "worker/data/csv/column_plan.h"
#include "worker/data/csv/string_map.h"

namespace convoy {

// sign(x) log(1 + |x|).
double SignedLog(double x);

// Mean, deviation and quantiles of a numeric column.
class NumberStatistics {
 public:
  explicit NumberStatistics(const ColumnPlan& plan) : plan_(plan) {}

  void Add(double x);
  v1::NumericTreatment Treatment() const;

 private:
  void Sample(double x);
  std::vector<double> Edges() const;

  const ColumnPlan plan_;
  // Sums of x - first_ and its square: sums of x itself would cancel where the mean is large.
  double first_ = 0, sum_ = 0, squares_ = 0;
  uint64_t count_ = 0;
  // BUCKET: every stride_-th value, at most kSampled of them.
  std::vector<double> sample_;
  uint64_t stride_ = 1;
};

// How often each value of a categorical column comes.
class CategoryStatistics {
 public:
  // Keeps counting; more different values than can be counted are an error of TooMany().
  void Add(std::string_view value);
  void AddMissing() { ++missing_; }
  bool TooMany(size_t limit) const { return counts_.size() > limit; }

  // The most frequent `settings.max_categories` with at least `settings.min_count` rows; among
  // equally frequent ones those whose bytes come first.
  v1::DictionaryTreatment Treatment(const v1::Csv& settings, v1::CsvColumn::Missing missing) const;
  // All values: numbers in their order if all are numbers, else in the order of their bytes.
  std::vector<std::string> Classes() const;

 private:
  StringMap<uint64_t> counts_;
  uint64_t missing_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_COLUMN_STATISTICS_H_
