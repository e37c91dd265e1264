// SPDX-License-Identifier: Apache-2.0
// The program: server, command line and shim in one.
#include <cstring>

#include "cli/cli.h"
#include "cli/shim_command.h"

int main(int argc, char** argv) {
  // Shims start as often as game servers do: nothing of the command line is built for them.
  if (argc > 1 && std::strcmp(argv[1], "shim") == 0) return showcaller::shim_command(argc, argv);
  return showcaller::run_cli(argc, argv);
}
