#ifndef CONVOY_WORKER_DATA_ACTIVITY_H_
#define CONVOY_WORKER_DATA_ACTIVITY_H_

#include <functional>
#include <string>

namespace convoy {

// Called now and then while text is parsed or a cache is built, with e.g. "reading train.libsvm,
// 40 %". May be empty.
using ActivityCallback = std::function<void(const std::string&)>;

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_ACTIVITY_H_
