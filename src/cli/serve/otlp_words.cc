// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/otlp_words.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

#include "base/hash.h"
#include "cli/version.h"

namespace showcaller {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// The variable for traces alone, else the one for all signals.
std::string of_traces(const Environment& environment, std::string_view what) {
  const std::string own = environment(fmt::format("OTEL_EXPORTER_OTLP_TRACES_{}", what).c_str());
  if (!own.empty()) return own;
  return environment(fmt::format("OTEL_EXPORTER_OTLP_{}", what).c_str());
}

std::string below(std::string base) {
  while (base.ends_with('/')) base.pop_back();
  return base + "/v1/traces";
}

std::string url_of(const std::string& endpoint, const Environment& environment) {
  if (!endpoint.empty()) return below(endpoint);
  std::string url = environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  if (!url.empty()) return url;
  url = environment("OTEL_EXPORTER_OTLP_ENDPOINT");
  return url.empty() ? url : below(std::move(url));
}

// "a=b,c=d", percent-encoded as baggage is.
Result<std::vector<std::pair<std::string, std::string>>> pairs_of(std::string_view name,
                                                                  std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view pair = trimmed(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view key = trimmed(pair.substr(0, equals));
    const auto value = percent_decode(trimmed(pair.substr(std::min(equals + 1, pair.size()))));
    if (key.empty() || equals == pair.size() || !value) {
      return fail(ErrorCode::Invalid,
                  fmt::format("{} is no list of `name=value`, separated by commas", name));
    }
    out.emplace_back(key, *value);
  }
  return out;
}

Status put_headers(const Environment& environment, HttpHeaders* headers) {
  for (const char* name : {"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"}) {
    TRY(const auto pairs, pairs_of(name, environment(name)));
    for (const auto& [key, value] : pairs) {
      const bool clean = std::ranges::none_of(
          key + value, [](char c) { return std::uint8_t(c) < ' ' || c == 0x7f; });
      if (!clean)
        return fail(ErrorCode::Invalid, fmt::format("{} has a header with a line break", name));
      headers->set(key, value);
    }
  }
  return {};
}

Status put_timeout(const Environment& environment, Duration* timeout) {
  const std::string text = of_traces(environment, "TIMEOUT");
  if (text.empty()) return {};
  std::int64_t ms = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || ms <= 0)
    return fail(ErrorCode::Invalid,
                "OTEL_EXPORTER_OTLP_TIMEOUT is no number of milliseconds; write 10000");
  *timeout = Duration(ms);
  return {};
}

bool has(const SpanAttributes& attributes, std::string_view key) {
  return std::ranges::any_of(attributes, [&](const auto& pair) { return pair.first == key; });
}

}  // namespace

std::string process_environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

Result<std::optional<OtlpExporterOptions>> otlp_from_words(const std::string& endpoint,
                                                           const Environment& environment) {
  OtlpExporterOptions out;
  out.url = url_of(endpoint, environment);
  const bool off =
      environment("OTEL_SDK_DISABLED") == "true" || environment("OTEL_TRACES_EXPORTER") == "none";
  if (out.url.empty() || (off && endpoint.empty())) return std::nullopt;
  if (!out.url.starts_with("http://") && !out.url.starts_with("https://")) {
    return fail(ErrorCode::Invalid,
                fmt::format("'{}' is no URL of a collector; write http://127.0.0.1:4318", out.url));
  }
  const std::string protocol = of_traces(environment, "PROTOCOL");
  if (!protocol.empty() && protocol != "http/protobuf") {
    return fail(ErrorCode::Invalid,
                fmt::format("traces are sent as http/protobuf, not as '{}'; set "
                            "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, and the collector's HTTP "
                            "port (4318)",
                            protocol));
  }
  TRY(put_headers(environment, &out.headers));
  TRY(put_timeout(environment, &out.timeout));
  out.tls.ca_file = of_traces(environment, "CERTIFICATE");
  out.tls.certificate_file = of_traces(environment, "CLIENT_CERTIFICATE");
  out.tls.key_file = of_traces(environment, "CLIENT_KEY");
  TRY(const auto resource,
      pairs_of("OTEL_RESOURCE_ATTRIBUTES", environment("OTEL_RESOURCE_ATTRIBUTES")));
  const std::string name = environment("OTEL_SERVICE_NAME");
  if (!name.empty()) out.resource.emplace_back("service.name", name);
  for (const auto& [key, value] : resource)
    if (!has(out.resource, key)) out.resource.emplace_back(key, value);
  out.scope = {"showcaller", std::string(kVersion)};
  return out;
}

void add_own_resource(SpanAttributes* resource, const std::string& data) {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  const std::string id = to_hex(sha256(host, data)).substr(0, 32);
  const std::pair<std::string, SpanValue> own[] = {
      {"service.name", std::string("showcaller")},
      {"service.version", std::string(kVersion)},
      // A UUID, as the conventions would have it: version 8, whose bits are anybody's.
      {"service.instance.id", fmt::format("{}-{}-8{}-9{}-{}", id.substr(0, 8), id.substr(8, 4),
                                          id.substr(13, 3), id.substr(17, 3), id.substr(20))},
      {"host.name", std::string(host)},
      {"process.pid", std::int64_t(getpid())}};
  for (const auto& [key, value] : own)
    if (!has(*resource, key)) resource->emplace_back(key, value);
}

}  // namespace showcaller
