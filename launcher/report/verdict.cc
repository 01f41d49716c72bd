#include "launcher/report/verdict.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "launcher/report/report_text.h"

namespace convoy {
namespace {

constexpr char kReference[] = "sync";
constexpr char kAlone[] = "single";

std::string Times(double factor) { return absl::StrFormat("%.2f times", factor); }

class VerdictWriter {
 public:
  explicit VerdictWriter(const Comparison& all) : all_(all), sync_(all.Find(kReference)) {
    for (const ComparedMode& mode : all.modes) {
      if (mode.judged && !mode.runs.empty()) modes_.push_back(&mode);
    }
  }

  Verdict Write() {
    verdict_.rule = Rule();
    if (modes_.empty()) {
      verdict_.headline = "No run ended as planned: there is nothing to compare.";
      SayWhatFailed();
      return verdict_;
    }
    all_.target ? RankByTarget() : RankByLast();
    if (all_.target) CompareWithSync();
    SayWhatTheStragglerDoes();
    SayWhatOneProcessDoes();
    if (all_.target) SayWhoNeedsFewestExamples();
    CompareEnds();
    if (all_.has_link) {
      Say("The link is modelled: messages between workers and servers were held back as it would "
          "take; it is not "
          "a measurement on such a network.");
    }
    SayWhatFailed();
    return verdict_;
  }

 private:
  void Say(std::string sentence) { verdict_.sentences.push_back(std::move(sentence)); }

  std::string Rule() const {
    const std::string what = all_.target ? absl::StrCat(
                                               "Times are wall seconds of training until the first "
                                               "measurement at which the run met the target (",
                                               all_.target->Describe(), "). ")
                                         : absl::StrCat("Modes are ranked by the last ", all_.split,
                                                        " ", all_.metric, ". ");
    return absl::StrCat(what,
                        "A number is the median over seeds, with the range in brackets. One mode "
                        "is called better than another only if "
                        "each of its runs is better than each of the other's, and, where one of "
                        "them has a single run, by more than a "
                        "tenth; otherwise they are not told apart. A mode that missed the target "
                        "with some seed, or had a run that "
                        "failed, is not ranked. Of several learning rates of a mode the best "
                        "counts, by the run of the first seed.");
  }

  // Modes that always met the target, the fastest first.
  std::vector<const ComparedMode*> Ranked(bool with_single) const {
    std::vector<const ComparedMode*> ranked;
    for (const ComparedMode* mode : modes_) {
      if (mode->always_reached() && (with_single || mode->name != kAlone)) ranked.push_back(mode);
    }
    std::ranges::stable_sort(ranked, {},
                             [](const ComparedMode* mode) { return mode->seconds->median; });
    return ranked;
  }

  void RankByTarget() {
    const std::vector<const ComparedMode*> ranked = Ranked(/*with_single=*/false);
    const std::string goal = all_.target->Describe();
    if (ranked.empty()) {
      verdict_.headline =
          absl::StrCat("No mode with servers reached a ", goal, " with every seed.");
    } else {
      const ComparedMode& first = *ranked[0];
      std::vector<std::string> near;
      for (size_t i = 1; i < ranked.size(); ++i) {
        if (OrderOf(*first.seconds, *ranked[i]->seconds) == Order::kNotToldApart)
          near.push_back(ranked[i]->name);
      }
      verdict_.headline = absl::StrCat(first.name, " reached a ", goal,
                                       " first: ", SpreadText(*first.seconds, SecondsText),
                                       NotToldApart(near), ".");
    }
    for (const ComparedMode* mode : modes_) {
      const size_t reached = mode->seconds ? mode->seconds->runs : 0;
      if (reached == mode->runs.size()) continue;
      Say(absl::StrCat(
          mode->name, " reached it in ", reached, " of ", mode->runs.size(), " runs",
          mode->last ? absl::StrCat("; it ended at ", SpreadText(*mode->last, MetricText)) : "",
          "."));
    }
  }

  // Better than the other by its last value, by the rule.
  bool EndedBetter(const ComparedMode& a, const ComparedMode& b) const {
    const Order order = OrderOf(*a.last, *b.last);
    return order == (all_.larger_is_better ? Order::kGreater : Order::kLess);
  }

  // "; not told apart from it: X, Y", or nothing.
  static std::string NotToldApart(const std::vector<std::string>& names) {
    return names.empty() ? ""
                         : absl::StrCat("; not told apart from it: ", absl::StrJoin(names, ", "));
  }

