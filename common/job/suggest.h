// Suggestions for misspelt words.
#ifndef CONVOY_COMMON_JOB_SUGGEST_H_
#define CONVOY_COMMON_JOB_SUGGEST_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace convoy {

// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment) that lead
// from `a` to `b`; upper and lower case are the same letter.
size_t EditDistance(std::string_view a, std::string_view b);

// The candidate closest to `word`, the first one if several are; empty if none is similar, that is,
// if more than a third of the letters (but at least one) differ.
std::string Nearest(std::string_view word, std::span<const std::string> candidates);

// `, did you mean "x"?` with x = Nearest(word, candidates), or nothing.
std::string DidYouMean(std::string_view word, std::span<const std::string> candidates);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_SUGGEST_H_
