#ifndef CONVOY_WORKER_DATA_DEFAULT_CACHE_DIR_H_
#define CONVOY_WORKER_DATA_DEFAULT_CACHE_DIR_H_

#include <string>

namespace convoy {

// $XDG_CACHE_HOME/convoy, or $HOME/.cache/convoy, or /tmp/convoy-UID where neither is set to an
// absolute path. The only place of the data code that reads the environment.
std::string DefaultCacheDir();

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_DEFAULT_CACHE_DIR_H_
