#include "launcher/watch/live_view.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

constexpr double kLeastSilence = 3;  // seconds
constexpr uint64_t kRateMs = 5000;   // rates are means over so long

std::optional<double> Rate(double amount, double time) {
  if (!(time > 0) || amount < 0) return std::nullopt;
  return amount / time;
}

// What a process had done when the training began: nothing.
v1::ProcessInfo AtTheBeginning(const v1::JobFigures& figures) {
  v1::ProcessInfo info;
  info.set_heard_ms(figures.training_ms());
  return info;
}

double Difference(uint64_t now, uint64_t before) {
  return static_cast<double>(now) - static_cast<double>(before);
}

double SecondsFrom(uint64_t begin_ms, uint64_t end_ms) {
  return 1e-3 * Difference(end_ms, begin_ms);
}

void SetWorkerRates(const v1::ProcessInfo& now, const v1::ProcessInfo& before, ProcessView* view) {
  const v1::ProcessUsage& usage = now.usage();
  const double seconds = SecondsFrom(before.heard_ms(), now.heard_ms());
  const double examples = Difference(usage.examples(), before.usage().examples());
  const double trained = usage.trained_seconds() - before.usage().trained_seconds();
  const double waited = usage.waited_seconds() - before.usage().waited_seconds();
  view->examples_per_second = Rate(examples, seconds);
  view->waiting = Rate(waited, trained);
  if (view->waiting) view->waiting = std::min(1.0, *view->waiting);
  if (trained > 0) view->busy_per_example = Rate(std::max(0.0, trained - waited), examples);
  view->staleness =
      Rate(static_cast<double>(usage.staleness_sum() - before.usage().staleness_sum()),
           Difference(usage.staleness_count(), before.usage().staleness_count()));
  view->received = usage.bytes_received();
  view->sent = usage.bytes_sent();
  view->received_per_second =
      Rate(Difference(usage.bytes_received(), before.usage().bytes_received()), seconds);
  view->sent_per_second =
      Rate(Difference(usage.bytes_sent(), before.usage().bytes_sent()), seconds);
}

void SetServerRates(const v1::ProcessInfo& now, const v1::ProcessInfo& before, ProcessView* view) {
  const v1::ServerStats& stats = now.stats();
  const double seconds = SecondsFrom(before.heard_ms(), now.heard_ms());
  view->received = stats.bytes_received();
  view->sent = stats.bytes_sent();
  view->received_per_second =
      Rate(Difference(stats.bytes_received(), before.stats().bytes_received()), seconds);
  view->sent_per_second =
      Rate(Difference(stats.bytes_sent(), before.stats().bytes_sent()), seconds);
  view->rows = stats.rows();
  view->parked = stats.parked();
  view->stored_bytes = stats.stored_bytes();
}

std::string StateText(const v1::GetProgressReply& reply) {
  switch (reply.phase()) {
    case v1::STARTING:
      return "starting";
    case v1::TRAINING:
      return "training";
    case v1::FINISHING:
      return "finishing";
    case v1::DONE:
      return "ended";
    case v1::FAILED:
      return absl::StrCat("failed: ", reply.failure());
    default:
      return "";
  }
}

}  // namespace

ProcessView LiveView::Describe(const v1::ProcessInfo& info, const v1::JobFigures& figures,
                               double limit) {
  Heartbeats& heard = heard_[{info.role(), info.rank()}];
  // One that is lost may have had the rank of one that goes on.
  if (info.lost().empty()) {
    // A smaller time is that of another coordinator.
    if (!heard.empty() && heard.back().heard_ms() > info.heard_ms()) heard.clear();
    if (heard.empty() || heard.back().heard_ms() < info.heard_ms()) heard.push_back(info);
    while (heard.size() > 2 && heard[1].heard_ms() + kRateMs <= info.heard_ms()) heard.pop_front();
  }

  ProcessView view;
  view.server = info.role() == v1::SERVER;
  view.rank = info.rank();
  view.pid = info.pid();
  view.host = info.host();
  view.activity = info.lost().empty() ? info.activity() : absl::StrCat("lost: ", info.lost());
  view.finished = info.finished();
  view.cpu_seconds = info.usage().cpu_seconds();
  view.memory_bytes =
      info.usage().rss_bytes() > 0 ? info.usage().rss_bytes() : info.usage().peak_rss_bytes();
  if (!view.server) view.step = info.step();
  if (info.heard_ms() == 0) return view;
  if (const double silence = SecondsFrom(info.heard_ms(), figures.now_ms()); silence >= limit) {
    view.silent_seconds = silence;
  }
  const bool several = heard.size() > 1;
  // Processes begin with the coordinator, not with the training.
  view.cpu = several ? Rate(view.cpu_seconds - heard.front().usage().cpu_seconds(),
                            SecondsFrom(heard.front().heard_ms(), info.heard_ms()))
                     : Rate(view.cpu_seconds, SecondsFrom(0, info.heard_ms()));
  if (figures.training_ms() == 0) return view;
  const v1::ProcessInfo before = several ? heard.front() : AtTheBeginning(figures);
  if (view.server) {
    SetServerRates(info, before, &view);
  } else {
    SetWorkerRates(info, before, &view);
  }
  return view;
}

void LiveView::Update(const v1::GetProgressReply& reply, RunView* view) {
  const v1::JobFigures& figures = reply.figures();
  view->live = true;
  view->ended = reply.phase() == v1::DONE || reply.phase() == v1::FAILED;
  view->state = StateText(reply);
  view->waiting_for = reply.waiting_for();
  if (figures.training_ms() > 0)
    view->seconds = SecondsFrom(figures.training_ms(), figures.now_ms());
  view->total_steps = figures.total_steps();
  view->progress.total_examples = reply.total_examples();
  view->progress.examples = std::max(view->progress.examples, reply.examples());
  view->progress.step = std::max(view->progress.step, figures.step());
  view->checkpoints = std::max(view->checkpoints, figures.checkpoints());
  view->newest_checkpoint = std::max(view->newest_checkpoint, figures.newest_checkpoint());
  view->skipped = figures.skipped();
  view->dropped = figures.dropped();
  const double limit = std::max(kLeastSilence, 3e-3 * reply.job().cluster().heartbeat_ms());
  for (const v1::ProcessInfo& info : reply.processes()) {
    (info.role() == v1::SERVER ? view->servers : view->workers)
        .push_back(Describe(info, figures, limit));
  }
}

}  // namespace convoy
