// SPDX-License-Identifier: Apache-2.0
// Which issuer of identities people sign in by at `showcaller serve`: its words, and what comes of
// them. Who may do what is no word of the command line: it stands in Policies.
#pragma once

#include <memory>

#include "adapters/oidc/oidc_provider.h"
#include "base/result.h"
#include "cli/serve/serve.h"

namespace CLI {
class App;
}

namespace showcaller {

void add_oidc_words(CLI::App* serve, OidcWords* words);
// Nothing: none is named. Invalid: what is missing, or not as it has to be.
Result<std::optional<OidcOptions>> oidc_from_words(const OidcWords& words);

}  // namespace showcaller
