#include "tests/benchmarks/plain_mlp.h"

#include <cmath>

#include "common/math/random.h"

namespace convoy::benchmarks {
namespace {

void FillHe(const char* name, PlainMlp::Matrix& weight) {
  RandomStream(1, name).FillNormal(0, {weight.data(), static_cast<size_t>(weight.size())});
  weight *= std::sqrt(2.0f / static_cast<float>(weight.rows()));
}

}  // namespace

PlainMlp::PlainMlp(int64_t inputs, int64_t hidden, int64_t classes)
    : weight1_(inputs, hidden),
      weight2_(hidden, classes),
      bias1_(Eigen::RowVectorXf::Zero(hidden)),
      bias2_(Eigen::RowVectorXf::Zero(classes)) {
  FillHe("weight1", weight1_);
  FillHe("weight2", weight2_);
}

float PlainMlp::Step(const float* features, const float* labels, int64_t batch,
                     float learning_rate) {
  const Eigen::Map<const Matrix> input(features, batch, weight1_.rows());
  hidden_.noalias() = input * weight1_;
  hidden_.rowwise() += bias1_;
  hidden_ = hidden_.cwiseMax(0.0f);
  scores_.noalias() = hidden_ * weight2_;
  scores_.rowwise() += bias2_;
  // The scores become probabilities, and these the gradient of the scores.
  scores_.colwise() -= scores_.rowwise().maxCoeff().eval();
  scores_ = scores_.array().exp();
  scores_.array().colwise() /= scores_.rowwise().sum().array().eval();
  float loss = 0;
  for (int64_t i = 0; i < batch; ++i) {
    float& right = scores_(i, static_cast<int64_t>(labels[i]));
    loss -= std::log(right);
    right -= 1;
  }
  hidden_gradient_.noalias() = scores_ * weight2_.transpose();
  hidden_gradient_ = (hidden_.array() > 0).select(hidden_gradient_, 0);
  weight2_gradient_.noalias() = hidden_.transpose() * scores_;
  weight1_gradient_.noalias() = input.transpose() * hidden_gradient_;
  const float rate = learning_rate / static_cast<float>(batch);
  weight2_ -= rate * weight2_gradient_;
  weight1_ -= rate * weight1_gradient_;
  bias2_ -= rate * scores_.colwise().sum();
  bias1_ -= rate * hidden_gradient_.colwise().sum();
  return loss / static_cast<float>(batch);
}

}  // namespace convoy::benchmarks
