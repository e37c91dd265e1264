// SPDX-License-Identifier: Apache-2.0
// The console over HTTP: the page at / and at every path below /console/ (the page itself reads the
// rest of the path), its files at /assets/. No other path is touched: the API keeps its 404s.
//
// Files have names that change with what is in them, and may be kept for ever; the page is asked
// for again each time, by its ETag. Nothing here needs a token: the page shows nothing until
// somebody has signed in. These are no routes of the API, and its document does not tell of them.
#pragma once

#include "wire/console/console_files.h"
#include "wire/router.h"

namespace showcaller {

// `files` outlives the router.
void add_console_routes(Router* router, const ConsoleFiles* files);

}  // namespace showcaller
