// Where a role writes what happens.
#ifndef CONVOY_LAUNCHER_COMMANDS_LOG_H_
#define CONVOY_LAUNCHER_COMMANDS_LOG_H_

#include <functional>
#include <string>

namespace convoy {

using LogFunction = std::function<void(const std::string&)>;

// Lines with the time, on standard output.
LogFunction LogToScreen();
// Lines with the time, in a file of its own.
LogFunction LogToFile(const std::string& path);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_LOG_H_
