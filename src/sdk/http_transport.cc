// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <memory>
#include <string>
#include <utility>

#include "net/http_client.h"
#include "showcaller/transport.h"

namespace showcaller::sdk {
namespace {

class HttpTransport : public Transport {
 public:
  explicit HttpTransport(const HttpTransportOptions& options)
      : client_({.base_url = options.url,
                 .tls = {.ca_file = options.ca_file},
                 .timeout = Duration(options.timeout_ms)}) {}

  TransportResponse send(const TransportRequest& request) override {
    HttpClientRequest out{.method = request.method, .target = request.target, .body = request.body};
    for (const auto& [name, value] : request.headers) out.headers.add(name, value);
    auto answer = client_.send(out);
    if (!answer) return {.error = answer.error().message};
    TransportResponse response{.status = answer->status,
                               .body = std::move(answer->body),
                               .etag = std::string(answer->headers.get("ETag"))};
    const std::string_view wait = answer->headers.get("Retry-After");
    std::from_chars(wait.data(), wait.data() + wait.size(), response.retry_after_s);
    return response;
  }

  void interrupt() override { client_.interrupt(); }

 private:
  HttpClient client_;
};

}  // namespace

std::unique_ptr<Transport> make_http_transport(const HttpTransportOptions& options) {
  return std::make_unique<HttpTransport>(options);
}

}  // namespace showcaller::sdk
