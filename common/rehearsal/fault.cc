#include "common/rehearsal/fault.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/math/random.h"
#include "common/number_text.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr char kFaultStream[] = "rehearsal/fault";
constexpr absl::Duration kLongestTime = absl::Hours(1);
constexpr double kLargestSlowness = 1000;
constexpr char kForms[] =
    "forms: \"kill worker 1 at step 200\" (or server 0, coordinator), \"freeze worker 0 for 2s at "
    "step 100\", \"worker 1 slow 3x\", \"drop 1% of pushes\", \"duplicate 1% of pushes\", "
    "\"corrupt 1% of pushes\", \"delay 5% of pushes by 20ms\"";

// Reads the words of a fault from left to right.
class FaultReader {
 public:
  explicit FaultReader(std::string_view text) : text_(text) { Next(); }

  absl::StatusOr<Fault> Read() {
    Fault fault;
    const std::string_view first = word_;
    if (first == "kill" || first == "freeze") {
      Next();
      CONVOY_RETURN_IF_ERROR(ReadProcess(&fault));
      if (first == "freeze") {
        fault.kind = Fault::Kind::kFreeze;
        CONVOY_RETURN_IF_ERROR(Expect("for"));
        CONVOY_RETURN_IF_ERROR(ReadTime(&fault.time));
      }
      CONVOY_RETURN_IF_ERROR(Expect("at"));
      CONVOY_RETURN_IF_ERROR(Expect("step"));
      CONVOY_RETURN_IF_ERROR(ReadWhole("a step from 1 on", 1, UINT64_MAX, &fault.step));
    } else if (first == "worker") {
      fault.kind = Fault::Kind::kSlow;
      CONVOY_RETURN_IF_ERROR(ReadProcess(&fault));
      CONVOY_RETURN_IF_ERROR(Expect("slow"));
      CONVOY_RETURN_IF_ERROR(ReadFactor(&fault.factor));
    } else if (first == "drop" || first == "duplicate" || first == "corrupt" || first == "delay") {
      Next();
      fault.kind = first == "drop"        ? Fault::Kind::kDrop
                   : first == "duplicate" ? Fault::Kind::kDuplicate
                   : first == "corrupt"   ? Fault::Kind::kCorrupt
                                          : Fault::Kind::kDelay;
      CONVOY_RETURN_IF_ERROR(ReadShare(&fault.share));
      CONVOY_RETURN_IF_ERROR(Expect("of"));
      CONVOY_RETURN_IF_ERROR(Expect("pushes"));
      if (fault.kind == Fault::Kind::kDelay) {
        CONVOY_RETURN_IF_ERROR(Expect("by"));
        CONVOY_RETURN_IF_ERROR(ReadTime(&fault.time));
      }
    } else {
      return Wrong("kill, freeze, worker, drop, duplicate, corrupt or delay");
    }
    if (!word_.empty()) return Wrong("no more words");
    return fault;
  }

