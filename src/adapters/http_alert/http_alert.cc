// SPDX-License-Identifier: Apache-2.0
#include "adapters/http_alert/http_alert.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "codec/alert_formats.h"

namespace showcaller {
namespace {

constexpr std::size_t kAnswerKeptMax = 200;
constexpr std::size_t kAnswerBytesMax = 64 << 10;
constexpr std::string_view kStopping = "the server is stopping";

// What a stranger wrote, fit for a record: printable, on one line, short.
std::string tamed(std::string_view text) {
  std::string out(text.substr(0, kAnswerKeptMax));
  std::replace_if(out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, ' ');
  return out;
}

bool comes_again(int status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

struct Target {
  std::string base, path;
};

// "http://host:1/a/b?c" is "http://host:1" and "/a/b?c".
Target target_of(const std::string& url) {
  const std::size_t authority = url.find("://");
  const std::size_t path =
      authority == std::string::npos ? authority : url.find_first_of("/?", authority + 3);
  if (path == std::string::npos) return {url, "/"};
  return {url.substr(0, path), url[path] == '?' ? "/" + url.substr(path) : url.substr(path)};
}

// The address and the secret of a route, looked up.
struct Access {
  std::string url, secret;
};

Result<Access> access_to(const AlertRoute& route, const HttpAlertOptions& options) {
  Access out{route.url, {}};
  if (!route.url_secret.empty()) {
    TRY(out.url, options.secret(route.url_secret));
  }
  if (!route.secret.empty()) {
    TRY(out.secret, options.secret(route.secret));
  }
  if (out.url.empty() && route.type == RouteType::PagerDuty) out.url = options.pager_duty_url;
  if (route.type == RouteType::Alertmanager) {
    while (out.url.ends_with('/')) out.url.pop_back();
    out.url += "/api/v2/alerts";
  }
  return out;
}

std::string body_for(const AlertMessage& message, const Access& access, Instant now) {
  switch (message.route.type) {
    case RouteType::Alertmanager:
      return alertmanager_body(message.alert, now);
    case RouteType::Webhook:
      return cloud_event_body(message.alert, now);
    case RouteType::Slack:
      return slack_body(message.alert);
    case RouteType::PagerDuty:
      return pager_duty_body(message.alert, access.secret);
  }
  return {};
}

HttpClientRequest request_for(const AlertMessage& message, const Access& access, Instant now) {
  HttpClientRequest request;
  request.method = "POST";
  request.target = target_of(access.url).path;
  request.body = body_for(message, access, now);
  const bool is_webhook = message.route.type == RouteType::Webhook;
  request.headers.add("Content-Type",
                      is_webhook ? "application/cloudevents+json" : "application/json");
  if (is_webhook) {
    request.headers.add("Idempotency-Key", fmt::format("{}/{}", get_string(message.alert, "id"),
                                                       get_int(message.alert, "change")));
  }
  if (!access.secret.empty() && message.route.type != RouteType::PagerDuty)
    request.headers.add("Authorization", "Bearer " + access.secret);
  return request;
}

}  // namespace

HttpAlert::HttpAlert(HttpAlertOptions options)
    : options_(std::move(options)), queue_(options_.waiting_max, options_.threads) {}

void HttpAlert::send(const AlertMessage& message, Outcome done) {
  const CallQueue::Put put = queue_.put([this, message, done](CallQueue::Turn turn) {
    if (turn == CallQueue::Turn::Never) return done(AlertSent::Again, std::string(kStopping));
    post(message, done);
  });
  if (put == CallQueue::Put::Ending) return done(AlertSent::Again, std::string(kStopping));
  if (put == CallQueue::Put::Full)
    done(AlertSent::Again, fmt::format("{} messages wait already", options_.waiting_max));
}

void HttpAlert::post(const AlertMessage& message, const Outcome& done) {
  const auto access = access_to(message.route, options_);
  if (!access) return done(AlertSent::Again, tamed(access.error().message));
  HttpClientOptions client_options;
  client_options.base_url = target_of(access->url).base;
  client_options.tls = options_.tls;
  client_options.timeout = seconds(10);
  client_options.body_bytes_max = kAnswerBytesMax;
  HttpClient client(std::move(client_options));
  const auto answer = queue_.exchange(&client, request_for(message, *access, options_.wall()));
  // The client's words may name the address, which may be a secret.
  if (!answer) {
    const bool may_tell = message.route.url_secret.empty();
    return done(AlertSent::Again,
                may_tell ? tamed(answer.error().message) : "the route cannot be reached");
  }
  std::string detail = fmt::format("{} {}", answer->status, reason_phrase(answer->status));
  if (answer->status >= 200 && answer->status < 300)
    return done(AlertSent::Delivered, std::move(detail));
  if (!answer->body.empty()) detail += ": " + tamed(answer->body);
  done(comes_again(answer->status) ? AlertSent::Again : AlertSent::Refused, std::move(detail));
}

}  // namespace showcaller
