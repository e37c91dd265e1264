// SPDX-License-Identifier: Apache-2.0
// MurmurHash3_x86_32 in two parts: what is known beforehand (a salt, a flag's key) is hashed once,
// what differs by player goes on from there. The same as the hash of both joined, bytes of UTF-8.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace showcaller {

class MurmurPrefix {
 public:
  MurmurPrefix() = default;
  explicit MurmurPrefix(std::string_view text) : size_(std::uint32_t(text.size())) {
    for (; text.size() >= 4; text.remove_prefix(4)) state_ = mixed(state_, word(text.data()));
    carry_ = tail(text);
  }

  // Of the prefix followed by the text.
  [[gnu::always_inline]] std::uint32_t hash(std::string_view text) const {
    const char* at = text.data();
    const auto size = std::uint32_t(text.size());
    const unsigned carried = 8 * (size_ & 3);  // bits
    std::uint32_t state = state_;
    // Words of the joined text: the carried bytes, then those of the text.
    std::uint64_t bytes = carry_;
    for (const char* const end = at + (size & ~3u); at != end; at += 4) {
      bytes |= std::uint64_t(word(at)) << carried;
      state = mixed(state, std::uint32_t(bytes));
      bytes >>= 32;
    }
    // What is left of a longer text is the end of its last four bytes.
    const unsigned left = 8 * (size & 3);
    const std::uint64_t rest =
        size >= 4 ? std::uint64_t(word(text.data() + size - 4)) >> (32 - left) : tail(text);
    bytes |= rest << carried;
    if (carried + left >= 32) {
      state = mixed(state, std::uint32_t(bytes));
      bytes >>= 32;
    }
    return finished(state ^ scrambled(std::uint32_t(bytes)), size_ + size);
  }

 private:
  static std::uint32_t word(const char* bytes) {
    std::uint32_t word;
    std::memcpy(&word, bytes, sizeof word);
    return word;
  }
  static std::uint32_t tail(std::string_view few) {
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < few.size(); ++i) {
      word |= std::uint32_t(std::uint8_t(few[i])) << (8 * i);
    }
    return word;
  }
  static std::uint32_t scrambled(std::uint32_t word) {
    return std::rotl(word * 0xcc9e2d51u, 15) * 0x1b873593u;
  }
  static std::uint32_t mixed(std::uint32_t state, std::uint32_t word) {
    return std::rotl(state ^ scrambled(word), 13) * 5 + 0xe6546b64u;
  }
  static std::uint32_t finished(std::uint32_t state, std::uint32_t size) {
    state ^= size;
    state = (state ^ (state >> 16)) * 0x85ebca6bu;
    state = (state ^ (state >> 13)) * 0xc2b2ae35u;
    return state ^ (state >> 16);
  }

  std::uint32_t state_ = 0;
  std::uint32_t carry_ = 0;  // up to three bytes that are no word yet
  std::uint32_t size_ = 0;
};

}  // namespace showcaller
