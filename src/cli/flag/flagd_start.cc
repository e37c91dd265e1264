// SPDX-License-Identifier: Apache-2.0
#include "cli/flag/flagd_start.h"

#include <atomic>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "adapters/clock/system_clock.h"
#include "cli/cli.h"
#include "cli/flag/flag_loader.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "wire/flagd/flagd_server.h"
#include "wire/flagd/management_server.h"
#include "wire/flagd/ofrep_server.h"

namespace showcaller {
namespace {

constexpr Duration kSourcePatience = seconds(30);

using Pairs = std::vector<std::pair<std::string, std::string>>;

Result<Pairs> pairs_of(const std::vector<std::string>& texts, std::string_view option) {
  Pairs pairs;
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    if (equals == text.npos || equals == 0) {
      return fail(ErrorCode::Invalid,
                  fmt::format("{} '{}' is no KEY=VALUE; write it so", option, text));
    }
    pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return pairs;
}

Result<ContextEnrichment> enrichment_of(const FlagdStart& options) {
  ContextEnrichment context;
  TRY(const Pairs values, pairs_of(options.context_values, "--context-value"));
  TRY(const Pairs headers, pairs_of(options.context_from_headers, "--context-from-header"));
  for (const auto& [key, value] : values) context.values[key] = value;
  for (auto [header, attribute] : headers) {
    for (char& c : header) c = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
    context.from_header[header] = attribute;
  }
  return context;
}

Result<std::vector<FlagSourceConfig>> sources_of(const FlagdStart& options) {
  std::vector<FlagSourceConfig> sources;
  for (const std::string& uri : options.uris) {
    TRY(auto source, parse_flag_source_uri(uri));
    sources.push_back(std::move(source));
  }
  if (!options.sources.empty()) {
    TRY(auto more, parse_flag_sources(options.sources));
    sources.insert(sources.end(), more.begin(), more.end());
  }
  if (sources.empty()) {
    return fail(ErrorCode::Invalid, "no source of flags; give --uri file:flags.json, or --sources");
  }
  return sources;
}

FlagdServerOptions grpc_options(const FlagdStart& options, const ContextEnrichment& context) {
  FlagdServerOptions grpc;
  grpc.evaluation = {options.address, options.port, options.socket_path};
  grpc.sync = {options.address, options.sync_port, options.sync_socket_path};
  grpc.certificate_file = options.certificate_file;
  grpc.key_file = options.key_file;
  grpc.request_bytes_max = options.request_bytes_max;
  grpc.services.context = context;
  grpc.services.stream_deadline = options.stream_deadline;
  grpc.services.metadata_endpoint = !options.disable_sync_metadata;
  return grpc;
}

OfrepServerOptions ofrep_options(const FlagdStart& options, ContextEnrichment context) {
  OfrepServerOptions ofrep;
  ofrep.http.address = options.address;
  ofrep.http.port = options.ofrep_port;
  ofrep.http.limits.body_bytes = options.request_bytes_max;
  ofrep.context = std::move(context);
  ofrep.origins = options.cors_origins;
  ofrep.event_streams = options.ofrep_event_streams;
  ofrep.public_url = options.ofrep_public_url;
  ofrep.inactivity_s = options.ofrep_inactivity_s;
  return ofrep;
}

void refresh_flagd_metrics(MetricsRegistry* metrics, const FlagdServer& flagd,
                           const FlagStreams& streams, const OfrepServer& ofrep) {
  for (std::size_t i = 0; i < flagd.counts().size(); ++i) {
    metrics->counter("showcaller_flagd_evaluations", {to_string(FlagReason(i))})
        .set_total(flagd.counts()[i].load(std::memory_order_relaxed));
  }
  metrics->gauge("showcaller_flagd_streams").set(double(streams.size()));
  metrics->counter("showcaller_flagd_ofrep_requests").set_total(ofrep.stats().requests);
}

// One line, so that whoever asked for port 0 learns what it became.
void print_addresses(const FlagdStart& options, const FlagdServer& flagd, const OfrepServer& ofrep,
                     const HttpServer& management) {
  const json::object addresses{{"evaluation", flagd.evaluation_address()},
                               {"sync", flagd.sync_address()},
                               {"ofrep", ofrep.url()},
                               {"management", management.url()}};
  std::string line;
  if (options.log_json) {
    line = to_json_text(json::object{{"listening", addresses}});
  } else {
    line = "listening";
    for (const auto& [name, address] : addresses)
      line += fmt::format(" {}={}", std::string_view(name), std::string_view(address.get_string()));
  }
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

Status run_flagd(const FlagdStart& options) {
  TRY(const auto sources, sources_of(options));
  TRY(const ContextEnrichment context, enrichment_of(options));
  TRY(parse_flag_selector("x", options.selector_fallback_key));
  SystemClock clock;
  Log log(2, options.debug ? LogLevel::Debug : LogLevel::Info,
          options.log_json ? LogFormat::Json : LogFormat::Text);
  MetricsRegistry metrics(kFlagdMetricTable);
  std::vector<std::string> names;
  for (const FlagSourceConfig& source : sources) names.push_back(source.name);
  SourcesFeed feed(names, options.selector_fallback_key, [&clock] { return clock.wall(); });
  FlagStreams streams;
  std::atomic<bool> ready = false;
  TRY(const auto management,
      start_management_server(
          {.address = options.address, .port = options.management_port},
          {.is_ready = [&ready] { return ready.load(); }, .metrics = &metrics}));
  FlagLoader loader(&feed, &log, [&](const std::string& source, std::string_view outcome) {
    metrics.counter("showcaller_flagd_source_reads", {source, outcome}).add();
    streams.changed();
  });
  TRY(loader.start(sources, kSourcePatience));
  TRY(const auto flagd, FlagdServer::start(grpc_options(options, context), &feed, &streams));
  TRY(const auto ofrep, OfrepServer::start(ofrep_options(options, context), &feed, &streams));
  const int scrape = metrics.on_scrape([&](MetricsRegistry& registry) {
    refresh_flagd_metrics(&registry, *flagd, streams, *ofrep);
  });
  ready = true;
  print_addresses(options, *flagd, *ofrep, *management);
  wait_for_end_signal();
  log.write(LogLevel::Info, clock.wall(), "stopping", {}, {});
  metrics.end_scrape(scrape);
  streams.stop();
  return {};
}

}  // namespace

int flagd_start(const FlagdStart& options) {
  block_end_signals();
  if (const Status ran = run_flagd(options); !ran) {
    print_error(ran.error());
    const bool usage =
        ran.error().code == ErrorCode::Invalid || ran.error().code == ErrorCode::Unsupported;
    return usage ? kExitUsage : kExitNotServing;
  }
  return kExitOk;
}

}  // namespace showcaller
