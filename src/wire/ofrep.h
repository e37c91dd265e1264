// SPDX-License-Identifier: Apache-2.0
// OFREP over HTTP messages, without a server: what to answer to a request below /ofrep/v1/.
//
// Threads: any. Never: authenticates; the router has done that and chose the options by who asks.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "codec/ofrep.h"
#include "flag/flag_set.h"
#include "net/http_message.h"

namespace showcaller {

// `answers`, where it is given, gets the numbers of what was answered.
HttpResponse handle_ofrep(const HttpRequest& request, const FlagSet& flags, Instant now,
                          const OfrepOptions& options = {},
                          std::vector<std::uint32_t>* answers = nullptr);

// Which flags the caller wants: the header Flagd-Selector, or `selector` in the query, for a
// browser's EventSource sends no headers.
std::string_view flag_selector_of(const HttpRequest& request);
// Where the caller of all flags hears of changes, of what he selects.
OfrepEventStream event_stream_for(const HttpRequest& request);
// How OFREP says that it will not answer.
HttpResponse ofrep_refusal(const Error& error);
inline constexpr std::string_view kFlagEventsPath = "/ofrep/v1/sse";

// The whole set as clients load it: GET /api/v1/flags/snapshot, with ETag and If-None-Match. For
// server keys only: it shows the rules.
HttpResponse handle_flag_snapshot(const HttpRequest& request, const FlagSet& flags);

}  // namespace showcaller
