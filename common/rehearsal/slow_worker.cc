#include "common/rehearsal/slow_worker.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/math/random.h"
#include "common/number_text.h"

namespace convoy {
namespace {

constexpr double kLargestFactor = 1000;
constexpr uint64_t kLongestStretch = 1000000;
constexpr char kAny[] = "any";
constexpr char kSlownessStream[] = "rehearsal/slow_worker";

absl::Status NotARule(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(
      "got \"", std::string(text), "\": ", std::string(what),
      "; want WORKER=FACTORx (1=3x: worker 1 is always 3 times slower) or "
      "WORKER=FACTORx@SHARE%[/BATCHES] (any=3x@10%: each worker is, in a tenth of its batches)"));
}

absl::string_view Absl(std::string_view text) { return {text.data(), text.size()}; }

bool ReadNumber(std::string_view text, double* value) {
  return !text.empty() && absl::ascii_isdigit(static_cast<unsigned char>(text[0])) &&
         absl::SimpleAtod(Absl(text), value);
}

// Takes what stands after the last `mark` off `text`; false: there is no such mark.
bool TakeAfter(char mark, std::string_view* text, std::string_view* rest) {
  const size_t at = text->rfind(mark);
  if (at == std::string_view::npos) return false;
  *rest = text->substr(at + 1);
  *text = text->substr(0, at);
  return true;
}

}  // namespace

absl::StatusOr<SlowWorkerRule> ParseSlowWorkerRule(std::string_view text) {
  SlowWorkerRule rule;
  std::string_view factor, rest = text;
  if (!TakeAfter('=', &rest, &factor)) return NotARule(text, "there is no \"=\"");
  uint32_t worker = 0;
  if (rest != kAny) {
    if (!absl::SimpleAtoi(Absl(rest), &worker))
      return NotARule(text, "WORKER must be a rank or any");
    rule.worker = worker;
  }
  std::string_view stretch, share;
  if (TakeAfter('/', &factor, &stretch) && (!absl::SimpleAtoi(Absl(stretch), &rule.stretch) ||
                                            rule.stretch < 1 || rule.stretch > kLongestStretch)) {
    return NotARule(text, "BATCHES must be a whole number from 1 to 1000000");
  }
  const bool passing = TakeAfter('@', &factor, &share);
  if (passing) {
    if (!share.ends_with('%')) return NotARule(text, "SHARE ends with %");
    share.remove_suffix(1);
    if (!ReadNumber(share, &rule.share) || !(rule.share > 0 && rule.share <= 100)) {
      return NotARule(text, "SHARE must be a number > 0 and at most 100");
    }
    rule.share /= 100;
  }
  if (!stretch.empty() && !passing) return NotARule(text, "/BATCHES goes with @SHARE%");
  if (!rule.worker && !passing) return NotARule(text, "any needs a share");
  if (!factor.ends_with('x')) return NotARule(text, "FACTOR ends with x");
  factor.remove_suffix(1);
  if (!ReadNumber(factor, &rule.factor) || !(rule.factor > 1 && rule.factor <= kLargestFactor)) {
    return NotARule(text, "FACTOR must be a number > 1 and at most 1000");
  }
  return rule;
}

std::string ToString(const SlowWorkerRule& rule) {
  std::string text = absl::StrCat(rule.worker ? absl::StrCat(*rule.worker) : kAny, "=",
                                  NumberText(rule.factor), "x");
  if (rule.share < 1) absl::StrAppend(&text, "@", NumberText(100 * rule.share), "%/", rule.stretch);
  return text;
}

std::string Describe(const SlowWorkerRule& rule) {
  const std::string who = rule.worker ? absl::StrCat("worker ", *rule.worker) : "each worker";
  const std::string slower = absl::StrCat(" is ", NumberText(rule.factor), " times slower ");
  if (rule.share >= 1) return absl::StrCat(who, slower, "all the time");
  return absl::StrCat(who, slower, "in ", NumberText(100 * rule.share), " % of its batches, ",
                      rule.stretch, rule.stretch == 1 ? " at a time" : " in a row");
}

Slowness::Slowness(const std::vector<SlowWorkerRule>& rules, uint64_t seed, uint32_t worker)
    : seed_(seed), worker_(worker) {
  for (const SlowWorkerRule& rule : rules) {
    if (!rule.worker || *rule.worker == worker) rules_.push_back(rule);
  }
}

double Slowness::FactorOf(uint64_t batch) const {
  double factor = 1;
  for (size_t i = 0; i < rules_.size(); ++i) {
    const SlowWorkerRule& rule = rules_[i];
    const bool slow =
        rule.share >= 1 ||
        RandomStream(seed_, kSlownessStream, worker_, i).Uniform(batch / rule.stretch) < rule.share;
    if (slow) factor = std::max(factor, rule.factor);
  }
  return factor;
}

}  // namespace convoy
