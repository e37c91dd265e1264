// SPDX-License-Identifier: Apache-2.0
#include "adapters/http_action/http_action.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"

namespace showcaller {
namespace {

constexpr std::size_t kAnswerKeptMax = 200;
constexpr std::size_t kAnswerBytesMax = 64 << 10;
constexpr std::string_view kStopping = "the server is stopping";

std::string body_of(const ActionCall& call) {
  return to_json_text(json::object{{"event", call.event},
                                   {"revision", call.revision},
                                   {"step", call.step},
                                   {"direction", enum_name(call.direction)},
                                   {"attempt", call.attempt},
                                   {"path", call.path},
                                   {"epoch", call.epoch}});
}

// What a stranger wrote, fit for a record: printable, on one line, short.
std::string tame(std::string_view text) {
  std::string out(text.substr(0, kAnswerKeptMax));
  std::replace_if(out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, ' ');
  return out;
}

bool may_be_tried_again(int status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

std::pair<StepOutcome, std::string> outcome_of_answer(const HttpResponse& answer) {
  std::string detail = fmt::format("{} {}", answer.status, reason_phrase(answer.status));
  if (answer.status >= 200 && answer.status < 300) return {StepOutcome::Done, std::move(detail)};
  if (!answer.body.empty()) detail += ": " + tame(answer.body);
  return {may_be_tried_again(answer.status) ? StepOutcome::Unknown : StepOutcome::Failed,
          std::move(detail)};
}

struct Endpoint {
  std::string base, target;
};

// "http://host:1/a/b?c" is "http://host:1" and "/a/b?c".
Endpoint endpoint_of(const std::string& url) {
  const std::size_t authority = url.find("://");
  const std::size_t path =
      authority == std::string::npos ? authority : url.find_first_of("/?", authority + 3);
  if (path == std::string::npos) return {url, "/"};
  std::string target = url.substr(path);
  if (target.front() == '?') target.insert(0, "/");
  return {url.substr(0, path), std::move(target)};
}

}  // namespace

HttpAction::HttpAction(HttpActionOptions options)
    : options_(std::move(options)), queue_(options_.waiting_max, options_.threads) {}

void HttpAction::call(const ActionCall& call, Outcome done) {
  if (!call.problem.empty()) return done(StepOutcome::Failed, call.problem);
  const CallQueue::Put put = queue_.put([this, call, done](CallQueue::Turn turn) {
    if (turn == CallQueue::Turn::Never) return done(StepOutcome::Unknown, std::string(kStopping));
    auto [outcome, detail] = send(call);
    done(outcome, std::move(detail));
  });
  if (put == CallQueue::Put::Ending) return done(StepOutcome::Unknown, std::string(kStopping));
  if (put == CallQueue::Put::Full) {
    done(StepOutcome::Unknown,
         fmt::format("{} calls are waiting already; it will be tried again", options_.waiting_max));
  }
}

std::pair<StepOutcome, std::string> HttpAction::send(const ActionCall& call) {
  const Endpoint endpoint = endpoint_of(call.url);
  HttpClientOptions options;
  options.base_url = endpoint.base;
  options.tls = options_.tls;
  options.connect_timeout = std::min(call.timeout, Duration(seconds(5)));
  options.timeout = call.timeout;
  options.body_bytes_max = kAnswerBytesMax;
  HttpClient client(std::move(options));
  HttpClientRequest request;
  request.method = "POST";
  request.target = endpoint.target;
  request.headers = {{"Content-Type", "application/json"},
                     {"Idempotency-Key", call.idempotency_key},
                     {"Showcaller-Epoch", std::to_string(call.epoch)}};
  if (!call.traceparent.empty()) request.headers.add("traceparent", call.traceparent);
  request.body = body_of(call);
  const Result<HttpResponse> answer = queue_.exchange(&client, request);
  if (!answer) return {StepOutcome::Unknown, tame(answer.error().message)};
  return outcome_of_answer(*answer);
}

}  // namespace showcaller
