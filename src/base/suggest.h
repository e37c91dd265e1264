// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the nearest of the known words to one that is not known.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace showcaller {

// The known word within an edit distance (with transpositions) of a third of its length, at least
// 1, at most 3.
std::optional<std::string> nearest_word(std::string_view word, std::span<const std::string> known);
// The end of a message: "; did you mean 'raid'?", or "; " and another remedy when nothing is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> known,
                         std::string_view otherwise);

}  // namespace showcaller
