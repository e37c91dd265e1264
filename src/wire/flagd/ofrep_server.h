// SPDX-License-Identifier: Apache-2.0
// An HTTP server that speaks OFREP over a feed of flags, and nothing else. What `flagd start`
// serves beside gRPC; the API has the same below its own routes.
//
//   POST /ofrep/v1/evaluate/flags[/{key}], GET /ofrep/v1/configuration   codec/ofrep.h
//   GET  /ofrep/v1/sse[?selector=…]                                      events, as told with all
//   flags OPTIONS                                                              for browsers of
//   other origins
//
// Threads: the HTTP server's; nothing blocks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/http_server.h"
#include "wire/flagd/context_enrichment.h"
#include "wire/flagd/flag_feed.h"
#include "wire/flagd/flag_streams.h"

namespace showcaller {

struct OfrepServerOptions {
  HttpServerOptions http;
  ContextEnrichment context;
  std::vector<std::string> origins;  // that browsers may ask from; "*": all
  bool event_streams = true;
  std::string public_url;  // told as the origin of the event stream; empty: where the provider asks
  int inactivity_s = 120;
};

class OfrepServer {
 public:
  // Feed and streams outlive it.
  static Result<std::unique_ptr<OfrepServer>> start(OfrepServerOptions options, FlagFeed* feed,
                                                    FlagStreams* streams);
  ~OfrepServer();

  std::string url() const;
  HttpServerStats stats() const;

 private:
  OfrepServer();
  struct State;
  std::unique_ptr<State> state_;
};

// A stream of refetch events for this caller. `last_seen`: the id of the last event he had, else
// the fingerprint of his flags as he comes. Feed and streams outlive it.
void tell_of_changes(std::shared_ptr<ResponseStream> stream, FlagFeed* feed, FlagStreams* streams,
                     std::string token, std::string selector, std::string last_seen);
HttpResponse event_stream_head();

}  // namespace showcaller
