// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "net/http_client.h"
#include "showcaller/transport.h"

namespace showcaller::sdk {
namespace {

HttpClientRequest to_http(const TransportRequest& request) {
  HttpClientRequest out{.method = request.method, .target = request.target, .body = request.body};
  for (const auto& [name, value] : request.headers) out.headers.add(name, value);
  return out;
}

TransportResponse from_http(Result<HttpResponse> answer) {
  if (!answer) return {.error = answer.error().message};
  TransportResponse response{.status = answer->status,
                             .body = std::move(answer->body),
                             .etag = std::string(answer->headers.get("ETag"))};
  const std::string_view wait = answer->headers.get("Retry-After");
  std::from_chars(wait.data(), wait.data() + wait.size(), response.retry_after_s);
  return response;
}

class HttpTransport : public Transport {
 public:
  explicit HttpTransport(HttpTransportOptions options)
      : options_(std::move(options)), client_(client_options(options_.timeout_ms)) {}

  TransportResponse send(const TransportRequest& request) override {
    return from_http(client_.send(to_http(request)));
  }
  void interrupt() override { client_.interrupt(); }

  bool has_streams() const override { return true; }
  TransportResponse stream(const TransportRequest& request, const OnBytes& on_bytes) override {
    // A connection of its own, which an interruption ends for good.
    const auto client = std::make_shared<HttpClient>(client_options(options_.silence_ms));
    {
      const std::lock_guard lock(mutex_);
      streaming_ = client;
    }
    auto response = from_http(client->stream(to_http(request), on_bytes));
    const std::lock_guard lock(mutex_);
    streaming_.reset();
    return response;
  }
  void interrupt_stream() override {
    const std::lock_guard lock(mutex_);
    if (streaming_) streaming_->interrupt();
  }

 private:
  HttpClientOptions client_options(std::int64_t timeout_ms) const {
    return {.base_url = options_.url,
            .tls = {.ca_file = options_.ca_file},
            .timeout = Duration(timeout_ms)};
  }

  const HttpTransportOptions options_;
  HttpClient client_;
  std::mutex mutex_;
  std::shared_ptr<HttpClient> streaming_;
};

}  // namespace

TransportResponse Transport::stream(const TransportRequest&, const OnBytes&) {
  return {.status = 501, .error = "this transport has no streams"};
}

std::unique_ptr<Transport> make_http_transport(const HttpTransportOptions& options) {
  return std::make_unique<HttpTransport>(options);
}

}  // namespace showcaller::sdk
