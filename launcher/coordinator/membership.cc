#include "launcher/coordinator/membership.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/status.h"

namespace convoy {
namespace {

std::string Plural(size_t count, v1::Role role) {
  return absl::StrCat(count, role == v1::SERVER ? " server" : " worker", count == 1 ? "" : "s");
}

bool IsRole(v1::Role role) { return role == v1::SERVER || role == v1::WORKER; }

absl::Status UnknownRole(v1::Role role) {
  return absl::InvalidArgumentError(
      absl::StrCat("role: got ", static_cast<int>(role), ", want SERVER (1) or WORKER (2)"));
}

absl::Status CheckTexts(const v1::RegisterRequest& request) {
  constexpr size_t kMaxBytes = 512;
  for (const auto* text :
       {&request.address(), &request.host(), &request.build_id(), &request.instruction_set()}) {
    if (text->size() > kMaxBytes) {
      return absl::InvalidArgumentError(absl::StrCat("registration: got a text of ", text->size(),
                                                     " bytes, at most ", kMaxBytes,
                                                     " are allowed"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

Membership::Membership(uint64_t job_id, uint32_t servers, uint32_t workers, absl::Time start)
    : job_id_(job_id),
      servers_(servers),
      slots_(size_t{servers} + workers),
      last_registration_(start) {}

absl::StatusOr<const Process*> Membership::Register(const v1::RegisterRequest& request,
                                                    absl::Time now) {
  if (!IsRole(request.role())) return UnknownRole(request.role());
  if (request.role() == v1::SERVER && request.address().empty()) {
    return absl::InvalidArgumentError("a server must register with its address, host:port");
  }
  CONVOY_RETURN_IF_ERROR(CheckTexts(request));
  if (const Process* same = FindNonce(request)) return same;
  CONVOY_RETURN_IF_ERROR(CheckBuild(request));
  CONVOY_ASSIGN_OR_RETURN(const uint32_t rank, ChooseRank(request));
  const size_t index = Begin(request.role()) + rank;
  Process process;
  if (slots_[index]) {
    Process& before = *slots_[index];
    if (request.build_id().empty() && !before.registration.build_id().empty()) {
      return absl::FailedPreconditionError(absl::StrCat(
          before.name(), " was a Convoy program, a client in another language can't replace it"));
    }
    process.rejoins = true;
    process.divided = before.identity.incarnation() == 0;
    process.in_order = process.divided && before.in_order;
    process.setup = std::move(before.setup);
    process.step = process.steps_before = before.step;
    process.stepped = before.stepped;
  }
  process.registration = request;
  process.identity.set_role(request.role());
  process.identity.set_rank(rank);
  process.identity.set_incarnation(++incarnations_);
  process.identity.set_job_id(job_id_);
  process.registered = process.heard = process.active = now;
  last_registration_ = now;
  if (!first_ && !request.build_id().empty()) first_ = index;
  return &slots_[index].emplace(std::move(process));
}

void Membership::Lose(size_t index, std::string_view why, bool died, absl::Time now) {
  Process& process = *slots_[index];
  process.is_gone = process.is_gone || died;
  if (!process.lost.empty()) return;
  process.lost = why;
  process.lost_at = now;
}

void Membership::Divide(uint32_t workers, bool in_order, absl::Time now) {
  const Process first = *worker(0);
  divided_ = incarnations_;
  // Those that found no empty place any more have left.
  std::erase_if(divided_processes_, [waits = SomebodyIsToCome()](const auto& entry) {
    return !waits && !entry.second.was_lost;
  });
  for (uint32_t rank = 0; rank < this->workers(); ++rank) {
    const Process& process = *worker(rank);
    const HostAndPid who(process.registration.host(), process.registration.pid());
    if (who.second == 0) continue;
    divided_processes_[who] = {rank, !process.lost.empty(), process.is_gone, process.lost};
  }
  slots_.resize(size_t{servers_} + workers);
  for (uint32_t rank = 0; rank < workers; ++rank) {
    Process place;
    place.identity.set_role(v1::WORKER);
    place.identity.set_rank(rank);
    place.identity.set_job_id(job_id_);
    place.registration.set_build_id(first.registration.build_id());
    place.registration.set_instruction_set(first.registration.instruction_set());
    place.registration.set_host(first.registration.host());
    place.setup = first.setup;
    place.divided = true;
    place.in_order = in_order;
    place.lost = absl::StrCat(place.name(), " has not come since the workers were divided anew");
    place.lost_at = place.heard = place.active = place.registered = now;
    place.is_gone = true;
    slots_[size_t{servers_} + rank] = std::move(place);
  }
  if (first_ && *first_ >= servers_) first_ = servers_;
}

std::optional<Membership::Before> Membership::BeforeDivision(uint64_t pid) const {
  if (pid == 0) return std::nullopt;
  for (uint32_t rank = 0; rank < workers(); ++rank) {
    if (worker(rank) != nullptr && worker(rank)->registration.pid() == pid) return std::nullopt;
  }
  for (const auto& [who, before] : divided_processes_) {
    if (who.second == pid) return before;
  }
  return std::nullopt;
}

void Membership::NoteDeathOf(uint64_t pid) {
  for (auto& [who, before] : divided_processes_) {
    if (who.second == pid) before.died = true;
  }
}

void Membership::NoteOldOneLives(absl::Time now) {
  for (uint32_t rank = 0; rank < workers(); ++rank) {
    if (worker(rank)->identity.incarnation() == 0) worker(rank)->heard = now;
  }
}

void Membership::GiveUpOldOnes() {
  for (auto& [who, before] : divided_processes_) {
    if (before.was_lost || IsRegistered(who)) continue;
    before.was_lost = true;
    before.lost = absl::StrCat(ProcessName(v1::WORKER, before.rank),
                               " has not come since the workers were divided anew");
  }
}

uint32_t Membership::OldOnesToCome() const {
  return static_cast<uint32_t>(std::ranges::count_if(divided_processes_, [&](const auto& entry) {
    return !entry.second.was_lost && !entry.second.died && !IsRegistered(entry.first);
  }));
}

std::vector<v1::ProcessInfo> Membership::LostOldOnes() const {
  std::vector<v1::ProcessInfo> lost;
  for (const auto& [who, before] : divided_processes_) {
    if (!before.was_lost || before.died || IsRegistered(who)) continue;
    v1::ProcessInfo& info = lost.emplace_back();
    info.set_role(v1::WORKER);
    info.set_rank(before.rank);
    info.set_host(who.first);
    info.set_pid(who.second);
    info.set_lost(before.lost);
  }
  return lost;
}

bool Membership::IsRegistered(const HostAndPid& who) const {
  for (size_t i = servers_; i < slots_.size(); ++i) {
    if (!slots_[i] || slots_[i]->identity.incarnation() == 0) continue;
    const v1::RegisterRequest& registration = slots_[i]->registration;
    if (registration.pid() == who.second && registration.host() == who.first) return true;
  }
  return false;
}

uint32_t Membership::EmptyPlaces() const {
  return static_cast<uint32_t>(
      std::ranges::count_if(slots_, [](const std::optional<Process>& process) {
        return process && process->identity.incarnation() == 0;
      }));
}

Process* Membership::FindRank(v1::Role role, uint32_t rank) {
  return IsRole(role) && rank < Count(role) ? slot(Begin(role) + rank) : nullptr;
}

const Process* Membership::FindNonce(const v1::RegisterRequest& request) const {
  if (request.nonce() == 0) return nullptr;
  for (size_t i = Begin(request.role()); i < Begin(request.role()) + Count(request.role()); ++i) {
    if (slots_[i] && slots_[i]->registration.nonce() == request.nonce()) return &*slots_[i];
  }
  return nullptr;
}

absl::Status Membership::CheckBuild(const v1::RegisterRequest& request) const {
  if (request.build_id().empty() || !first_) return absl::OkStatus();
  const Process& first = *slots_[*first_];
  const v1::RegisterRequest& want = first.registration;
  if (request.build_id() == want.build_id() &&
      request.instruction_set() == want.instruction_set()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrFormat(
      "this process is build \"%s\" for %s, but %s, the first of the job, is build \"%s\" for %s: "
      "start all processes from the same program",
      request.build_id(), request.instruction_set(), first.name(), want.build_id(),
      want.instruction_set()));
}

absl::StatusOr<uint32_t> Membership::ChooseRank(const v1::RegisterRequest& request) const {
  const size_t begin = Begin(request.role()), count = Count(request.role());
  std::optional<uint32_t> free;
  for (size_t rank = count; rank-- > 0;) {
    if (!IsFree(begin + rank)) continue;
    // After a division those that were there before come for their ranks.
    if (!free || divided_ == 0) free = static_cast<uint32_t>(rank);
  }
  const int64_t wanted = request.wanted_rank();
  if (wanted >= static_cast<int64_t>(count)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: the job has %s, ranks from 0 to %d",
                        ProcessName(request.role(), static_cast<uint32_t>(wanted)),
                        Plural(count, request.role()), static_cast<int64_t>(count) - 1));
  }
  if (!free) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the job has ", Plural(count, request.role()), ", all have registered"));
  }
  if (wanted < 0) return *free;
  if (const size_t index = begin + static_cast<size_t>(wanted); !IsFree(index)) {
    const std::optional<Process>& holder = slots_[index];
    return absl::FailedPreconditionError(absl::StrFormat(
        "%s is already there: process %d on %s, incarnation %d", holder->name(),
        holder->registration.pid(), holder->registration.host(), holder->identity.incarnation()));
  }
  return static_cast<uint32_t>(wanted);
}

absl::StatusOr<Process*> Membership::Find(const v1::Identity& identity, absl::Time now) {
  if (!IsRole(identity.role())) return UnknownRole(identity.role());
  if (identity.rank() >= Count(identity.role())) {
    return absl::InvalidArgumentError(
        absl::StrCat("rank: got ", identity.rank(), ", but the job has ",
                     Plural(Count(identity.role()), identity.role())));
  }
  auto& slot = slots_[Begin(identity.role()) + identity.rank()];
  const std::string name = ProcessName(identity.role(), identity.rank());
  if (identity.job_id() != job_id_) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "request of %s of job %016x, but this coordinator runs job %016x: the process belongs to "
        "another job and should leave",
        name, identity.job_id(), job_id_));
  }
  if (!slot) return absl::FailedPreconditionError(absl::StrCat(name, " has not registered"));
  if (slot->identity.incarnation() != identity.incarnation()) {
    return absl::AbortedError(absl::StrFormat(
        "%s was lost and another process has taken its place: got incarnation %d, want %d; this "
        "one should leave",
        name, identity.incarnation(), slot->identity.incarnation()));
  }
  if (slot->is_gone) {
    return absl::AbortedError(absl::StrCat(name, " is said to have died: ", slot->lost));
  }
  slot->lost.clear();
  slot->heard = now;
  return &*slot;
}

std::string Membership::SlotName(size_t index) const {
  return index < servers_ ? ProcessName(v1::SERVER, static_cast<uint32_t>(index))
                          : ProcessName(v1::WORKER, static_cast<uint32_t>(index - servers_));
}

bool Membership::All(v1::Role role, const std::function<bool(const Process&)>& condition) const {
  for (size_t i = Begin(role); i < Begin(role) + Count(role); ++i) {
    if (!slots_[i] || !condition(*slots_[i])) return false;
  }
  return true;
}

bool Membership::AllReady() const {
  const auto ready = [](const Process& process) { return process.ready; };
  return All(v1::SERVER, ready) && All(v1::WORKER, ready);
}

uint32_t Membership::CountOn(std::string_view host, v1::Role role) const {
  uint32_t count = 0;
  for (const std::optional<Process>& process : slots_) {
    if (!process || process->identity.role() != role) continue;
    count += process->registration.host() == host ? 1 : 0;
  }
  return count;
}

}  // namespace convoy
