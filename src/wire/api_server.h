// SPDX-License-Identifier: Apache-2.0
// The API as a whole: HTTP server, router, watchers, workers, access log. The composition root
// starts one, and hands it each durable record by hub().publish().
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "host/port/identity_provider.h"
#include "host/port/span_sink.h"
#include "net/http_server.h"
#include "wire/api_backend.h"
#include "wire/console/console_files.h"
#include "wire/flag_selections.h"
#include "wire/flagd/flag_feed.h"
#include "wire/flagd/flag_streams.h"
#include "wire/log.h"
#include "wire/metrics.h"
#include "wire/watch_hub.h"

namespace showcaller {

struct ApiServerOptions {
  HttpServerOptions http;
  int workers = 2;
  std::size_t slow_requests_max = 256;
  Duration heartbeat = seconds(15);
  bool access_log = true;
  std::string version = "0";
  // They tell OFREP's clients of changed flags, and outlive the server; null: nobody does.
  FlagFeed* flag_feed = nullptr;
  const FlagSelections* selections = nullptr;
  FlagStreams* flag_streams = nullptr;
  // Outlives the server; null: no console is served.
  const ConsoleFiles* console = nullptr;
  // Where spans of requests go whose callers record their traces; null: nobody collects them.
  SpanSink* spans = nullptr;
  // Who vouches for people; outlives the server. Null: they sign in with tokens alone.
  IdentityProvider* identities = nullptr;
  // What browsers reach this server by, through whatever stands before it; empty: as they ask.
  std::string public_url;
  // The hub is there, and no request has come yet: what the first of them causes can be told.
  std::function<void(WatchHub&)> before_serving = [](WatchHub&) {};
};

class ApiServer {
 public:
  // All of these outlive the server. The registry has kMetricTable's rows.
  static Result<std::unique_ptr<ApiServer>> start(ApiServerOptions options, ApiBackend* backend,
                                                  MetricsRegistry* metrics, Log* log);
  ~ApiServer();

  std::uint16_t port() const;
  std::string url() const;
  WatchHub& hub();
  // Ends streams, lets requests under way finish.
  void stop(Duration grace = seconds(5));

 private:
  ApiServer();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace showcaller
