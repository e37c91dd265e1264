// SPDX-License-Identifier: Apache-2.0
// The test program in its other roles: the shim (`--role shim …`) and a small obedient game server
// (`--role game`), so that the tests run real processes and need no other program.
#pragma once

#include <optional>

namespace showcaller::testing {

// The exit code when argv asks for another role; none: run the tests.
std::optional<int> run_other_role(int argc, char** argv);

}  // namespace showcaller::testing
