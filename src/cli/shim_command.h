// SPDX-License-Identifier: Apache-2.0
// `showcaller shim`: the process between the server and one game server. Started by the process
// driver, not by people; parsed by hand, for it starts as often as game servers do.
#pragma once

namespace showcaller {

// argv[1] is "shim". Returns the exit code.
int shim_command(int argc, char** argv);

}  // namespace showcaller
