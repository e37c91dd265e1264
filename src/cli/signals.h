// SPDX-License-Identifier: Apache-2.0
// The signals that end a server. Threads: the main one.
#pragma once

namespace showcaller {

// Before any thread starts, so that every thread inherits it. Ignores SIGPIPE.
void block_end_signals();
// Returns when SIGINT or SIGTERM has come.
void wait_for_end_signal();

}  // namespace showcaller
