// The servers and workers of the job: who may join as what, and whether a request comes from who it
// says it comes from.
//
//   free --Register--> joining --Ready--> live --last step--> finished
//                         |                |  ^
//                  silent, or died         |  | heard of again, before another one has come
//                         |                v  |
//                         +-------------> lost --Register--> joining, with the next incarnation
//
// Each life of a process is an incarnation; requests of an earlier one than the newest of its rank
// are refused. Whether the job waits for another one in the place of one that is lost, or fails, is
// decided in core_losses.cc.
#ifndef CONVOY_LAUNCHER_COORDINATOR_MEMBERSHIP_H_
#define CONVOY_LAUNCHER_COORDINATOR_MEMBERSHIP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "launcher/coordinator/process.h"
#include "proto/coordinator.pb.h"

namespace convoy {

class Membership {
 public:
  // `start`: when the coordinator began to wait for processes.
  Membership(uint64_t job_id, uint32_t servers, uint32_t workers, absl::Time start);

  // A process joins, takes the place of one that was lost, or repeats its request (same nonce). An
  // empty build id is that of a client in another language: it may join, whatever the others are.
  // InvalidArgument: role, rank, address or an endless text. FailedPrecondition: the rank is taken,
  // or the program is another build. ResourceExhausted: all processes of the role have registered.
  absl::StatusOr<const Process*> Register(const v1::RegisterRequest& request, absl::Time now);

  // The process that a request comes from; it counts as heard of, and not as lost any more unless
  // it has died. InvalidArgument: role or rank. FailedPrecondition: another job, or never
  // registered. Aborted: another incarnation.
  absl::StatusOr<Process*> Find(const v1::Identity& identity, absl::Time now);

  // The process of a slot counts as lost from `now` on. `died`: it does not come back.
  void Lose(size_t index, std::string_view why, bool died, absl::Time now);

  // The workers are to register anew: there will be so many, and none is there yet. Each place
  // counts as that of one that was lost. `in_order`: see Process.
  void Divide(uint32_t workers, bool in_order, absl::Time now);
  // A worker of before the last Divide.
  bool IsDividedAnew(const v1::Identity& identity) const {
    return identity.role() == v1::WORKER && identity.job_id() == job_id_ &&
           identity.incarnation() > 0 && identity.incarnation() <= divided_;
  }
  // The request comes from such a worker.
  bool WasHereBefore(const v1::RegisterRequest& request) const {
    const auto before = divided_processes_.find({request.host(), request.pid()});
    return before != divided_processes_.end() && !before->second.died;
  }
  // Likewise by its process, unless that has registered since. `was_lost`: before the Divide, or
  // given up since.
  struct Before {
    uint32_t rank = 0;
    bool was_lost = false;
    bool died = false;  // somebody has said so
    std::string lost = {};
  };
  std::optional<Before> BeforeDivision(uint64_t pid) const;
  // The process of BeforeDivision does not come back.
  void NoteDeathOf(uint64_t pid);
  // A worker of before the last Divide lives, but has not registered yet.
  void NoteOldOneLives(absl::Time now);
  // Nobody waits any more for workers of before the last Divide that have not registered.
  void GiveUpOldOnes();
  // Workers of before the last Divide that may still register.
  uint32_t OldOnesToCome() const;
  // Those that were lost before it, or given up, and are not known to have died.
  std::vector<v1::ProcessInfo> LostOldOnes() const;
  // Places that are still empty since the last Divide.
  uint32_t EmptyPlaces() const;
  bool SomebodyIsToCome() const { return EmptyPlaces() > 0; }

  uint32_t servers() const { return servers_; }
  uint32_t workers() const { return static_cast<uint32_t>(slots_.size()) - servers_; }
  // nullptr: not registered. Servers come first, then workers, by rank.
  const Process* slot(size_t index) const { return slots_[index] ? &*slots_[index] : nullptr; }
  Process* slot(size_t index) { return slots_[index] ? &*slots_[index] : nullptr; }
  size_t IndexOf(const Process& process) const {
    return Begin(process.identity.role()) + process.identity.rank();
  }
  // nullptr: there is no such process, or it has not registered.
  Process* FindRank(v1::Role role, uint32_t rank);
  size_t slots() const { return slots_.size(); }
  // Name of the process of a slot, whether it is there or not.
  std::string SlotName(size_t index) const;
  const Process* worker(uint32_t rank) const { return slot(servers_ + rank); }
  Process* worker(uint32_t rank) { return slot(servers_ + rank); }
  const Process* server(uint32_t rank) const { return slot(rank); }

  // Whether `condition` is true of every process of the role; false if one is not registered.
  bool All(v1::Role role, const std::function<bool(const Process&)>& condition) const;
  bool AllReady() const;
  // Registered processes of the role on `host`.
  uint32_t CountOn(std::string_view host, v1::Role role) const;
  // The last time that somebody registered, or `start`.
  absl::Time last_registration() const { return last_registration_; }

 private:
  using Slots = std::vector<std::optional<Process>>;
  using HostAndPid = std::pair<std::string, uint64_t>;

  size_t Begin(v1::Role role) const { return role == v1::SERVER ? 0 : servers_; }
  size_t Count(v1::Role role) const { return role == v1::SERVER ? servers_ : workers(); }
  bool IsFree(size_t index) const {
    return !slots_[index] || (!slots_[index]->lost.empty() && !slots_[index]->finished);
  }
  // A worker with that host and pid is in its place.
  bool IsRegistered(const HostAndPid& who) const;
  const Process* FindNonce(const v1::RegisterRequest& request) const;
  absl::Status CheckBuild(const v1::RegisterRequest& request) const;
  absl::StatusOr<uint32_t> ChooseRank(const v1::RegisterRequest& request) const;

  const uint64_t job_id_;
  const uint32_t servers_;
  Slots slots_;
  uint64_t incarnations_ = 0;
  uint64_t divided_ = 0;  // incarnations until the last Divide
  // Workers then; also those of earlier times that were lost, or had not come yet.
  std::map<HostAndPid, Before> divided_processes_;
  std::optional<size_t> first_;  // slot of the process with a build id that registered first
  absl::Time last_registration_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_MEMBERSHIP_H_
