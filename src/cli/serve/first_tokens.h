// SPDX-License-Identifier: Apache-2.0
// The tokens that a server makes for itself: at its first start one for its admin, in a file that
// only the owner can read, and at any start one for the game servers it will start, if that one has
// gone.
//
// The files come before the records: a crash between the two leaves a token that opens nothing, and
// a new one is made. Threads: before the host's.
#pragma once

#include <filesystem>
#include <string>

#include "flow/port/journal.h"
#include "host/host.h"

namespace showcaller {

// Once in a journal's life: an admin's token that was revoked does not come back.
Status ensure_admin_token(Host* host, Journal* journal, const std::filesystem::path& path);
// The text of a token that is good.
Result<std::string> ensure_game_server_token(Host* host, const std::filesystem::path& path);

}  // namespace showcaller
