// The environment variables that stand for the flags of roles started by hand: CONVOY_COORDINATOR
// for --coordinator, and so on.
#ifndef CONVOY_LAUNCHER_COMMANDS_ROLE_ENVIRONMENT_H_
#define CONVOY_LAUNCHER_COMMANDS_ROLE_ENVIRONMENT_H_

namespace convoy {

// Removes all of them from the environment. For a launcher, whose children get flags from it alone:
// otherwise an exported CONVOY_LISTEN would give all servers one port. Before threads are started.
void ForgetRoleEnvironment();

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_ROLE_ENVIRONMENT_H_