  void RankByLast() {
    std::vector<const ComparedMode*> ranked;
    for (const ComparedMode* mode : modes_) {
      if (mode->last && mode->failed.empty() && mode->name != kAlone) ranked.push_back(mode);
    }
    if (ranked.empty()) {
      verdict_.headline = absl::StrCat("No mode with servers has measured ", all_.split, " ",
                                       all_.metric, " with every seed.");
      return;
    }
    std::ranges::stable_sort(ranked, [this](const ComparedMode* a, const ComparedMode* b) {
      return all_.larger_is_better ? a->last->median > b->last->median
                                   : a->last->median < b->last->median;
    });
    const ComparedMode& best = *ranked[0];
    std::vector<std::string> near;
    for (size_t i = 1; i < ranked.size(); ++i) {
      if (!EndedBetter(best, *ranked[i])) near.push_back(ranked[i]->name);
    }
    verdict_.headline =
        absl::StrCat(best.name, " ended with the best ", all_.split, " ", all_.metric, ": ",
                     SpreadText(*best.last, MetricText), NotToldApart(near), ".");
    const ComparedMode* fastest = ranked[0];
    for (const ComparedMode* mode : ranked) {
      if (mode->speed->median > fastest->speed->median) fastest = mode;
    }
    near.clear();
    for (const ComparedMode* mode : ranked) {
      if (mode != fastest && OrderOf(*mode->speed, *fastest->speed) != Order::kLess)
        near.push_back(mode->name);
    }
    Say(absl::StrCat(fastest->name, " trained the most examples per second: ",
                     SpreadText(*fastest->speed, GroupedText), NotToldApart(near), "."));
  }

  void CompareWithSync() {
    if (sync_ == nullptr || !sync_->always_reached()) return;
    for (const ComparedMode* mode : Ranked(/*with_single=*/false)) {
      if (mode == sync_) continue;
      const double factor = sync_->seconds->median / mode->seconds->median;
      const std::string both = absl::StrCat(SpreadText(*mode->seconds, SecondsText), ", sync ",
                                            SpreadText(*sync_->seconds, SecondsText));
      switch (OrderOf(*mode->seconds, *sync_->seconds)) {
        case Order::kLess:
          Say(absl::StrCat(mode->name, " reached it ", Times(factor), " as fast as sync: ", both,
                           "."));
          break;
        case Order::kGreater:
          Say(absl::StrCat(mode->name, " took ", Times(1 / factor), " as long as sync: ", both,
                           "."));
          break;
        case Order::kNotToldApart:
          Say(absl::StrCat(mode->name, " and sync are not told apart by their time to it: ", both,
                           "."));
          break;
      }
    }
  }

  std::string SpeedGain(const ComparedMode& mode) const {
    const double gain = mode.speed->median / sync_->speed->median;
    const Order order = OrderOf(*sync_->speed, *mode.speed);
    return absl::StrCat(mode.name, " trained ", Times(gain), " the examples per second of sync",
                        order == Order::kNotToldApart ? " (not told apart)" : "");
  }

  void SayWhatTheStragglerDoes() {
    if (sync_ == nullptr || sync_->runs.empty()) return;
    std::vector<std::string> gains;
    for (const ComparedMode* mode : modes_) {
      if (mode == sync_ || mode->name == kAlone) continue;
      gains.push_back(SpeedGain(*mode));
    }
    if (gains.empty()) return;
    const std::string why = !all_.has_straggler
                                ? "No worker was slowed on purpose"
                                : absl::StrCat("With the straggler (", all_.rehearsal[0], ")");
    Say(absl::StrCat(why, ": ", absl::StrJoin(gains, "; "), "."));
    if (sync_->workers.size() > 1) {
      std::vector<std::string> waits;
      for (const WorkerTimes& worker : sync_->workers) {
        if (worker.trained > 0)
          waits.push_back(absl::StrFormat("worker %d %.0f %%", worker.rank,
                                          100 * worker.waited / worker.trained));
      }
      if (!waits.empty())
        Say(absl::StrCat("In sync the workers waited this share of their time: ",
                         absl::StrJoin(waits, ", "), "."));
    }
    SayWhatBoundedStalenessDoes();
  }

  void SayWhatBoundedStalenessDoes() {
    if (!all_.has_straggler) return;
    for (const ComparedMode* mode : modes_) {
      if (!mode->name.starts_with("ssp:")) continue;
      const Order order = OrderOf(*sync_->speed, *mode->speed);
      const double gain = mode->speed->median / sync_->speed->median;
      const std::string share =
          absl::StrFormat("workers waited %.0f %% of their time instead of %.0f %%",
                          100 * WaitedShare(mode->workers).value_or(0),
                          100 * WaitedShare(sync_->workers).value_or(0));
      const std::string measured =
          order == Order::kNotToldApart
              ? absl::StrCat("its speed is not told apart from that of sync, ", share)
              : absl::StrCat("it runs at ", Times(gain), " the speed of sync, ", share);
      Say(absl::StrCat(all_.straggler_stays ? "Bounded staleness can only put off the wait for a "
                                              "worker that is always slow: with "
                                            : "Bounded staleness lets the others go on while a "
                                              "worker is slow for a moment: with ",
                       mode->name, " ", measured, "."));
    }
  }

