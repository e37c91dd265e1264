// SPDX-License-Identifier: Apache-2.0
#include "adapters/polled_url/polled_url.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "net/http_client.h"

namespace showcaller {
namespace {

// "http://host:1/a/b?c" is "http://host:1" and "/a/b?c".
std::pair<std::string, std::string> base_and_target(const std::string& url) {
  const auto authority = url.find("://");
  const auto path = authority == url.npos ? url.npos : url.find('/', authority + 3);
  if (path == url.npos) return {url, "/"};
  return {url.substr(0, path), url.substr(path)};
}

HttpClientOptions client_options(const PolledUrlOptions& options) {
  HttpClientOptions client;
  client.base_url = base_and_target(options.url).first;
  for (const auto& [name, value] : options.headers) client.headers.add(name, value);
  client.timeout = options.timeout;
  client.body_bytes_max = PolledUrl::kBytesMax;
  return client;
}

}  // namespace

struct PolledUrl::State {
  explicit State(PolledUrlOptions with)
      : options(std::move(with)), client(client_options(options)) {}
  ~State() {
    if (!thread.joinable()) return;
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    stopped.notify_all();
    client.interrupt();
    thread.join();
  }

  void run() {
    std::unique_lock lock(mutex);
    do {
      lock.unlock();
      auto got = ask();
      lock.lock();
      if (stopping) return;
      if (got && is_news(*got)) {
        told = *got;
        lock.unlock();
        sink(*std::move(got));
        lock.lock();
      }
    } while (!stopped.wait_for(lock, options.interval, [this] { return stopping; }));
  }

  // An error that follows on an error tells nothing new, however it is worded.
  bool is_news(const Result<std::string>& got) const {
    return !told || !(*told == got || (!*told && !got));
  }

  // Nothing when the server says that it is as before.
  std::optional<Result<std::string>> ask() {
    HttpClientRequest request{.target = base_and_target(options.url).second};
    if (!etag.empty()) request.headers.add("If-None-Match", etag);
    auto answer = client.send(request);
    if (!answer) return std::unexpected(answer.error());
    if (answer->status == 304 && told && *told) return std::nullopt;
    if (answer->status != 200) {
      etag.clear();
      return fail(ErrorCode::Unavailable,
                  fmt::format("'{}' answers {} {}; it is asked again", options.url, answer->status,
                              reason_phrase(answer->status)));
    }
    etag = answer->headers.get("ETag");
    return std::move(answer->body);
  }

  const PolledUrlOptions options;
  HttpClient client;
  DocumentSink sink;
  std::string etag;
  std::optional<Result<std::string>> told;
  std::mutex mutex;
  std::condition_variable stopped;
  bool stopping = false;
  std::thread thread;
};

PolledUrl::PolledUrl(PolledUrlOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}
PolledUrl::~PolledUrl() = default;

void PolledUrl::start(DocumentSink sink) {
  state_->sink = std::move(sink);
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

}  // namespace showcaller
