// `convoy server` and `convoy worker`: one role as a process of its own.
#include <cstdint>
#include <memory>
#include <optional>

#include "launcher/commands/command_set.h"
#include "launcher/commands/exit_code.h"
#include "launcher/commands/log.h"
#include "launcher/process/core_pinning.h"
#include "ps/server.h"
#include "worker/worker.h"

namespace convoy {
namespace {

// A role and, from the launcher, the cores that it is to stay on.
template <typename Role>
struct RoleOptions {
  Role role;
  std::optional<uint32_t> core;  // the first
  uint32_t cores = 1;
};

template <typename Role>
int RunRole(RoleOptions<Role> options, absl::Status (*run)(const Role&)) {
  if (options.core) {
    if (absl::Status status = PinToCores(*options.core, options.cores); !status.ok())
      return Fail(status);
  }
  options.role.log = LogToScreen();
  return Fail(run(options.role));
}

void AddServerCommand(CommandSet& commands) {
  auto all = std::make_shared<RoleOptions<ServerOptions>>();
  ServerOptions* options = &all->role;
  CLI::App* command = commands.Add<RoleOptions<ServerOptions>>(
      "server", "Start a parameter server by hand", all,
      [](const RoleOptions<ServerOptions>& chosen) { return RunRole(chosen, &RunServer); });
  command->add_option("--core", all->core)->group("");  // the launcher's
  command->add_option("--coordinator", options->coordinator, "The coordinator")
      ->type_name("HOST:PORT")
      ->envname("CONVOY_COORDINATOR")
      ->required();
  command->add_option("--listen", options->listen, "Address to listen on; port 0: any")
      ->type_name("HOST:PORT")
      ->envname("CONVOY_LISTEN")
      ->capture_default_str();
  command
      ->add_option("--advertise", options->advertise,
                   "Address that workers use; default: the one listened on")
      ->type_name("HOST:PORT")
      ->envname("CONVOY_ADVERTISE");
  command->add_option("--rank", options->rank, "Number among the servers, from 0; default: any")
      ->type_name("N")
      ->envname("CONVOY_RANK");
  command->add_option("--threads", options->threads, "Threads")
      ->type_name("N")
      ->envname("CONVOY_THREADS")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command
      ->add_option("--spin-us", options->spin_us,
                   "Microseconds of asking before a thread sleeps (cluster.spin_us)")
      ->type_name("N")
      ->envname("CONVOY_SPIN_US")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  AddInsecureListen(command, &options->insecure_listen);
}

void AddWorkerCommand(CommandSet& commands) {
  auto all = std::make_shared<RoleOptions<WorkerOptions>>();
  WorkerOptions* options = &all->role;
  options->models = commands.models;
  CLI::App* command = commands.Add<RoleOptions<WorkerOptions>>(
      "worker", "Start a worker by hand", all,
      [](const RoleOptions<WorkerOptions>& chosen) { return RunRole(chosen, &RunWorker); });
  command->add_option("--core", all->core)->group("");  // the launcher's
  command->add_option("--cores", all->cores)->group("");
  command->add_option("--coordinator", options->coordinator, "The coordinator")
      ->type_name("HOST:PORT")
      ->envname("CONVOY_COORDINATOR")
      ->required();
  command->add_option("--rank", options->rank, "Number among the workers, from 0; default: any")
      ->type_name("N")
      ->envname("CONVOY_RANK");
}

}  // namespace

void AddServerAndWorkerCommands(CommandSet& commands) {
  AddServerCommand(commands);
  AddWorkerCommand(commands);
}

}  // namespace convoy
