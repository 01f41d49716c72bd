#include "tests/testing/parity_lines.h"

#include "absl/strings/str_cat.h"
#include "common/math/random.h"

namespace convoy::testing {

std::string ParityLines(uint64_t examples) {
  std::string text;
  for (uint64_t i = 0; i < examples; ++i) {
    const RandomStream random(3, "line", i);
    uint64_t odd = 0;
    std::string line;
    for (uint64_t field = 0; field < 4; ++field) {
      const uint64_t feature = 1 + 50 * field + random.Below(field, 50);
      odd += feature % 2;
      absl::StrAppend(&line, " ", feature, ":1");
    }
    absl::StrAppend(&text, odd >= 2 ? 1 : 0, line, "\n");
  }
  return text;
}

}  // namespace convoy::testing
