// SPDX-License-Identifier: Apache-2.0
// OFREP over HTTP messages, without a server: what to answer to a request below /ofrep/v1/.
//
// Threads: any. Never: authenticates; the router has done that and chose the options by who asks.
#pragma once

#include "base/time.h"
#include "codec/ofrep.h"
#include "flag/flag_set.h"
#include "net/http_message.h"

namespace showcaller {

HttpResponse handle_ofrep(const HttpRequest& request, const FlagSet& flags, Instant now,
                          const OfrepOptions& options = {});

// The whole set as clients load it: GET /api/v1/flags/snapshot, with ETag and If-None-Match. For
// server keys only: it shows the rules.
HttpResponse handle_flag_snapshot(const HttpRequest& request, const FlagSet& flags);

}  // namespace showcaller
