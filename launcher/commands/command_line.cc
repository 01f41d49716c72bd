#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/allocator.h"
#include "common/build_info.h"
#include "common/job/set_field.h"
#include "launcher/commands/coordinator_command.h"
#include "launcher/commands/exit_code.h"
#include "launcher/commands/log.h"
#include "launcher/commands/predict.h"
#include "launcher/commands/train.h"
#include "launcher/main.h"
#include "ps/server.h"
#include "worker/worker.h"

namespace convoy {
namespace {

// The commands and their options; `run` of the chosen one is called after parsing.
class CommandLine {
 public:
  CommandLine(std::string program, std::vector<ModelRegistration> models)
      : models_(std::move(models)),
        app_("Convoy trains a model on many processes: servers hold the weights, workers compute gradients.", "convoy") {
    train_.program = std::move(program);
    app_.require_subcommand(1);
    app_.set_help_all_flag("--help-all", "Help of all commands");
    AddTrain();
    AddPredict("evaluate", "Measure a trained model on other data (JSON)", &RunEvaluateCommand);
    AddPredict("predict", "Predict with a trained model (CSV with probabilities)", &RunPredictCommand);
    AddCoordinator();
    AddServer();
    AddWorker();
    AddHelpAndVersion();
  }

  int Run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::CallForHelp& help) {
      return app_.exit(help);
    } catch (const CLI::CallForAllHelp& help) {
      return app_.exit(help);
    } catch (const CLI::ParseError& error) {
      std::fprintf(stderr, "convoy: %s\nTry: convoy help\n", error.what());
      return kExitBadUsage;
    }
    return run_();
  }

 private:
  void AddJob(CLI::App* command, JobOptions* job) {
    command->add_option("JOB", job->path, "Job file (protobuf text format, docs/job_file.md)")->required();
    command->add_option("--servers", job->servers, "Parameter servers (cluster.servers)")->type_name("N");
    command->add_option("--workers", job->workers, "Workers (cluster.workers)")->type_name("N");
    command->add_option("--mode", job->mode, "Consistency: sync, async or ssp:S (training.mode)")->type_name("MODE");
    command->add_option("--set", job->set, std::string(kSetHelp))->type_name("FIELD=VALUE")->take_all()->allow_extra_args(false);
  }

  void AddTrain() {
    CLI::App* command = app_.add_subcommand("train", "Train a job with processes of this machine");
    AddJob(command, &train_.job);
    command->add_option("--run-dir", train_.run_dir, "Folder for the results; default: a new one under runs/")
        ->type_name("DIR");
    command->add_flag("--in-process", train_.in_process,
                      "All roles as threads of this process, for debuggers and small jobs");
    command->callback([this] { run_ = [this] { return RunTrainCommand(train_, models_); }; });
  }

  void AddPredict(const char* name, const char* help,
                  int (*run)(const PredictOptions&, std::span<const ModelRegistration>)) {
    CLI::App* command = app_.add_subcommand(name, help);
    command->add_option("RUN_DIR", predict_.run_dir, "Run directory of a training")->required();
    command->add_option("--data", predict_.data, "Examples, in the format of the training data")
        ->type_name("PATH")
        ->required();
    command->add_option("--out", predict_.out, "File for the result; default: standard output")->type_name("FILE");
    command->callback([this, run] { run_ = [this, run] { return run(predict_, models_); }; });
  }

  void AddCoordinator() {
    CLI::App* command = app_.add_subcommand("coordinator", "Start the coordinator of a job by hand");
    AddJob(command, &coordinator_.job);
    command->add_option("--listen", coordinator_.listen, "Address to listen on; port 0: any")
        ->type_name("HOST:PORT")
        ->capture_default_str();
    command->add_option("--run-dir", coordinator_.run_dir, "Folder for the results; default: a new one under runs/")
        ->type_name("DIR");
    AddInsecure(command, &coordinator_.insecure_listen);
    command->add_option("--announce", coordinator_.announce)->group("");     // the launcher's
    command->add_option("--model-file", coordinator_.model_file)->group("");
    command->callback([this] { run_ = [this] { return RunCoordinatorCommand(coordinator_); }; });
  }

  void AddServer() {
    CLI::App* command = app_.add_subcommand("server", "Start a parameter server by hand");
    command->add_option("--coordinator", server_.coordinator, "The coordinator")->type_name("HOST:PORT")->required();
    command->add_option("--listen", server_.listen, "Address to listen on; port 0: any")
        ->type_name("HOST:PORT")
        ->capture_default_str();
    command->add_option("--advertise", server_.advertise, "Address that workers use; default: the one listened on")
        ->type_name("HOST:PORT");
    command->add_option("--rank", server_.rank, "Number among the servers; default: any")->type_name("N");
    command->add_option("--threads", server_.threads, "Threads")->type_name("N")->check(CLI::Range(1, 64))->capture_default_str();
    AddInsecure(command, &server_.insecure_listen);
    command->callback([this] {
      run_ = [this] {
        server_.log = LogToScreen();
        return Fail(RunServer(server_));
      };
    });
  }

  void AddWorker() {
    CLI::App* command = app_.add_subcommand("worker", "Start a worker by hand");
    command->add_option("--coordinator", worker_.coordinator, "The coordinator")->type_name("HOST:PORT")->required();
    command->add_option("--rank", worker_.rank, "Number among the workers; default: any")->type_name("N");
    command->callback([this] {
      run_ = [this] {
        worker_.log = LogToScreen();
        worker_.models = models_;
        return Fail(RunWorker(worker_));
      };
    });
  }

  void AddInsecure(CLI::App* command, bool* flag) {
    command->add_flag("--insecure-listen", *flag,
                      "Allow an address other than loopback, although connections are not encrypted");
  }

  void AddHelpAndVersion() {
    CLI::App* help = app_.add_subcommand("help", "Explain a command");
    help->add_option("COMMAND", topic_, "The command");
    help->callback([this] { run_ = [this, topic = topic_] { return Help(topic); }; });
    app_.add_subcommand("version", "Version, build and instruction set")->callback([this] {
      run_ = [] {
        std::printf("convoy %s, build %s, %s\n", Version().c_str(), BuildId().c_str(), InstructionSet().c_str());
        return kExitDone;
      };
    });
  }

  int Help(const std::string& topic) {
    app_.clear();   // else the help of `help` itself is shown
    std::string text = app_.help();
    if (!topic.empty()) {
      const auto known = app_.get_subcommands([&](const CLI::App* app) { return app->get_name() == topic; });
      if (known.empty()) {
        std::fprintf(stderr, "convoy: there is no command \"%s\"\nTry: convoy help\n", topic.c_str());
        return kExitBadUsage;
      }
      text = known[0]->help("convoy");
    }
    std::fputs(text.c_str(), stdout);
    return kExitDone;
  }

  const std::vector<ModelRegistration> models_;
  CLI::App app_;
  TrainOptions train_;
  PredictOptions predict_;
  CoordinatorOptions coordinator_;
  ServerOptions server_;
  WorkerOptions worker_;
  std::string topic_;
  std::function<int()> run_;
};

}  // namespace

int Main(int argc, char** argv, std::vector<ModelRegistration> models) {
  ConfigureAllocator();
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);   // what goes wrong is said by us, once
  if (absl::Status status = CheckProcessor(); !status.ok()) return Fail(status);
  return CommandLine(argv[0], std::move(models)).Run(argc, argv);
}

}  // namespace convoy
