#include "launcher/dashboard/dashboard.h"

#include <pthread.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/clock.h"
#include "common/status.h"
#include "launcher/dashboard/dashboard_files.h"
#include "launcher/dashboard/dashboard_json.h"
#include "launcher/report/page_files.h"
#include "launcher/watch/compose_view.h"

namespace convoy {
namespace {

std::string DashboardPage() {
  const auto text = [](std::string_view file) {
    return absl::string_view(file.data(), file.size());
  };
  const std::string css =
      absl::StrCat(text(ChartLibraryCss()), "\n", text(PageCss()), "\n", text(DashboardCss()));
  const std::string scripts =
      absl::StrCat("/* uPlot draws the charts.\n\n", text(ChartLibraryLicense()), "*/\n",
                   text(ChartLibraryJs()), "\n", text(ChartsJs()), "\n", text(DashboardJs()));
  return absl::StrReplaceAll(text(DashboardHtml()), {{"{{CSS}}", css}, {"{{SCRIPTS}}", scripts}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<Dashboard>> Dashboard::Start(Options options) {
  std::unique_ptr<Dashboard> dashboard(new Dashboard(std::move(options)));
  HttpServer::Options server;
  server.address = dashboard->options_.address;
  server.port = dashboard->options_.port;
  server.pages["/"] = [page = DashboardPage()](const std::string&) {
    return HttpPage{"text/html; charset=utf-8", page};
  };
  server.pages["/data"] = [self = dashboard.get()](const std::string& query) {
    return self->Data(query);
  };
  CONVOY_ASSIGN_OR_RETURN(dashboard->server_, HttpServer::Start(std::move(server)));
  dashboard->sampler_ = std::thread([self = dashboard.get()] { self->TakeSamples(); });
  return dashboard;
}

Dashboard::~Dashboard() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  if (sampler_.joinable()) sampler_.join();
  server_.reset();
}

std::string Dashboard::url() const { return absl::StrCat("http://", server_->address(), "/"); }

void Dashboard::TakeSamples() {
  pthread_setname_np(pthread_self(), "dashboard");
  for (;;) {
    TakeSample();
    const absl::Time next = SteadyNow() + options_.period;
    MutexLock lock(mutex_);
    while (!stopping_ && SteadyNow() < next) changed_.WaitFor(mutex_, next - SteadyNow());
    if (stopping_) return;
  }
}

void Dashboard::TakeSample() {
  uint64_t seen = 0;
  {
    MutexLock lock(mutex_);
    seen = events_seen_;
  }
  // Not under the lock: the coordinator has one of its own.
  std::vector<v1::GetProgressReply> replies;
  do {
    replies.push_back(options_.look(seen));
    seen = replies.back().events_seen();
  } while (replies.back().events_size() > 0);
  MutexLock lock(mutex_);
  events_seen_ = seen;
  for (const v1::GetProgressReply& reply : replies) {
    for (const std::string& event : reply.events()) history_.Add(event);
  }
  RunView view;
  view.job = options_.job;
  view.mode = options_.mode;
  AddHistory(history_, &view);
  AddLive(replies.back(), &live_, &view);
  if (replies.back().phase() == v1::TRAINING) samples_.Add(view);
  view_ = std::move(view);
}

HttpPage Dashboard::Data(const std::string& query) {
  const SeenByPage seen = ParseSeen(query);
  const v1::GetProgressReply news = options_.look(seen.events);
  MutexLock lock(mutex_);
  return {"application/json", DashboardJson(view_, news, samples_, seen)};
}

}  // namespace convoy