  void SayWhatOneProcessDoes() {
    const ComparedMode* const single = all_.Find(kAlone);
    if (single == nullptr || single->runs.empty()) return;
    const std::string condition =
        all_.has_straggler || all_.has_link ? " (not slowed on purpose)" : "";
    const ComparedMode* best = nullptr;
    for (const ComparedMode* mode : modes_) {
      if (mode != single && (best == nullptr || mode->speed->median > best->speed->median))
        best = mode;
    }
    if (best == nullptr) return;
    const double factor = single->speed->median / best->speed->median;
    const std::string both = absl::StrCat(GroupedText(single->speed->median), " examples/s, ",
                                          best->name, " ", GroupedText(best->speed->median));
    if (OrderOf(*best->speed, *single->speed) == Order::kLess) {
      Say(absl::StrCat(
          "One process without servers", condition, " is ", Times(factor),
          " as fast as the fastest of them: ", both, ".",
          condition.empty() ? " For this model on this machine more processes do not pay." : ""));
    } else if (OrderOf(*best->speed, *single->speed) == Order::kGreater) {
      Say(absl::StrCat("One process without servers", condition, " has ", Times(factor),
                       " the speed of the fastest of them: ", both, "."));
    } else {
      Say(absl::StrCat("One process without servers", condition,
                       " and the fastest of them are not told apart by their speed: ", both, "."));
    }
  }

  void SayWhoNeedsFewestExamples() {
    std::vector<const ComparedMode*> ranked = Ranked(/*with_single=*/true);
    if (ranked.size() < 2) return;
    std::ranges::stable_sort(ranked, {},
                             [](const ComparedMode* mode) { return mode->examples->median; });
    const ComparedMode& first = *ranked[0];
    std::vector<std::string> near;
    for (size_t i = 1; i < ranked.size(); ++i) {
      if (OrderOf(*first.examples, *ranked[i]->examples) == Order::kNotToldApart)
        near.push_back(ranked[i]->name);
    }
    if (near.size() + 1 == ranked.size()) {
      Say("By the examples that they needed the modes are not told apart.");
      return;
    }
    Say(absl::StrCat("By examples, ", first.name,
                     " needed the fewest: ", SpreadText(*first.examples, GroupedText),
                     NotToldApart(near), "; the most, ", ranked.back()->name, ": ",
                     SpreadText(*ranked.back()->examples, GroupedText), "."));
  }

  // After equally many examples.
  void CompareEnds() {
    if (sync_ == nullptr || !sync_->last) return;
    std::vector<std::string> better, worse;
    for (const ComparedMode* mode : modes_) {
      if (mode == sync_ || mode->name == kAlone || !mode->last) continue;
      const bool single_runs = mode->last->runs < 2 || sync_->last->runs < 2;
      const bool above = mode->last->low > sync_->last->high,
                 below = mode->last->high < sync_->last->low;
      if (single_runs || (!above && !below)) continue;
      const std::string text = absl::StrCat(mode->name, " ", SpreadText(*mode->last, MetricText));
      (above == all_.larger_is_better ? better : worse).push_back(text);
    }
    std::string text = absl::StrCat("After the last example sync stands at ", all_.split, " ",
                                    all_.metric, " ", SpreadText(*sync_->last, MetricText));
    if (!better.empty()) absl::StrAppend(&text, "; better: ", absl::StrJoin(better, ", "));
    if (!worse.empty()) absl::StrAppend(&text, "; worse: ", absl::StrJoin(worse, ", "));
    if (better.empty() && worse.empty())
      absl::StrAppend(&text, "; no other mode is told apart from it");
    Say(absl::StrCat(text, "."));
  }

  void SayWhatFailed() {
    for (const ComparedMode& mode : all_.modes) {
      for (const size_t i : mode.failed) {
        const RunRecord& run = all_.runs[i];
        Say(absl::StrCat(mode.name, " with seed ", run.job.seed(), " did not end as planned: ",
                         run.failure.substr(0, run.failure.find('\n')), "."));
      }
    }
  }

  const Comparison& all_;
  const ComparedMode* const sync_;
  std::vector<const ComparedMode*> modes_;
  Verdict verdict_;
};

}  // namespace

Verdict VerdictOf(const Comparison& all) { return VerdictWriter(all).Write(); }

}  // namespace convoy
