// The threads of CoordinatorService: time goes by, the journal gets to the disk, lines of
// events.jsonl go out, weights and checkpoints are saved.
#include <pthread.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "launcher/coordinator/coordinator_service_impl.h"
#include "launcher/coordinator/journal.h"

namespace convoy {

void CoordinatorService::Impl::WakeLocked() {
  if (stopping_ || core_->NextDeadline() < awake_at_) time_may_go_by_.NotifyOne();
  if (stopping_ || core_->to_sync() != 0 || !held_.empty()) may_sync_.NotifyOne();
  if (stopping_ || !events_.empty()) may_deliver_.NotifyOne();
  if (stopping_ || (!to_save_.empty() && core_->to_sync() == 0)) may_save_.NotifyOne();
  if (ended_) may_be_done_.NotifyAll();
}

void CoordinatorService::Impl::RunTicker() {
  pthread_setname_np(pthread_self(), "coord-ticker");
  for (;;) {
    Finished finished, late;
    {
      MutexLock lock(mutex_);
      if (!stopping_) SleepLocked();
      if (stopping_) return;
      const absl::Time now = options_.clock->Now();
      if (core_->NextDeadline() <= now) finished = ApplyLocked(core_->Tick(now));
      late = held_.TakeLate(SteadyNow());
      if (held_.SyncingFor(SteadyNow()) >= kSlowSync) {
        for (auto& answered : ApplyLocked(core_->NoteSlowDisk(now)))
          finished.push_back(std::move(answered));
      }
    }
    DeliverNow(std::move(late));
    Deliver(std::move(finished));
  }
}

void CoordinatorService::Impl::SleepLocked() {
  const absl::Time now = options_.clock->Now();
  const absl::Duration until = core_->NextDeadline() - now;
  if (until <= absl::ZeroDuration()) return;
  const absl::Time asleep = SteadyNow();
  // A sync of the journal may begin at any time, and becomes late.
  const absl::Duration late = std::max(held_.deadline() - SteadyNow(), absl::ZeroDuration());
  const absl::Duration sleep = std::min({until, late, held_.patience() / 4});
  awake_at_ = now + sleep;
  time_may_go_by_.WaitFor(mutex_, sleep);
  awake_at_ = absl::InfinitePast();
  // A process that was stopped finds its deadlines gone by and the signs of life not yet read.
  if (SteadyNow() - asleep > sleep + core_->core().lost_after() / 3) {
    core_->OnOverslept(options_.clock->Now());
  }
}

// What the coordinator decided is on the disk before anybody hears of it, but for a disk that takes
// its time (held_answers.h).
void CoordinatorService::Impl::RunSyncer() {
  pthread_setname_np(pthread_self(), "coord-journal");
  for (;;) {
    std::shared_ptr<const Journal> journal;
    uint64_t size = 0;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && core_->to_sync() == 0 && held_.empty()) may_sync_.Wait(mutex_);
      if (core_->to_sync() == 0 && held_.empty()) return;
      held_.SyncBegins(SteadyNow());
      journal = core_->journal();
      if (journal != nullptr) size = journal->size();
    }
    const absl::Status synced = journal != nullptr ? journal->Sync() : absl::OkStatus();
    Finished finished;
    {
      MutexLock lock(mutex_);
      if (journal != nullptr) core_->OnSynced(synced, size, options_.clock->Now());
      finished = held_.SyncEnded();
      WakeLocked();
    }
    DeliverNow(std::move(finished));
  }
}

// A thread of its own: a screen that stands still (Ctrl-S, a full pipe) holds up nothing else.
void CoordinatorService::Impl::RunEvents() {
  pthread_setname_np(pthread_self(), "coord-events");
  for (;;) {
    std::deque<std::string> lines;
    {
      MutexLock lock(mutex_);
      delivering_ = false;
      if (ended_) may_be_done_.NotifyAll();
      while (!stopping_ && events_.empty()) may_deliver_.Wait(mutex_);
      if (events_.empty()) return;
      lines.swap(events_);
      delivering_ = true;
    }
    for (const std::string& line : lines) options_.on_event(line);
  }
}

void CoordinatorService::Impl::RunSaver() {
  pthread_setname_np(pthread_self(), "coord-save");
  while (const std::optional<Saving> saving = AwaitSaving()) Save(*saving);
}

std::optional<CoordinatorService::Impl::Saving> CoordinatorService::Impl::AwaitSaving() {
  MutexLock lock(mutex_);
  while (!stopping_ && (to_save_.empty() || core_->to_sync() != 0)) may_save_.Wait(mutex_);
  if (stopping_) return std::nullopt;
  Saving saving = std::move(to_save_.front());
  to_save_.pop_front();
  return saving;
}

void CoordinatorService::Impl::Save(const Saving& saving) {
  if (!saving.discard.empty()) {
    // A server may still be writing there: what is left goes when the job goes on.
    std::error_code ignored;
    std::filesystem::remove_all(saving.discard, ignored);
    return;
  }
  const absl::Status status = saving.model ? options_.save_model(*saving.model, saving.model_from)
                                           : options_.commit_checkpoint(saving.checkpoint->manifest,
                                                                        saving.checkpoint->folder);
  Finished finished;
  {
    MutexLock lock(mutex_);
    const absl::Time now = options_.clock->Now();
    finished = ApplyLocked(saving.model ? core_->OnModelSaved(status, now)
                                        : core_->OnCheckpointCommitted(status, now));
  }
  Deliver(std::move(finished));
}

}  // namespace convoy
