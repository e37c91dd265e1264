// SPDX-License-Identifier: Apache-2.0
#include "adapters/probe_http/probe_http.h"

namespace showcaller {
namespace {

constexpr std::size_t kAnswerMax = 64 << 10;

}  // namespace

ProbeAnswer ProbeHttp::exchange(const ProbeStep& step, const ProbeContext& context,
                                Duration timeout) {
  const auto& http = std::get<HttpProbeStep>(step.what);
  const std::size_t authority = http.url.find("://");
  if (authority == std::string::npos) return {"'" + http.url + "' is no URL", 0, {}};
  const std::size_t path = std::min(http.url.find_first_of("/?", authority + 3), http.url.size());
  HttpClientOptions options;
  options.base_url = http.url.substr(0, path);
  options.tls = tls_;
  options.connect_timeout = options.timeout = timeout;
  options.body_bytes_max = kAnswerMax;
  HttpClientRequest request;
  request.method = http.method;
  request.target = http.url.substr(path);
  if (!request.target.starts_with('/')) request.target.insert(0, "/");
  request.headers.add("User-Agent", "showcaller-probe");
  if (!http.body.empty()) request.headers.add("Content-Type", "application/json");
  if (!context.traceparent.empty()) request.headers.add("traceparent", context.traceparent);
  for (const auto& [name, value] : http.headers) {
    const bool clean = (name + value).find_first_of("\r\n") == std::string::npos;
    if (!clean) return {"the header '" + name + "' has a line break", 0, {}};
    request.headers.set(name, value);
  }
  request.body = http.body;
  HttpClient client(std::move(options));
  const Result<HttpResponse> answer = client.send(request);
  if (!answer) return {answer.error().message, 0, {}};
  return {{}, answer->status, answer->body};
}

}  // namespace showcaller
