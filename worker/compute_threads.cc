#include "worker/compute_threads.h"

#include <pthread.h>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/models/exceptions.h"

namespace convoy {

absl::StatusOr<std::unique_ptr<ComputeThreads>> ComputeThreads::Start(size_t count) {
  auto threads = std::unique_ptr<ComputeThreads>(new ComputeThreads(count));
  const absl::Status started = WithoutExceptions([&] {
    for (size_t part = 1; part < count; ++part) {
      threads->threads_.emplace_back([team = threads.get(), part] { team->Serve(part); });
    }
    return absl::OkStatus();
  });
  if (started.ok()) return threads;
  return absl::ResourceExhaustedError(
      absl::StrCat("cannot start ", count, " threads to compute with (",
                   std::string(started.message()), "); lower cluster.threads_per_worker"));
}

ComputeThreads::~ComputeThreads() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    begun_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

absl::Status ComputeThreads::Run(size_t parts, const Work& work) {
  if (parts > 1) {
    MutexLock lock(mutex_);
    parts_ = parts;
    work_ = &work;
    running_ = parts - 1;
    ++round_;
    begun_.NotifyAll();
  }
  if (parts > 0) results_[0] = WithoutExceptions([&] { return work(0); });
  {
    MutexLock lock(mutex_);
    while (running_ > 0) done_.Wait(mutex_);
  }
  for (size_t part = 0; part < parts; ++part) CONVOY_RETURN_IF_ERROR(results_[part]);
  return absl::OkStatus();
}

uint64_t ComputeThreads::NextRound(uint64_t seen, size_t* parts, const Work** work) {
  MutexLock lock(mutex_);
  while (round_ == seen && !stopping_) begun_.Wait(mutex_);
  *parts = parts_;
  *work = work_;
  return stopping_ ? 0 : round_;
}

void ComputeThreads::Serve(size_t part) {
  pthread_setname_np(pthread_self(), absl::StrCat("compute-", part).c_str());
  size_t parts = 0;
  const Work* work = nullptr;
  for (uint64_t round = 0; (round = NextRound(round, &parts, &work)) != 0;) {
    if (part >= parts) continue;
    results_[part] = WithoutExceptions([&] { return (*work)(part); });
    MutexLock lock(mutex_);
    if (--running_ == 0) done_.NotifyOne();
  }
}

}  // namespace convoy
