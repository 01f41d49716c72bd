#include "worker/layers/eigen.h"

#include <Eigen/Core>

namespace convoy {

void ConfigureEigen() {
  Eigen::setNbThreads(1);
  Eigen::setCpuCacheSizes(32 << 10, 512 << 10, 4 << 20);
}

}  // namespace convoy
