// SPDX-License-Identifier: Apache-2.0
#include "flag/text_table.h"

#include <bit>
#include <utility>

namespace showcaller {

std::uint32_t TextTable::add(std::string_view text) {
  const std::uint64_t hash = text_hash(text);
  std::size_t at = place(text, hash);
  if (cells_[at].number != kAbsent) return cells_[at].number;
  // At most a quarter full: nobody can foresee a second look, and it costs more than the memory.
  if (4 * (std::size_t(size_) + 1) > cells_.size()) {
    rehash(cells_.size() * 2);
    at = place(text, hash);
  }
  cells_[at] = Cell(text, std::uint32_t(hash >> 32), size_);
  return size_++;
}

void TextTable::reserve(std::size_t count) {
  const std::size_t cells = std::bit_ceil(count * 4 + 2);
  if (cells > cells_.size()) rehash(cells);
}

void TextTable::rehash(std::size_t cells) {
  const std::vector<Cell> before = std::exchange(cells_, std::vector<Cell>(cells));
  for (const Cell& cell : before) {
    if (cell.number == kAbsent) continue;
    cells_[place(cell.text(), text_hash(cell.text()))] = cell;
  }
}

}  // namespace showcaller
