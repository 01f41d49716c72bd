// Where a role writes what happens.
#ifndef CONVOY_LAUNCHER_COMMANDS_LOG_H_
#define CONVOY_LAUNCHER_COMMANDS_LOG_H_

#include <functional>
#include <string>

namespace convoy {

using LogFunction = std::function<void(const std::string&)>;

// Lines with the time, on standard output.
LogFunction LogToScreen();
// The same without waiting for a screen that stands still: after some thousand lines that it has
// not taken, the oldest are left out. The last one that has a copy waits for the rest to be taken.
LogFunction LogToScreenWithoutWaiting();
// Lines with the time, in a file of its own.
LogFunction LogToFile(const std::string& path);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_LOG_H_
