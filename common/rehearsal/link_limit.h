// A network that is slower than this machine's own (rehearsal.link): "100mbit,5ms".
//
//   link    = RATE [ "," LATENCY ] | LATENCY
//   RATE    = number ( "kbit" | "mbit" | "gbit" )     of 1000, 10^6, 10^9 bits a second
//   LATENCY = number ( "us" | "ms" | "s" )
// Each process has a link of its own on which it sends at RATE; what has left arrives LATENCY
// later.
#ifndef CONVOY_COMMON_REHEARSAL_LINK_LIMIT_H_
#define CONVOY_COMMON_REHEARSAL_LINK_LIMIT_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace convoy {

struct LinkLimit {
  double bits_per_second = 0;  // 0: no limit
  absl::Duration latency;

  bool any() const { return bits_per_second > 0 || latency > absl::ZeroDuration(); }
  bool operator==(const LinkLimit&) const = default;
};

// InvalidArgument: says what was expected. "": no limit.
absl::StatusOr<LinkLimit> ParseLinkLimit(std::string_view text);
// For people: "100 Mbit/s and 5 ms from each process".
std::string Describe(const LinkLimit& limit);

// The sending end of a link: a token bucket that holds one message. One thread at a time.
class LimitedLink {
 public:
  explicit LimitedLink(LinkLimit limit) : limit_(limit) {}

  // When a message of `bytes` that is sent at `now` arrives: after those sent before have left, the
  // time that its own bytes take, and the latency. Never before a message sent earlier.
  absl::Time Arrival(size_t bytes, absl::Time now);

 private:
  LinkLimit limit_;
  absl::Time free_at_ = absl::InfinitePast();  // all that was sent before has left
};

}  // namespace convoy

#endif  // CONVOY_COMMON_REHEARSAL_LINK_LIMIT_H_
