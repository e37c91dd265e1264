// SPDX-License-Identifier: Apache-2.0
// Texts by number: flags by key, attributes by path, the constants of rules. Open addressing, at
// most a quarter full, the hash compared before the text; short texts lie in their cell.
//
// Threads: finding from any number at once. Views what it is given. Never: removes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace showcaller {

namespace text_words {

inline std::uint64_t load8(const char* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}
inline std::uint32_t load4(const char* bytes) {
  std::uint32_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide(a) * b;
  return std::uint64_t(product) ^ std::uint64_t(product >> 64);
}

}  // namespace text_words

// Most names are short: these compare in two words what memcmp would be called for. Calls nothing,
// so that who asks on the way of an evaluation has no registers to save.
inline bool same_text(std::string_view a, std::string_view b) {
  using namespace text_words;
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  const char *x = a.data(), *y = b.data();
  if (size >= 8) {
    const std::size_t last = size - 8;
    for (std::size_t at = 8; at < last; at += 8) {
      if (load8(x + at) != load8(y + at)) return false;
    }
    return ((load8(x) ^ load8(y)) | (load8(x + last) ^ load8(y + last))) == 0;
  }
  if (size >= 4) {
    return ((load4(x) ^ load4(y)) | (load4(x + size - 4) ^ load4(y + size - 4))) == 0;
  }
  for (std::size_t i = 0; i < size; ++i) {
    if (x[i] != y[i]) return false;
  }
  return true;
}

// In the manner of wyhash: multiply and fold, sixteen bytes a step. For tables in memory only.
inline std::uint64_t text_hash(std::string_view text) {
  using namespace text_words;
  constexpr std::uint64_t kFirst = 0xa0761d6478bd642f, kSecond = 0xe7037ed1a0b428db;
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t seed = kFirst ^ left;
  for (; left > 16; left -= 16, at += 16) {
    seed = mix(load8(at) ^ kSecond, load8(at + 8) ^ seed);
  }
  std::uint64_t a = 0, b = 0;
  if (left >= 8) {
    a = load8(at);
    b = load8(at + left - 8);
  } else if (left >= 4) {
    a = load4(at);
    b = load4(at + left - 4);
  } else if (left > 0) {
    a = (std::uint64_t(std::uint8_t(at[0])) << 16) |
        (std::uint64_t(std::uint8_t(at[left / 2])) << 8) | std::uint8_t(at[left - 1]);
  }
  return mix(a ^ kSecond, b ^ seed);
}

// Tells most names apart in one byte, which is never zero; of a literal it is known when compiled.
inline std::uint8_t text_tag(std::string_view text) {
  if (text.empty()) return 1;
  const auto size = std::uint32_t(text.size());
  const std::uint32_t mixed = std::uint8_t(text[0]) * 7u + std::uint8_t(text[size / 2]) * 13u +
                              std::uint8_t(text[size - 1]) * 29u + size * 37u;
  return std::uint8_t(mixed % 251 + 1);
}

class TextTable {
 public:
  static constexpr std::uint32_t kAbsent = ~std::uint32_t(0);

  TextTable() : cells_(2) {}

  std::uint32_t size() const { return size_; }
  // The text's number, kAbsent when it was never added.
  std::uint32_t find(std::string_view text) const {
    return cells_[place(text, text_hash(text))].number;
  }
  // Its number, a new one where it had none: 0, 1, 2 …
  std::uint32_t add(std::string_view text);
  void reserve(std::size_t count);

 private:
  // Half a line of the cache: who finds a short text looks nowhere else.
  class alignas(32) Cell {
   public:
    Cell() = default;
    Cell(std::string_view text, std::uint32_t tag, std::uint32_t number)
        : number(number), tag(tag), size_(std::uint32_t(text.size())) {
      const char* const address = text.data();
      if (size_ <= kInside)
        std::copy_n(address, size_, inside_);
      else
        std::memcpy(inside_, &address, sizeof address);
    }

    std::string_view text() const {
      if (size_ <= kInside) return {inside_, size_};
      const char* address;
      std::memcpy(&address, inside_, sizeof address);
      return {address, size_};
    }

    std::uint32_t number = kAbsent;
    std::uint32_t tag = 0;

   private:
    static constexpr std::uint32_t kInside = 20;

    std::uint32_t size_ = 0;
    char inside_[kInside] = {};  // the text, or where a longer one is
  };
  static_assert(sizeof(Cell) == 32);

  // Where the text is, or the free cell where it would be.
  std::size_t place(std::string_view text, std::uint64_t hash) const {
    const std::size_t mask = cells_.size() - 1;
    const auto tag = std::uint32_t(hash >> 32);
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      const Cell& cell = cells_[at];
      if (cell.number == kAbsent) return at;
      if (cell.tag == tag && same_text(cell.text(), text)) return at;
    }
  }
  void rehash(std::size_t cells);

  std::vector<Cell> cells_;  // a power of two
  std::uint32_t size_ = 0;
};

}  // namespace showcaller
