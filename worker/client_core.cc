#include "worker/client_core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace convoy {

ClientCore::ClientCore(Options options)
    : options_(std::move(options)), servers_(options_.servers.size()) {
  for (size_t i = 0; i < servers_.size(); ++i) {
    servers_[i].name = absl::StrCat("server ", i, " at ", options_.servers[i]);
    servers_[i].backoff = options_.first_backoff;
  }
}

void ClientCore::Start(absl::Time now, Actions* actions) {
  for (uint32_t i = 0; i < servers_.size(); ++i) {
    servers_[i].session = options_.first_session;
    servers_[i].down_since = now;
    actions->push_back({Action::Kind::kOpen, i, nullptr, {}});
  }
}

uint64_t ClientCore::Submit(uint32_t server, ExchangeRequest&& request, absl::Time now,
                            Actions* actions) {
  request.job_id = options_.job_id;
  request.generation = options_.generation;
  request.worker = options_.worker;
  request.request_id = next_request_++;
  const uint64_t id = request.request_id;
  servers_[server].items.push_back({std::make_shared<ExchangeRequest>(std::move(request))});
  Flush(server, now, actions);
  return id;
}

bool ClientCore::MaySend(const Server& server, const ExchangeRequest& request) const {
  if (!request.has_push()) return true;
  if (options_.mode.rounds()) {
    return std::all_of(servers_.begin(), servers_.end(),
                       [&](const Server& other) { return other.applied >= request.step; });
  }
  return server.bytes_in_flight == 0 ||
         server.bytes_in_flight + request.payload_bytes() <= options_.in_flight_bytes;
}

void ClientCore::Flush(uint32_t index, absl::Time now, Actions* actions) {
  Server& server = servers_[index];
  if (!server.connected || server.too_early > 0) return;
  // Sent items stand before unsent ones.
  auto item = std::find_if(server.items.rbegin(), server.items.rend(), [](const Item& i) {
                return i.sent;
              }).base();
  for (; item != server.items.end() && MaySend(server, *item->request); ++item) {
    item->since = now;
    server.bytes_in_flight += item->request->payload_bytes();
    Send(index, *item, actions);
  }
}

void ClientCore::SetTooEarly(bool too_early, Server& server, Item& item) {
  if (item.too_early) --server.too_early;
  if (too_early) ++server.too_early;
  item.too_early = too_early;
}

void ClientCore::FlushAll(absl::Time now, Actions* actions) {
  for (uint32_t i = 0; i < servers_.size(); ++i) Flush(i, now, actions);
}

void ClientCore::Send(uint32_t server, Item& item, Actions* actions) {
  item.sent = true;
  item.retry_at = absl::InfiniteFuture();
  item.request->session = servers_[server].session;
  Action& send = actions->emplace_back();
  send.kind = Action::Kind::kSend;
  send.server = server;
  send.request = item.request;
}

void ClientCore::OnOpened(uint32_t index, absl::Time now, Actions* actions) {
  Server& server = servers_[index];
  server.connected = true;
  server.down_since = absl::InfiniteFuture();
  server.backoff = options_.first_backoff;
  for (Item& item : server.items) {
    SetTooEarly(false, server, item);
    if (item.sent) Send(index, item, actions);
  }
  Flush(index, now, actions);
}

void ClientCore::OnClosed(uint32_t index, const absl::Status& why, absl::Time now) {
  Server& server = servers_[index];
  if (server.connected) server.down_since = now;
  server.connected = false;
  server.why = why;
  server.reopen_at = now + server.backoff;
  server.backoff = std::min(2 * server.backoff, options_.last_backoff);
}

absl::Status ClientCore::OnReply(uint32_t index, ExchangeReply&& reply, absl::Time now,
                                 Actions* actions) {
  Server& server = servers_[index];
  const auto item = std::find_if(server.items.begin(), server.items.end(), [&](const Item& i) {
    return i.request->request_id == reply.request_id;
  });
  if (reply.retry_later || reply.code == absl::StatusCode::kUnavailable) {
    if (item == server.items.end()) return absl::OkStatus();
    item->retry_at = now + options_.retry_delay;
    item->said = std::move(reply.message);
    SetTooEarly(!reply.retry_later, server, *item);
    if (item->too_early) item->since = now;  // it lives, and loads
    return absl::OkStatus();
  }
  if (reply.code != absl::StatusCode::kOk) return Refused(server, reply);
  if (item == server.items.end()) return absl::OkStatus();  // answered before

  if (item->request->pull_applied && item->request->pull_version != kNewestVersion) {
    server.applied = std::max({server.applied, item->request->pull_version, reply.applied_step});
  }
  server.bytes_in_flight -= item->request->payload_bytes();
  SetTooEarly(false, server, *item);
  Action& complete = actions->emplace_back();
  complete.kind = Action::Kind::kComplete;
  complete.server = index;
  complete.request = std::move(item->request);
  complete.reply = std::move(reply);
  server.items.erase(item);
  FlushAll(now, actions);
  return absl::OkStatus();
}

absl::Status ClientCore::Refused(const Server& server, const ExchangeReply& reply) const {
  return absl::Status(reply.code, absl::StrCat(server.name, ": ", reply.message));
}

absl::Status ClientCore::Tick(absl::Time now, Actions* actions) {
  for (uint32_t i = 0; i < servers_.size(); ++i) {
    Server& server = servers_[i];
    if (!server.connected) {
      if (now - server.down_since >= options_.give_up_after) {
        return absl::UnavailableError(absl::StrCat(
            "worker ", options_.worker, " cannot reach ", server.name, " for ",
            absl::FormatDuration(absl::Trunc(now - server.down_since, absl::Milliseconds(100))),
            ": ", std::string(server.why.message())));
      }
      if (server.reopen_at <= now) {
        server.reopen_at = absl::InfiniteFuture();
        ++server.session;
        actions->push_back({Action::Kind::kOpen, i, nullptr, {}});
      }
      continue;
    }
    for (Item& item : server.items) {
      if (item.retry_at <= now) Send(i, item, actions);
    }
    if (!server.items.empty() && now - server.items.front().since >= options_.answer_timeout) {
      const Item& item = server.items.front();
      return absl::DeadlineExceededError(
          absl::StrCat(server.name, " has not answered request ", item.request->request_id, " for ",
                       absl::FormatDuration(options_.answer_timeout),
                       item.said.empty() ? "" : "; it last said: ", item.said,
                       server.why.ok() ? "" : "; the last stream to it ended with: ",
                       std::string(server.why.message())));
    }
  }
  return absl::OkStatus();
}

absl::Time ClientCore::NextDeadline() const {
  absl::Time next = absl::InfiniteFuture();
  for (const Server& server : servers_) {
    if (!server.connected) {
      next = std::min({next, server.reopen_at, server.down_since + options_.give_up_after});
      continue;
    }
    for (const Item& item : server.items) next = std::min(next, item.retry_at);
    if (!server.items.empty())
      next = std::min(next, server.items.front().since + options_.answer_timeout);
  }
  return next;
}

bool ClientCore::idle() const {
  return std::all_of(servers_.begin(), servers_.end(),
                     [](const Server& s) { return s.items.empty(); });
}

bool ClientCore::connected() const {
  return std::all_of(servers_.begin(), servers_.end(), [](const Server& s) { return s.connected; });
}

uint64_t ClientCore::applied_step() const {
  uint64_t step = ~uint64_t{0};
  for (const Server& server : servers_) step = std::min(step, server.applied);
  return step;
}

}  // namespace convoy
