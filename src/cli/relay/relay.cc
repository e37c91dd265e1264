// SPDX-License-Identifier: Apache-2.0
#include "cli/relay/relay.h"

#include <filesystem>
#include <memory>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <sodium.h>

#include "adapters/clock/system_clock.h"
#include "cli/cli.h"
#include "cli/private_file.h"
#include "cli/relay/relay_backend.h"
#include "cli/relay/relay_uplink.h"
#include "cli/serve/journal_feed.h"
#include "cli/serve/listening.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "cli/text_input.h"
#include "wire/api_routes.h"
#include "wire/edge_routes.h"
#include "wire/flag_updates.h"
#include "wire/flagd/flagd_server.h"
#include "wire/metric_table.h"
#include "wire/metrics_response.h"
#include "wire/relay_routes.h"

namespace showcaller {
namespace {

namespace relay_fs = std::filesystem;

Result<std::string> read_token(std::istream& in) {
  std::string token;
  in >> token;
  if (token.empty()) return fail(ErrorCode::Invalid, "there is no token in it; write one");
  return token;
}

// All that runs, in the order in which it may begin and, backwards, end.
struct Relay {
  explicit Relay(const RelayOptions& with)
      : options(with), log(2, parse_log_level(with.log_level).value_or(LogLevel::Info)) {}

  ~Relay() { stop(); }

  Status start();
  void stop();
  void build_router();
  void add_switch(std::string verb, std::string summary);
  json::object health() const;
  void refresh(MetricsRegistry& registry) const;

