// Eigen's process-wide settings.
#ifndef CONVOY_WORKER_LAYERS_EIGEN_H_
#define CONVOY_WORKER_LAYERS_EIGEN_H_

namespace convoy {

// Fixes everything in Eigen that differs from machine to machine: the cache sizes, by which it cuts
// matrix products into pieces (and so the order of their sums), and the number of threads, one.
// Every process calls it once, before its first thread starts.
void ConfigureEigen();

}  // namespace convoy

#endif  // CONVOY_WORKER_LAYERS_EIGEN_H_
