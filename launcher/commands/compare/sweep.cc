#include "launcher/commands/compare/sweep.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace convoy {
namespace {

absl::Status NotASweep(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("--sweep ", std::string(text), ": ", std::string(what),
                   "; want learning_rate=RATE,RATE,..., for example learning_rate=0.01,0.03,0.1"));
}

}  // namespace

absl::StatusOr<std::vector<double>> ParseSweep(std::string_view text) {
  std::vector<double> rates;
  if (text.empty()) return rates;
  const size_t sign = text.find('=');
  const std::string_view field = text.substr(0, sign);
  if (sign == std::string_view::npos ||
      (field != "learning_rate" && field != "optimizer.learning_rate")) {
    return NotASweep(text, "only the learning rate can be swept");
  }
  for (const std::string& part :
       std::vector<std::string>(absl::StrSplit(std::string(text.substr(sign + 1)), ','))) {
    double rate = 0;
    if (!absl::SimpleAtod(part, &rate) || !std::isfinite(rate) || rate <= 0) {
      return NotASweep(text, absl::StrCat("\"", part, "\" is no number > 0"));
    }
    rates.push_back(rate);
  }
  std::ranges::sort(rates);
  rates.erase(std::unique(rates.begin(), rates.end()), rates.end());
  return rates;
}

}  // namespace convoy
