// SPDX-License-Identifier: Apache-2.0
#include "cli/flag/flagd_words.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/cli.h"
#include "cli/flag/flag_document.h"
#include "cli/flag/flagd_start.h"
#include "cli/terminal.h"

namespace showcaller {
namespace {

// Options that take time as flagd's do, and what is kept between the words.
struct FlagdWords {
  FlagdStart start;
  std::string stream_deadline = "0s", log_format = "console", metrics_exporter, config, refused;
};

std::string environment_name(std::string name) {
  std::ranges::transform(name, name.begin(), [](char c) {
    return c == '-' ? '_' : c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c;
  });
  return "FLAGD_" + name;
}

// "-p", "port" -> "-p,--port" and FLAGD_PORT.
template <class T>
CLI::Option* flagd_option(CLI::App* app, const std::string& letter, const std::string& name,
                          T& value, const std::string& help) {
  const std::string names = letter.empty() ? "--" + name : letter + ",--" + name;
  return app->add_option(names, value, help)->envname(environment_name(name));
}

// May be repeated, and each may be several with commas.
void flagd_list(CLI::App* app, const std::string& letter, const std::string& name,
                std::vector<std::string>& values, const std::string& help) {
  flagd_option(app, letter, name, values, help)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->take_all();
}

// What a member of a configuration file says, as words of its option.
std::vector<std::string> words_of_member(const std::string& name, const json::value& value) {
  const auto text = [](const json::value& each) {
    return each.is_string() ? std::string(each.get_string()) : to_json_text(each);
  };
  std::vector<std::string> words;
  if (name == "sources") return {to_json_text(value)};
  if (const auto* members = value.if_object()) {
    for (const auto& [key, each] : *members)
      words.push_back(fmt::format("{}={}", std::string_view(key), text(each)));
  } else if (const auto* items = value.if_array()) {
    for (const json::value& each : *items) words.push_back(text(each));
  } else {
    words.push_back(text(value));
  }
  return words;
}

// Each member is an option's name; what the command line or the environment says counts before it.
Status apply_config(CLI::App* app, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  SourceFile source{path, {std::istreambuf_iterator<char>(file), {}}};
  if (!file)
    return fail(ErrorCode::Invalid, fmt::format("cannot read '{}'; --config names a file", path));
  TRY(const json::value config, read_flag_document(source));
  if (!config.is_object())
    return fail(ErrorCode::Invalid, fmt::format("{}: it is no object of options", path));
  for (const auto& [key, value] : config.get_object()) {
    const std::string name(key);
    CLI::Option* option = app->get_option_no_throw("--" + name);
    if (option == nullptr || name == "config") {
      return fail(ErrorCode::Invalid,
                  fmt::format("{}: there is no option '{}'; take it out", path, name));
    }
    if (option->count() > 0) continue;
    option->add_result(words_of_member(name, value));
    option->run_callback();
  }
  return {};
}

void add_sources(CLI::App* app, FlagdStart& o) {
  flagd_list(app, "-f", "uri", o.uris,
             "file:PATH, http(s)://URL or grpc(s)://HOST:PORT; a later one counts before those "
             "before it");
  flagd_option(app, "-s", "sources", o.sources,
               "JSON array of sources: uri, provider (file, http, grpc) and flagd's other members");
  flagd_option(app, "", "selector-fallback-key", o.selector_fallback_key,
               "What a selector without '=' is: source or flagSetId")
      ->check(CLI::IsMember({"source", "flagSetId"}))
      ->capture_default_str();
}

void add_listening(CLI::App* app, FlagdWords& w) {
  FlagdStart& o = w.start;
  app->add_option("--bind", o.address, "Address to listen on; 0.0.0.0: all, as flagd does")
      ->capture_default_str();
  flagd_option(app, "-p", "port", o.port, "gRPC evaluation; 0: the system chooses")
      ->capture_default_str();
  flagd_option(app, "-g", "sync-port", o.sync_port, "gRPC sync")->capture_default_str();
  flagd_option(app, "-r", "ofrep-port", o.ofrep_port, "OFREP")->capture_default_str();
  flagd_option(app, "-m", "management-port", o.management_port, "/healthz, /readyz, /metrics")
      ->capture_default_str();
  flagd_option(app, "-d", "socket-path", o.socket_path,
               "Unix socket of evaluation, instead of --port");
  flagd_option(app, "-e", "sync-socket-path", o.sync_socket_path,
               "Unix socket of sync, instead of --sync-port");
  flagd_option(app, "-c", "server-cert-path", o.certificate_file, "PEM certificate of gRPC");
  flagd_option(app, "-k", "server-key-path", o.key_file, "PEM key of gRPC");
  flagd_option(app, "", "stream-deadline", w.stream_deadline,
               "Streams end after so long; 0s: they do not")
      ->capture_default_str();
  flagd_option(app, "", "max-request-body", o.request_bytes_max, "Bytes of a request")
      ->check(CLI::Range(std::size_t(1), std::size_t(64 << 20)))
      ->capture_default_str();
}

void add_answers(CLI::App* app, FlagdWords& w) {
  FlagdStart& o = w.start;
  flagd_list(app, "-X", "context-value", o.context_values,
             "KEY=VALUE added to every context, and told to sync clients");
  flagd_list(app, "-H", "context-from-header", o.context_from_headers,
             "HEADER=KEY: a header's value added to the context");
  flagd_list(app, "-C", "cors-origin", o.cors_origins,
             "Origins whose browsers may use OFREP; *: all");
  app->add_flag("--disable-sync-metadata", o.disable_sync_metadata,
                "Without sync's old GetMetadata")
      ->envname(environment_name("disable-sync-metadata"));
  app->add_flag("--ofrep-sse-enabled", o.ofrep_event_streams, "Tell OFREP clients of changes")
      ->envname(environment_name("ofrep-sse-enabled"))
      ->capture_default_str();
  flagd_option(app, "", "ofrep-sse-inactivity-delay", o.ofrep_inactivity_s,
               "Seconds after which an unused OFREP client hangs up")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  flagd_option(app, "", "ofrep-sse-public-url", o.ofrep_public_url,
               "Where OFREP clients reach this server, when not where they ask");
  flagd_option(app, "-z", "log-format", w.log_format, "console or json")
      ->check(CLI::IsMember({"console", "json"}))
      ->capture_default_str();
  app->add_flag("-x,--debug", o.debug, "Log more");
  flagd_option(app, "-t", "metrics-exporter", w.metrics_exporter, "prometheus alone is spoken")
      ->check(CLI::IsMember({"", "prometheus"}));
}

// flagd's, and not ours: said rather than ignored.
void add_refused(CLI::App* app, FlagdWords& w) {
  for (const char* name : {"-o,--otel-collector-uri", "-D,--otel-cert-path", "-K,--otel-key-path",
                           "-A,--otel-ca-path", "-I,--otel-reload-interval"}) {
    app->add_option(name, w.refused, "Refused: OpenTelemetry is not exported")
        ->check([](const std::string&) {
          return std::string(
              "OpenTelemetry is not exported; leave it out, and scrape /metrics of "
              "the management port");
        });
  }
}

int act(CLI::App* app, FlagdWords& w) {
  const auto refuse = [](const Error& error) {
    print_error(error);
    return int(kExitUsage);
  };
  if (!w.config.empty()) {
    if (const Status applied = apply_config(app, w.config); !applied)
      return refuse(applied.error());
  }
  const auto deadline = parse_duration(w.stream_deadline == "0" ? "0s" : w.stream_deadline);
  if (!deadline) return refuse(deadline.error());
  w.start.stream_deadline = *deadline;
  w.start.log_json = w.log_format == "json";
  return flagd_start(w.start);
}

}  // namespace

void add_flagd_words(CLI::App* app, int* code) {
  const auto words = std::make_shared<FlagdWords>();
  CLI::App* flagd =
      app->add_subcommand("flagd", "Serve flags of files and URLs to OpenFeature's clients");
  flagd->require_subcommand(1);
  CLI::App* start = flagd->add_subcommand(
      "start", "flagd's server with flagd's options (docs/flags.md tells the differences)");
  start->footer(
      "Examples:\n  showcaller flagd start --uri file:flags.json\n"
      "  showcaller flagd start -f file:base.yaml -f file:ours.json -X region=eu -H "
      "X-Tenant=tenant\n"
      "Each option may stand in the environment as FLAGD_NAME, and in a file for --config.");
  add_sources(start, words->start);
  add_listening(start, *words);
  add_answers(start, *words);
  add_refused(start, *words);
  start->add_option("--config", words->config, "YAML or JSON file of these options");
  start->callback([start, words, code] { *code = act(start, *words); });
}

}  // namespace showcaller
