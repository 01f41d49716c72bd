#include "worker/data/csv/column_statistics.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "worker/data/csv/csv_number.h"

namespace convoy {
namespace {
constexpr size_t kSampled = 1 << 20;
}  // namespace

double SignedLog(double x) { return std::copysign(std::log1p(std::abs(x)), x); }

void NumberStatistics::Add(double x) {
  if (plan_.transform == v1::CsvColumn::LOG) x = SignedLog(x);
  if (plan_.transform == v1::CsvColumn::BUCKET) Sample(x);
  if (count_ == 0) first_ = x;
  const double offset = x - first_;
  sum_ += offset;
  squares_ += offset * offset;
  ++count_;
}

void NumberStatistics::Sample(double x) {
  if (count_ % stride_ != 0) return;
  if (sample_.size() == kSampled) {
    for (size_t i = 0; i < kSampled / 2; ++i) sample_[i] = sample_[2 * i];
    sample_.resize(kSampled / 2);
    stride_ *= 2;
    if (count_ % stride_ != 0) return;
  }
  sample_.push_back(x);
}

// Quantiles k / buckets; equal ones are one edge, and the smallest value is none.
std::vector<double> NumberStatistics::Edges() const {
  std::vector<double> sorted = sample_;
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> edges;
  for (uint64_t k = 1; k < plan_.buckets && !sorted.empty(); ++k) {
    const double edge = sorted[k * sorted.size() / plan_.buckets];
    if (edge > (edges.empty() ? sorted.front() : edges.back())) edges.push_back(edge);
  }
  return edges;
}

v1::NumericTreatment NumberStatistics::Treatment() const {
  const double n = static_cast<double>(std::max<uint64_t>(1, count_));
  const double mean = first_ + sum_ / n;
  const double variance = (squares_ - sum_ * (sum_ / n)) / n;
  const bool scaled =
      plan_.transform == v1::CsvColumn::STANDARDISE || plan_.transform == v1::CsvColumn::LOG;
  v1::NumericTreatment treatment;
  treatment.set_transform(plan_.transform);
  if (plan_.transform != v1::CsvColumn::BUCKET) {
    treatment.set_mean(scaled ? mean : 0);
    treatment.set_deviation(scaled && variance > 0 ? std::sqrt(variance) : 1);
  }
  for (const double edge : Edges()) treatment.add_edge(edge);
  treatment.set_missing(plan_.missing_number);
  treatment.set_missing_number(plan_.missing_number == v1::CsvColumn::ZERO ? 0 : mean);
  return treatment;
}

void CategoryStatistics::Add(std::string_view value) {
  const auto found = counts_.find(value);
  if (found != counts_.end()) {
    ++found->second;
  } else {
    counts_.emplace(value, 1);
  }
}

v1::DictionaryTreatment CategoryStatistics::Treatment(const v1::Csv& settings,
                                                      v1::CsvColumn::Missing missing) const {
  std::vector<std::pair<uint64_t, std::string>> kept;
  for (const auto& [value, count] : counts_) {
    if (count >= settings.min_count()) kept.emplace_back(count, value);
  }
  std::sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  kept.resize(std::min<size_t>(kept.size(), settings.max_categories()));
  std::sort(kept.begin(), kept.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  v1::DictionaryTreatment treatment;
  for (auto& [count, value] : kept) treatment.add_category(std::move(value));
  treatment.set_missing(missing);
  treatment.set_missing_feature(missing == v1::CsvColumn::CATEGORY && missing_ > 0);
  treatment.set_unknown_feature(kept.size() < counts_.size());
  return treatment;
}

std::vector<std::string> CategoryStatistics::Classes() const {
  std::vector<std::pair<double, std::string>> classes;
  bool numbers = true;
  for (const auto& [value, count] : counts_) {
    double number = 0;
    numbers &= ParseNumber(value, &number);
    classes.emplace_back(number, value);
  }
  if (!numbers) {
    for (auto& [number, value] : classes) number = 0;
  }
  std::sort(classes.begin(), classes.end());
  std::vector<std::string> names;
  for (auto& [number, value] : classes) names.push_back(std::move(value));
  return names;
}

}  // namespace convoy
