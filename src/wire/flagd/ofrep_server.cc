// SPDX-License-Identifier: Apache-2.0
#include "wire/flagd/ofrep_server.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "net/sse.h"
#include "wire/ofrep.h"
#include "wire/router.h"

namespace showcaller {
namespace {

constexpr auto kHeartbeatEvery = std::chrono::seconds(15);

class RefetchStream final : public FlagStream {
 public:
  RefetchStream(std::shared_ptr<ResponseStream> stream, FlagFeed* feed, std::string token,
                std::string selector, std::string last_seen)
      : stream_(std::move(stream)),
        feed_(feed),
        token_(std::move(token)),
        selector_(std::move(selector)),
        seen_(std::move(last_seen)) {}

  SteadyTime look(SteadyTime now) override {
    const auto flags = feed_->flags({token_, selector_});
    if (!flags) {
      stream_->close();
      return SteadyTime::max();
    }
    const std::string fingerprint((*flags)->fingerprint());
    const bool is_news = seen_ != fingerprint;
    if (is_news) {
      stream_->write(format_sse({fingerprint, "message", ofrep_refetch_event(fingerprint)}));
    } else if (now - sent_ >= kHeartbeatEvery) {
      stream_->write(std::string(kSseHeartbeat));
    }
    if (is_news || now - sent_ >= kHeartbeatEvery) sent_ = now;
    seen_ = fingerprint;
    return sent_ + kHeartbeatEvery;
  }
  void stop() override { stream_->close(); }

 private:
  const std::shared_ptr<ResponseStream> stream_;
  FlagFeed* const feed_;
  const std::string token_, selector_;
  std::string seen_;
  SteadyTime sent_ = std::chrono::steady_clock::now();
};

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return out;
}

}  // namespace

HttpResponse event_stream_head() {
  HttpResponse head;
  head.headers.add("Content-Type", "text/event-stream");
  head.headers.add("Cache-Control", "no-store");
  head.body = kSseHeartbeat;
  return head;
}

void tell_of_changes(std::shared_ptr<ResponseStream> stream, FlagFeed* feed, FlagStreams* streams,
                     std::string token, std::string selector, std::string last_seen) {
  const auto refetch = std::make_shared<RefetchStream>(stream, feed, std::move(token),
                                                       std::move(selector), std::move(last_seen));
  if (!streams->add(refetch)) return stream->close();
  stream->on_end([streams, which = refetch.get()] { streams->remove(which); });
}

struct OfrepServer::State {
  OfrepServerOptions options;
  FlagFeed* feed = nullptr;
  FlagStreams* streams = nullptr;
  std::unique_ptr<HttpServer> http;

  void handle(const HttpRequest& request, Responder responder) const {
    if (request.method == "OPTIONS") return responder.send(preflight(request));
    const FlagCaller caller{token_of(request.headers), flag_selector_of(request)};
    const auto flags = feed->flags(caller);
    if (!flags) return responder.send(allowed(request, ofrep_refusal(flags.error())));
    if (request.path == kFlagEventsPath && request.method == "GET" && options.event_streams) {
      return tell_of_changes(
          responder.stream(allowed(request, event_stream_head())), feed, streams,
          std::string(caller.token), std::string(caller.selector),
          std::string(request.headers.get("Last-Event-ID", (*flags)->fingerprint())));
    }
    responder.send(allowed(request, answer(request, **flags)));
  }

  HttpResponse answer(const HttpRequest& request, const FlagSet& flags) const {
    const EvaluationContext added = added_context(
        options.context, [&](const std::string& name) { return request.headers.find(name); });
    OfrepOptions ofrep{.added = &added};
    if (options.event_streams) ofrep.stream = stream_for(request);
    std::vector<std::uint32_t> answers;
    HttpResponse response = handle_ofrep(request, flags, feed->now(), ofrep, &answers);
    feed->answered(flags, answers);
    return response;
  }

  OfrepEventStream stream_for(const HttpRequest& request) const {
    OfrepEventStream stream = event_stream_for(request);
    stream.origin = options.public_url;
    stream.inactivity_s = options.inactivity_s;
    return stream;
  }

  bool is_allowed(std::string_view origin) const {
    return std::ranges::any_of(options.origins, [&](const std::string& each) {
      return each == "*" || lower_case(each) == lower_case(origin);
    });
  }

  HttpResponse allowed(const HttpRequest& request, HttpResponse response) const {
    if (options.origins.empty()) return response;
    response.headers.add("Vary", "Origin");
    const std::string_view origin = request.headers.get("Origin");
    if (origin.empty() || !is_allowed(origin)) return response;
    response.headers.add("Access-Control-Allow-Origin", origin);
    response.headers.add("Access-Control-Expose-Headers", "ETag, Retry-After");
    return response;
  }

  HttpResponse preflight(const HttpRequest& request) const {
    HttpResponse response = allowed(request, {.status = 204});
    response.headers.add("Allow", "GET, POST, OPTIONS");
    if (!response.headers.find("Access-Control-Allow-Origin")) return response;
    response.headers.add("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    if (const auto asked = request.headers.find("Access-Control-Request-Headers"))
      response.headers.add("Access-Control-Allow-Headers", *asked);
    response.headers.add("Access-Control-Max-Age", "7200");
    return response;
  }
};

OfrepServer::OfrepServer() : state_(std::make_unique<State>()) {}
OfrepServer::~OfrepServer() {
  if (state_->http) state_->http->stop(seconds(1));
}

Result<std::unique_ptr<OfrepServer>> OfrepServer::start(OfrepServerOptions options, FlagFeed* feed,
                                                        FlagStreams* streams) {
  std::unique_ptr<OfrepServer> server(new OfrepServer());
  State* state = server->state_.get();
  state->options = std::move(options);
  state->feed = feed;
  state->streams = streams;
  TRY(state->http,
      HttpServer::start(state->options.http, [state](HttpRequest&& request, Responder responder) {
        state->handle(request, std::move(responder));
      }));
  return server;
}

std::string OfrepServer::url() const {
  return state_->http->url();
}
HttpServerStats OfrepServer::stats() const {
  return state_->http->stats();
}

}  // namespace showcaller
