// SPDX-License-Identifier: Apache-2.0
// What is printed for people and their programs.
#include "cli/terminal.h"

#include <gtest/gtest.h>

namespace showcaller {
namespace {

// `off` is false to many a reader, and 12:30 is 750.
TEST(Terminal, YamlIsWhatItWasForReadersOfVersion11) {
  for (const auto* text : {"yes",
                           "NO",
                           "On",
                           "off",
                           "y",
                           "N",
                           "TRUE",
                           "null",
                           "~",
                           "=",
                           "<<",
                           "12:30",
                           "1_000",
                           "0x1F",
                           "1e3",
                           "+1",
                           ".5",
                           ".inf",
                           "2026-12-18",
                           "2026-12-18T18:00:00Z",
                           "2026-12-18 18:00:00",
                           "5",
                           "-1",
                           "- a",
                           "a: b",
                           "a #b",
                           "tab\there",
                           "",
                           " a",
                           "a:",
                           "@a",
                           "2.4.0"}) {
    EXPECT_EQ(yaml_text(json::value(text)), to_json_text(json::value(text)) + "\n") << text;
    EXPECT_EQ(yaml_text(json::object{{text, 1}}), to_json_text(json::value(text)) + ": 1\n")
        << text;
  }
  for (const auto* text : {"winter-raid", "RollingOut", "30m", "it is on", "yesterday", "r7"})
    EXPECT_EQ(yaml_text(json::value(text)), std::string(text) + "\n");
}

}  // namespace
}  // namespace showcaller
