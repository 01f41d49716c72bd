// Runs made up for tests of reports.
#ifndef CONVOY_TESTS_LAUNCHER_REPORT_SAMPLE_RUN_H_
#define CONVOY_TESTS_LAUNCHER_REPORT_SAMPLE_RUN_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/job/defaults.h"
#include "launcher/report/run_record.h"

namespace convoy::testing {

struct SampleRun {
  std::string mode = "sync";
  uint64_t seed = 1;
  double rate = 0.1;
  // Validation accuracy after each second, in which 1,000 examples are trained on.
  std::vector<double> accuracies = {0.5, 0.8, 0.9};
  double speed = 1000;  // examples per second: stretches the seconds
  std::string slow_worker = {}, link = {}, failure = {};
};

inline RunRecord MakeRun(const SampleRun& sample) {
  RunRecord run;
  run.directory = "runs/" + sample.mode;
  run.job.set_name("sample");
  run.job.set_seed(sample.seed);
  run.job.mutable_data()->set_train("x");
  run.job.mutable_data()->mutable_validation()->set_fraction(0.1);
  run.job.mutable_model()->mutable_mlp()->add_hidden(4);
  run.job.mutable_optimizer()->set_learning_rate(sample.rate);
  run.job.mutable_training()->set_mode(sample.mode);
  run.job.mutable_training()->set_batch_size(100);
  run.job.mutable_training()->set_slices(2);
  run.job.mutable_cluster()->set_workers(2);
  if (!sample.slow_worker.empty()) run.job.mutable_rehearsal()->add_slow_worker(sample.slow_worker);
  if (!sample.link.empty()) run.job.mutable_rehearsal()->set_link(sample.link);
  run.job = ResolveDefaults(run.job);
  run.epoch_examples = 1000;
  const size_t accuracy = run.validation.FindOrAdd("accuracy"),
               loss = run.validation.FindOrAdd("loss");
  for (size_t i = 0; i < sample.accuracies.size(); ++i) {
    const double examples = 1000.0 * static_cast<double>(i + 1);
    CurvePoint point = {examples / sample.speed, examples, examples / 100, std::vector<double>(2)};
    point.values[accuracy] = sample.accuracies[i];
    point.values[loss] = 1 - sample.accuracies[i];
    run.validation.Add(std::move(point));
  }
  run.examples = 1000 * sample.accuracies.size();
  run.updates = run.examples / 100;
  run.wall_seconds = static_cast<double>(run.examples) / sample.speed;
  run.examples_per_second = sample.speed;
  run.bytes = 1000000;
  run.workers = {{0, 10, 6, 0, 2}, {1, 10, 1, 4, 2}};
  run.failure = sample.failure;
  return run;
}

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_LAUNCHER_REPORT_SAMPLE_RUN_H_
