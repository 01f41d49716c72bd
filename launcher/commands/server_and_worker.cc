// `convoy server` and `convoy worker`: one role as a process of its own.
#include <memory>

#include "launcher/commands/command_set.h"
#include "launcher/commands/exit_code.h"
#include "launcher/commands/log.h"
#include "ps/server.h"
#include "worker/worker.h"

namespace convoy {
namespace {

void AddServerCommand(CommandSet& commands) {
  auto options = std::make_shared<ServerOptions>();
  CLI::App* command =
      commands.Add<ServerOptions>("server", "Start a parameter server by hand", options, [](ServerOptions server) {
        server.log = LogToScreen();
        return Fail(RunServer(server));
      });
  command->add_option("--coordinator", options->coordinator, "The coordinator")->type_name("HOST:PORT")->required();
  command->add_option("--listen", options->listen, "Address to listen on; port 0: any")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  command->add_option("--advertise", options->advertise, "Address that workers use; default: the one listened on")
      ->type_name("HOST:PORT");
  command->add_option("--rank", options->rank, "Number among the servers; default: any")->type_name("N");
  command->add_option("--threads", options->threads, "Threads")
      ->type_name("N")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  AddInsecureListen(command, &options->insecure_listen);
}

void AddWorkerCommand(CommandSet& commands) {
  auto options = std::make_shared<WorkerOptions>();
  options->models = commands.models;
  CLI::App* command = commands.Add<WorkerOptions>("worker", "Start a worker by hand", options, [](WorkerOptions worker) {
    worker.log = LogToScreen();
    return Fail(RunWorker(worker));
  });
  command->add_option("--coordinator", options->coordinator, "The coordinator")->type_name("HOST:PORT")->required();
  command->add_option("--rank", options->rank, "Number among the workers; default: any")->type_name("N");
}

}  // namespace

void AddServerAndWorkerCommands(CommandSet& commands) {
  AddServerCommand(commands);
  AddWorkerCommand(commands);
}

}  // namespace convoy
