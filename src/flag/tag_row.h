// SPDX-License-Identifier: Apache-2.0
// Sixteen bytes side by side, asked at once which of them are a given one. No byte of an empty
// place may be asked for: that is zero.
#pragma once

#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace showcaller {

class TagRow {
 public:
  static constexpr std::uint32_t kSize = 16;

  void set(std::uint32_t place, std::uint8_t tag) { tags_[place] = tag; }

  // A bit for each place that has it.
  std::uint32_t places_of(std::uint8_t tag) const {
#ifdef __SSE2__
    const __m128i row = _mm_load_si128(reinterpret_cast<const __m128i*>(tags_));
    return std::uint32_t(_mm_movemask_epi8(_mm_cmpeq_epi8(row, _mm_set1_epi8(char(tag)))));
#else
    std::uint32_t places = 0;
    for (std::uint32_t i = 0; i < kSize; ++i) places |= std::uint32_t(tags_[i] == tag) << i;
    return places;
#endif
  }

 private:
  alignas(16) std::uint8_t tags_[kSize] = {};
};

}  // namespace showcaller
