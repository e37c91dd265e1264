// SPDX-License-Identifier: Apache-2.0
// The command line: verbs, their options, help and examples. docs/cli.md tells it; exit codes are
// below.
#pragma once

namespace showcaller {

// Scripts use them. Never renumber.
enum CliExit : int {
  kExitOk = 0,
  kExitRefused = 1,      // the server said no, or what was waited for did not come
  kExitUsage = 2,        // the words of the command line, or a manifest, are wrong
  kExitUnreachable = 3,  // no server answers
  kExitInternal = 4,     // ours to mend
  kExitNotServing = 5,   // `serve` cannot start, or go on
};

int run_cli(int argc, char** argv);

}  // namespace showcaller
