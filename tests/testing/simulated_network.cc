#include "tests/testing/simulated_network.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace convoy::testing {

struct SimulatedNetwork::Stream {
  uint64_t id;
  uint64_t process;
  uint32_t server;
  bool client_open = true;  // the client end
  bool server_open = true;
  bool loses_up = false, loses_down = false;  // nothing arrives any more
  absl::Time last_up = absl::InfinitePast(), last_down = absl::InfinitePast();
};

void SimulatedNetwork::Open(uint64_t process, uint32_t server) {
  auto stream = std::make_shared<Stream>(Stream{streams_.size() + 1, process, server});
  streams_.push_back(stream);
  newest_[{process, server}] = stream;
  MaybeCut();
  events_.After(events_.RandomDelay(), [this, stream] { TryToOpen(stream); });
}

void SimulatedNetwork::TryToOpen(const StreamPtr& stream) {
  if (!stream->client_open) return;
  const Cut* const cut = CutBetween(*stream, Direction::kBoth);
  if (cut != nullptr && !cut->loses) {
    const absl::Duration rest = cut->until - events_.now();
    return events_.After(rest + events_.RandomDelay(), [this, stream] { TryToOpen(stream); });
  }
  if (cut != nullptr || !ends_.is_up(stream->server)) {
    stream->server_open = false;
    return CloseClient(stream);
  }
  ends_.log(absl::StrCat("process ", stream->process, " opens stream ", stream->id, " to server ",
                         stream->server));
  ends_.opened(stream->process, stream->server);
}

void SimulatedNetwork::Send(uint64_t process, uint32_t server, const ExchangeRequest& request) {
  const StreamPtr stream = newest_.at({process, server});
  if (!stream->client_open) return;
  const std::string bytes = Encode(request).ToString();
  MaybeCut();
  stream->last_up = ArrivalOf(stream, Direction::kUp, stream->last_up);
  if (stream->last_up == absl::InfiniteFuture()) return;
  events_.After(stream->last_up - events_.now(), [this, stream, bytes] {
    if (!stream->server_open) return;
    const absl::StatusOr<ExchangeRequest> decoded = DecodeRequest(Shred(bytes));
    if (!decoded.ok()) return ends_.fail(decoded.status());
    ends_.request(stream->id, stream->server, *decoded);
  });
  if (events_.Chance(options_.stream_loss)) Break(stream);
}

void SimulatedNetwork::Reply(uint64_t number, const ExchangeReply& reply) {
  const StreamPtr stream = streams_[number - 1];
  if (!stream->server_open) return;
  MaybeCut();
  stream->last_down = ArrivalOf(stream, Direction::kDown, stream->last_down);
  if (stream->last_down == absl::InfiniteFuture()) return;
  // The reply refers to the server's buffers until it is encoded here, some time later.
  events_.After(stream->last_down - events_.now(), [this, stream, reply] {
    if (!stream->client_open) return;
    const absl::StatusOr<ExchangeReply> decoded = DecodeReply(Shred(Encode(reply).ToString()));
    if (!decoded.ok()) return ends_.fail(decoded.status());
    ends_.reply(stream->process, stream->server, *decoded);
  });
  if (events_.Chance(options_.stream_loss)) Break(stream);
}

absl::Time SimulatedNetwork::ArrivalOf(const StreamPtr& stream, Direction direction,
                                       absl::Time last) {
  const bool is_lost = direction == Direction::kUp ? stream->loses_up : stream->loses_down;
  if (is_lost) return absl::InfiniteFuture();
  const absl::Time arrival = std::max(last, events_.now() + events_.RandomDelay());
  const Cut* const cut = CutBetween(*stream, direction);
  if (cut == nullptr) return arrival;
  if (!cut->loses) return std::max(arrival, cut->until + events_.RandomDelay());
  (direction == Direction::kUp ? stream->loses_up : stream->loses_down) = true;
  Break(stream);
  return absl::InfiniteFuture();
}