  const RelayOptions& options;
  SystemClock clock;
  Log log;
  MetricsRegistry metrics{kRelayMetricTable};
  FlagStreams streams;
  std::unique_ptr<RelayBackend> backend;
  std::unique_ptr<RelayUplink> uplink;
  std::unique_ptr<JournalFeed> feed;
  std::unique_ptr<FlagUpdates> updates;
  std::unique_ptr<Router> router;
  std::unique_ptr<HttpServer> http;
  std::unique_ptr<FlagdServer> flagd;
};

json::object Relay::health() const {
  json::object out{{"ready", backend->has_flags()},
                   {"line", uplink != nullptr && uplink->is_there()},
                   {"upstream", options.upstream},
                   {"region", options.region},
                   {"batches_waiting", backend->batches().size()},
                   {"batches_dropped", backend->batches().dropped()},
                   {"exports_waiting", backend->exports().size()},
                   {"exports_dropped", backend->exports().dropped()},
                   {"moves_untold", backend->untold().size()},
                   {"streams", streams.size()}};
  for (const RelaySpool* spool : {&backend->batches(), &backend->exposures()}) {
    if (const Status trouble = spool->trouble(); !trouble) out["trouble"] = trouble.error().message;
  }
  return out;
}

void Relay::refresh(MetricsRegistry& registry) const {
  registry.gauge("showcaller_relay_line").set(uplink && uplink->is_there() ? 1 : 0);
  registry.gauge("showcaller_relay_batches_waiting").set(double(backend->batches().size()));
  registry.counter("showcaller_relay_dropped", {"batch"}).set_total(backend->batches().dropped());
  registry.counter("showcaller_relay_dropped", {"evaluation"})
      .set_total(backend->exposures_dropped());
  registry.counter("showcaller_relay_dropped", {"export"}).set_total(backend->exports().dropped());
  registry.counter("showcaller_relay_dropped", {"refused"})
      .set_total(uplink ? uplink->batches_refused() : 0);
  registry.gauge("showcaller_flag_streams").set(double(streams.size()));
}

void Relay::add_switch(std::string verb, std::string summary) {
  const bool reopen = verb == "reopen";
  router->add({.method = "POST",
               .pattern = "/api/v1/flags/{flag}/" + verb,
               .id = verb + "Flag",
               .tag = "flags",
               .summary = std::move(summary),
               .body = BodyRule::Optional,
               .handler = [this, reopen](const auto& context, Answer answer) {
                 const auto body = object_body(context->request);
                 if (!body) return answer.fail(body.error());
                 auto notes =
                     backend->move_switch(context->actor, std::string(context->param("flag")),
                                          reopen, get_string(*body, "reason"));
                 if (!notes) return answer.fail(notes.error());
                 answer.ok(json::object{{"seq", 0}, {"notes", json::value_from(*notes)}});
               }});
}

void Relay::build_router() {
  router = std::make_unique<Router>(RouterPorts{
      .authenticate =
          [this](const HttpRequest& request) {
            return backend->authenticate(token_of(request.headers));
          },
      .authorize = [this](const RequestContext& context, std::string_view access) -> Status {
        if (access == kAnyToken) return {};
        return backend->authorize(context.actor, access, "");
      },
      .on_finished = [](const AccessLine&) {},
  });
  add_edge_routes(router.get(), {.backend = backend.get(),
                                 .metrics = &metrics,
                                 .flag_feed = feed.get(),
                                 .selections = &feed->selections(),
                                 .flag_streams = &streams,
                                 .flag_updates = updates.get()});
  add_relay_routes(
      router.get(),
      {.state = [this](const RequestContext&) { return backend->state(); },
       .hear =
           [this](MovesBelow moves, const auto&, Answer answer) {
             backend->hear_from_below(moves.flags);
             answer.ok(json::object{{"heard", moves.flags.size()}});
           },
       .exposed = [this](std::vector<LedgerEntry> entries) { backend->exposed(entries); }});
  add_otlp_relay_routes(router.get(), [this](OtlpExport taken, const Actor& actor) {
    backend->take_export(std::move(taken), actor);
  });
  add_switch("kill", "Its off variant for everybody below this relay at once");
  add_switch("reopen", "End a kill that was made at this relay");
  const auto health_route = [this](std::string path, bool always) {
    router->add({.method = "GET",
                 .pattern = std::move(path),
                 .id = always ? "relayLive" : "relayReady",
                 .tag = "service",
                 .summary = "How the relay is",
                 .access = kPublic,
                 .handler = [this, always](const auto&, Answer answer) {
                   answer.ok(health(), always || backend->has_flags() ? 200 : 503);
                 }});
  };
  health_route("/livez", true);
  health_route("/readyz", false);
  router->add({.method = "GET",
               .pattern = "/metrics",
               .id = "metrics",
               .tag = "service",
               .summary = "Metrics",
               .access = "read",
               .answer_type = "text/plain",
               .handler = [this](const auto& context, Answer answer) {
                 answer.send(metrics_response(metrics, context->request.headers.get("Accept")));
               }});
}

Status Relay::start() {
  TRY(auto tls, tls_from_words(options.tls_certificate, options.tls_key, options.tls_client_ca));
  TRY(const std::string token, with_text_input(options.token_file, read_token));
  const relay_fs::path data = relay_fs::absolute(options.data);
  TRY(make_private_folder(data));
  backend = std::make_unique<RelayBackend>(
      RelayBackendOptions{.state_file = (data / "state.json").string(),
                          .run = fmt::format("{:08x}", std::random_device()()),
                          .clock = [this] { return clock.wall(); },
                          .on_flags_changed = [this] { streams.changed(); },
                          .on_news =
                              [this] {
                                if (uplink) uplink->wake();
                              }});
  if (const Status loaded = backend->load(); !loaded && loaded.error().code != ErrorCode::NotFound)
    log.write(LogLevel::Warning, clock.wall(), loaded.error().message, {}, {});
  for (auto [spool, name] : {std::pair(&backend->batches(), "batches.waiting"),
                             std::pair(&backend->exposures(), "exposures.waiting")})
    TRY(spool->keep_in((data / name).string()));
  uplink = std::make_unique<RelayUplink>(
      RelayUplinkOptions{.url = options.upstream,
                         .token = token,
                         .ca_file = options.ca_file,
                         .place = options.name.empty() ? "relay-" + options.region : options.name,
                         .flags_file = (data / "flags.json").string()},
      backend.get(), &log);
  feed = std::make_unique<JournalFeed>(backend.get(), options.flagd_open);
  updates = std::make_unique<FlagUpdates>(backend.get(), &streams);
  build_router();
  metrics.on_scrape([this](MetricsRegistry& registry) { refresh(registry); });
  HttpServerOptions serving{
      .address = options.address, .port = options.port, .tls = std::move(tls)};
  serving.limits.connections = connections_max();
  serving.threads = options.http_threads;
  serving.admission = [this](const HttpRequest& request) { return router->admit(request); };
  serving.refusal = [this](const HttpRequest& read, int status, const std::string& reason) {
    return router->refuse(read, status, reason);
  };
  TRY(http, HttpServer::start(std::move(serving), [this](HttpRequest&& request, Responder answer) {
        router->handle(std::move(request), std::move(answer));
      }));
  if (options.flagd_port || options.flagd_sync_port) {
    FlagdServerOptions with;
    if (options.flagd_port) with.evaluation = {options.address, *options.flagd_port, ""};
    if (options.flagd_sync_port) with.sync = {options.address, *options.flagd_sync_port, ""};
    with.certificate_file = options.tls_certificate;
    with.key_file = options.tls_key;
    with.client_ca_file = options.tls_client_ca;
    TRY(flagd, FlagdServer::start(std::move(with), feed.get(), &streams));
  }
  if (!options.port_file.empty()) TRY(write_private(options.port_file, http->url() + "\n"));
  return {};
}

// Nobody is answered any more when the line is given up, and what still waits then is on the disk.
void Relay::stop() {
  streams.stop();
  flagd.reset();
  if (http) http->stop(seconds(2));
  http.reset();
  if (uplink) uplink->hand_on_rest(seconds(2));
  uplink.reset();
}

Status run_relay(const RelayOptions& options) {
  Relay relay(options);
  TRY(relay.start());
  relay.log.write(LogLevel::Info, relay.clock.wall(), "listening on " + relay.http->url(), {},
                  {{"upstream", options.upstream},
                   {"region", options.region},
                   {"flagd", relay.flagd ? relay.flagd->evaluation_address() : ""},
                   {"flagd_sync", relay.flagd ? relay.flagd->sync_address() : ""}});
  wait_for_end_signal();
  relay.log.write(LogLevel::Info, relay.clock.wall(), "stopping", {}, {});
  return {};
}

}  // namespace

int relay(const RelayOptions& options) {
  block_end_signals();
  if (sodium_init() < 0) return kExitInternal;
  if (const Status ran = run_relay(options); !ran) {
    print_error(ran.error());
    return ran.error().code == ErrorCode::Invalid ? kExitUsage : kExitNotServing;
  }
  return kExitOk;
}

}  // namespace showcaller
