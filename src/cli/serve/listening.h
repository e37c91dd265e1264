// SPDX-License-Identifier: Apache-2.0
// What programs that listen have in common: their TLS identity as words of the command line, and
// how many connections they may have.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/result.h"
#include "net/http_server.h"

namespace showcaller {

// Half of a TLS identity is Invalid: it must not be served as none at all.
Result<std::optional<TlsServerOptions>> tls_from_words(const std::string& certificate,
                                                       const std::string& key,
                                                       const std::string& client_ca);

// Raises what the process may open to what the system allows. A game has thousands of readers of
// flags, each a connection; some descriptors are for all else.
std::size_t connections_max();

}  // namespace showcaller