const SimulatedNetwork::Cut* SimulatedNetwork::CutBetween(const Stream& stream,
                                                          Direction direction) const {
  const Cut* last = nullptr;
  for (const Cut& cut : cuts_) {
    const bool is_meant =
        cut.until > events_.now() && (cut.process == 0 || cut.process == stream.process) &&
        cut.servers.contains(stream.server) &&
        (direction == Direction::kBoth || (direction == Direction::kUp ? cut.up : cut.down));
    if (is_meant && (last == nullptr || cut.until > last->until)) last = &cut;
  }
  return last;
}

void SimulatedNetwork::MaybeCut() {
  if (options_.partition == 0 || !events_.Chance(options_.partition)) return;
  const std::vector<uint64_t> clients = ends_.clients();
  const bool one_worker = !clients.empty() && events_.Random(3) > 0;
  Partition(one_worker ? clients[events_.Random(clients.size())] : 0);
}

void SimulatedNetwork::Partition(uint64_t process) {
  const bool one_worker = process != 0;
  Cut cut;
  cut.process = process;
  const auto first = static_cast<uint32_t>(events_.Random(options_.servers));
  const uint32_t most = one_worker ? options_.servers : std::max(1u, (options_.servers - 1) / 2);
  const uint64_t count = 1 + events_.Random(most);
  for (uint32_t i = 0; i < count; ++i) cut.servers.insert((first + i) % options_.servers);
  const uint64_t directions = events_.Random(4);
  cut.up = directions != 0;
  cut.down = directions != 1;
  cut.loses = events_.Chance(0.5);
  cut.until = events_.now() + (events_.Chance(0.2) ? 20 : 3) * events_.RandomDelay();
  cuts_.push_back(cut);
  ends_.log(absl::StrCat("a partition: process ", process, ", servers ",
                         absl::StrJoin(cut.servers, ", "), cut.up ? ", up" : "",
                         cut.down ? ", down" : "", cut.loses ? ", streams break" : "", ", for ",
                         absl::FormatDuration(cut.until - events_.now())));
  if (one_worker) ends_.cut_off(process);
}

// The client notices after a while; the server may go on reading what was under way, also after the
// client has opened another stream.
void SimulatedNetwork::Break(const StreamPtr& stream) {
  events_.After(events_.RandomDelay(), [this, stream] { CloseClient(stream); });
  events_.After(events_.RandomDelay() * (events_.Chance(0.3) ? 20 : 1),
                [this, stream] { CloseServer(stream); });
}

void SimulatedNetwork::CloseClient(const StreamPtr& stream) {
  if (!stream->client_open) return;
  stream->client_open = false;
  ++streams_lost_;
  ends_.log(absl::StrCat("stream ", stream->id, " breaks"));
  ends_.closed(stream->process, stream->server);
}

void SimulatedNetwork::CloseServer(const StreamPtr& stream) {
  if (!stream->server_open) return;
  stream->server_open = false;
  ends_.server_closed(stream->id, stream->server);
}

void SimulatedNetwork::EndProcess(uint64_t process) {
  for (uint32_t server = 0; server < options_.servers; ++server) {
    const auto stream = newest_.find({process, server});
    if (stream != newest_.end()) Break(stream->second);
  }
}

void SimulatedNetwork::EndServer(uint32_t server) {
  for (const StreamPtr& stream : streams_) {
    if (stream->server != server || !stream->server_open) continue;
    CloseServer(stream);
    events_.After(events_.RandomDelay(), [this, stream] { CloseClient(stream); });
  }
}

Payload SimulatedNetwork::Shred(const std::string& bytes) {
  struct Pieces {
    std::vector<std::unique_ptr<std::string>> parts;
    ~Pieces() {
      for (auto& part : parts) std::memset(part->data(), 0xCB, part->size());
    }
  };
  auto pieces = std::make_shared<Pieces>();
  Payload payload(pieces);
  for (size_t at = 0; at < bytes.size();) {
    const size_t take =
        std::min<size_t>(bytes.size() - at, events_.Chance(0.2) ? 1 + events_.Random(9)
                                                                : 1 + events_.Random(bytes.size()));
    pieces->parts.push_back(std::make_unique<std::string>(bytes, at, take));
    payload.Append({pieces->parts.back()->data(), take});
    at += take;
  }
  return payload;
}

}  // namespace convoy::testing
