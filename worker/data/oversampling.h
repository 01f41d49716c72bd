// Epochs in which every class occurs equally often.
#ifndef CONVOY_WORKER_DATA_OVERSAMPLING_H_
#define CONVOY_WORKER_DATA_OVERSAMPLING_H_

#include <cstdint>
#include <span>
#include <vector>

namespace convoy {

// An epoch has size() = C * m places, for the C classes that occur and the m examples of the
// largest one. Classes take turns: place p is of class p % C, the (p / C)-th of it in this epoch.
// Each class goes through its examples in an order of the epoch (or that of the file) and starts
// again at its end, so two examples of one class differ by at most one visit, and every example is
// visited at least once. With EpochOrder over the places, the whole is a pure function of (labels,
// seed, epoch). Shared and immutable; the order is drawn by OversampledOrder.
class Oversampling {
 public:
  // `classes`: the class of each example, at least one example. InvalidArgument is left to the
  // caller: size() has to be below 2^32.
  explicit Oversampling(std::span<const uint32_t> classes);

  uint64_t size() const { return members_.size() * largest_; }
  uint64_t examples() const { return examples_; }
  // Examples of each class that occurs, ascending; by class.
  const std::vector<std::vector<uint32_t>>& members() const { return members_; }

 private:
  uint64_t examples_;
  uint64_t largest_ = 0;
  std::vector<std::vector<uint32_t>> members_;
};

// Turns places into visits. Keeps the epoch used last, 4 bytes an example. One thread.
class OversampledOrder {
 public:
  // `classes` outlives the order.
  OversampledOrder(const Oversampling* classes, uint64_t seed, bool shuffle)
      : classes_(classes), seed_(seed), shuffle_(shuffle) {}

  // Replaces each place in `places` by the example that is visited there, and sets `visits` to
  // k * examples() + example for its k-th visit (from 0) in the epoch, as Batch::examples wants it.
  void Visit(uint64_t epoch, std::span<uint32_t> places, std::vector<uint64_t>* visits);

 private:
  void Draw(uint64_t epoch);

  const Oversampling* const classes_;
  const uint64_t seed_;
  const bool shuffle_;
  uint64_t drawn_epoch_ = 0;
  std::vector<std::vector<uint32_t>> order_;  // of drawn_epoch_, by class; empty: none yet
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_OVERSAMPLING_H_
