// SPDX-License-Identifier: Apache-2.0
// What a shell needs to complete this command line. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace showcaller {

struct CompletionOption {
  std::string name;  // "--output", "-o"
  std::string help;
  std::vector<std::string> words;  // that may follow; empty: anything, or a file
  bool takes_value = true;
};

struct CompletionVerb {
  std::string name, help;
  std::vector<CompletionOption> options;
  std::vector<std::string> words;  // that may stand at its places, as far as they are a fixed set
};

// The first of the verbs is the program itself, whose options go with every verb. shell: "bash",
// "zsh" or "fish".
std::string completion_script(std::string_view shell, std::span<const CompletionVerb> verbs);

}  // namespace showcaller