 private:
  void Next() {
    const auto is_space = [](char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); };
    begin_ += word_.size();
    while (begin_ < text_.size() && is_space(text_[begin_])) ++begin_;
    size_t end = begin_;
    while (end < text_.size() && !is_space(text_[end])) ++end;
    word_ = text_.substr(begin_, end - begin_);
  }

  absl::Status Wrong(std::string_view want) const {
    return absl::InvalidArgumentError(absl::StrCat(
        "got \"", std::string(text_), "\": at character ", begin_ + 1, " ",
        word_.empty() ? "it ends" : absl::StrCat("stands \"", std::string(word_), "\""), ", want ",
        std::string(want), "; ", kForms));
  }

  absl::Status Expect(std::string_view word) {
    if (word_ != word) return Wrong(absl::StrCat("\"", std::string(word), "\""));
    Next();
    return absl::OkStatus();
  }

  absl::Status ReadProcess(Fault* fault) {
    if (word_ != "worker" && word_ != "server" && word_ != "coordinator")
      return Wrong("worker RANK, server RANK or coordinator");
    fault->role = std::string(word_);
    Next();
    if (fault->role == "coordinator") return absl::OkStatus();
    uint64_t rank = 0;
    CONVOY_RETURN_IF_ERROR(
        ReadWhole(absl::StrCat("the rank of a ", fault->role), 0, UINT32_MAX, &rank));
    fault->rank = static_cast<uint32_t>(rank);
    return absl::OkStatus();
  }

  absl::Status ReadWhole(const std::string& what, uint64_t least, uint64_t most, uint64_t* value) {
    const absl::string_view word(word_.data(), word_.size());
    if (!absl::SimpleAtoi(word, value) || *value < least || *value > most) return Wrong(what);
    Next();
    return absl::OkStatus();
  }

  // A number with a unit behind it.
  bool ReadNumber(std::string_view unit, double* value) const {
    std::string_view word = word_;
    if (!word.ends_with(unit)) return false;
    word.remove_suffix(unit.size());
    return !word.empty() && absl::ascii_isdigit(static_cast<unsigned char>(word[0])) &&
           absl::SimpleAtod(absl::string_view(word.data(), word.size()), value);
  }

  absl::Status ReadTime(absl::Duration* time) {
    double value = 0;
    const std::pair<const char*, absl::Duration> units[] = {
        {"us", absl::Microseconds(1)}, {"ms", absl::Milliseconds(1)}, {"s", absl::Seconds(1)}};
    for (const auto& [unit, length] : units) {
      if (!ReadNumber(unit, &value)) continue;
      *time = value * length;
      if (*time <= absl::ZeroDuration() || *time > kLongestTime) break;
      Next();
      return absl::OkStatus();
    }
    return Wrong("a time such as 20ms or 2s, at most 3600s");
  }

  absl::Status ReadFactor(double* factor) {
    if (!ReadNumber("x", factor) || !(*factor > 1 && *factor <= kLargestSlowness))
      return Wrong("a factor such as 3x, more than 1 and at most 1000");
    Next();
    return absl::OkStatus();
  }

  absl::Status ReadShare(double* share) {
    if (!ReadNumber("%", share) || !(*share > 0 && *share <= 100))
      return Wrong("a share such as 1%, more than 0 and at most 100");
    *share /= 100;
    Next();
    return absl::OkStatus();
  }

  const std::string_view text_;
  size_t begin_ = 0;
  std::string_view word_;  // the next one; empty: the text ends
};

std::string TimeText(absl::Duration time) {
  if (time < absl::Milliseconds(1))
    return absl::StrCat(NumberText(absl::ToDoubleMicroseconds(time)), "us");
  return time < absl::Seconds(1) ? absl::StrCat(NumberText(absl::ToDoubleMilliseconds(time)), "ms")
                                 : absl::StrCat(NumberText(absl::ToDoubleSeconds(time)), "s");
}

std::string ProcessText(const Fault& fault) {
  return fault.role == "coordinator" ? fault.role : absl::StrCat(fault.role, " ", fault.rank);
}

}  // namespace

absl::StatusOr<Fault> ParseFault(std::string_view text) { return FaultReader(text).Read(); }

std::string ToString(const Fault& fault) {
  const std::string pushes = absl::StrCat(NumberText(100 * fault.share), "% of pushes");
  switch (fault.kind) {
    case Fault::Kind::kKill:
      return absl::StrCat("kill ", ProcessText(fault), " at step ", fault.step);
    case Fault::Kind::kFreeze:
      return absl::StrCat("freeze ", ProcessText(fault), " for ", TimeText(fault.time), " at step ",
                          fault.step);
    case Fault::Kind::kSlow:
      return absl::StrCat(ProcessText(fault), " slow ", NumberText(fault.factor), "x");
    case Fault::Kind::kDrop:
      return absl::StrCat("drop ", pushes);
    case Fault::Kind::kDuplicate:
      return absl::StrCat("duplicate ", pushes);
    case Fault::Kind::kCorrupt:
      return absl::StrCat("corrupt ", pushes);
    case Fault::Kind::kDelay:
      return absl::StrCat("delay ", pushes, " by ", TimeText(fault.time));
  }
  return "";
}

PushFaults::PushFaults(const std::vector<Fault>& faults, uint64_t seed, uint32_t worker)
    : seed_(seed), worker_(worker) {
  for (const Fault& fault : faults) {
    if (fault.OfPushes()) faults_.push_back(fault);
  }
}

PushFaults::Hit PushFaults::Of(uint64_t number) const {
  Hit hit;
  for (size_t i = 0; i < faults_.size(); ++i) {
    const Fault& fault = faults_[i];
    if (RandomStream(seed_, kFaultStream, worker_, i).Uniform(number) >= fault.share) continue;
    hit.drop |= fault.kind == Fault::Kind::kDrop;
    hit.duplicate |= fault.kind == Fault::Kind::kDuplicate;
    hit.corrupt |= fault.kind == Fault::Kind::kCorrupt;
    if (fault.kind == Fault::Kind::kDelay) hit.delay = std::max(hit.delay, fault.time);
  }
  return hit;
}

}  // namespace convoy
