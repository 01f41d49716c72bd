// The limit for training: the maths of `mlp { hidden: 128 }` and plain SGD in one Eigen loop on one
// thread. No layers, no blocks, no servers; the examples of a batch lie side by side in memory.
#ifndef CONVOY_TESTS_BENCHMARKS_PLAIN_MLP_H_
#define CONVOY_TESTS_BENCHMARKS_PLAIN_MLP_H_

#include <Eigen/Dense>
#include <cstdint>
#include <vector>

namespace convoy::benchmarks {

class PlainMlp {
 public:
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  PlainMlp(int64_t inputs, int64_t hidden, int64_t classes);
  // One step on row-major [batch, inputs] `features` and class numbers `labels`; returns the mean
  // cross entropy.
  float Step(const float* features, const float* labels, int64_t batch, float learning_rate);

 private:
  Matrix weight1_, weight2_;
  Eigen::RowVectorXf bias1_, bias2_;
  Matrix hidden_, scores_, hidden_gradient_, weight1_gradient_, weight2_gradient_;
};

}  // namespace convoy::benchmarks

#endif  // CONVOY_TESTS_BENCHMARKS_PLAIN_MLP_H_
