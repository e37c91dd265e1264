// SPDX-License-Identifier: Apache-2.0
#include "flag/text_table.h"

#include <deque>
#include <string>

#include <gtest/gtest.h>

namespace showcaller {
namespace {

TEST(TextTable, NumbersTextsInTheOrderTheyCame) {
  TextTable table;
  EXPECT_EQ(table.find(""), TextTable::kAbsent);
  std::deque<std::string> texts;
  for (int i = 0; i < 5'000; ++i) {
    // Of every length, alike at both ends.
    texts.push_back("a" + std::string(std::size_t(i % 50), 'x') + std::to_string(i) + "z");
    EXPECT_EQ(table.add(texts.back()), std::uint32_t(i));
    EXPECT_EQ(table.add(texts.back()), std::uint32_t(i));
  }
  EXPECT_EQ(table.size(), 5'000u);
  for (int i = 0; i < 5'000; ++i) EXPECT_EQ(table.find(texts[std::size_t(i)]), std::uint32_t(i));
  EXPECT_EQ(table.find("az"), TextTable::kAbsent);
  EXPECT_EQ(table.find(std::string(200, 'q')), TextTable::kAbsent);
}

TEST(TextTable, TextsAreTheSameByteByByte) {
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string text(size, 'm');
    EXPECT_TRUE(same_text(text, std::string(size, 'm')));
    EXPECT_FALSE(same_text(text, text + "m"));
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = text;
      other[at] = 'n';
      EXPECT_FALSE(same_text(text, other)) << size << " " << at;
    }
  }
}

}  // namespace
}  // namespace showcaller
