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

HttpAction::HttpAction(HttpActionOptions options) : options_(std::move(options)) {
  for (int i = 0; i < std::max(1, options_.threads); ++i) threads_.emplace_back([this] { work(); });
}

void HttpAction::stop() {
  std::deque<Waiting> dropped;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (HttpClient* client : under_way_) client->interrupt();
    dropped.swap(waiting_);
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  for (Waiting& waiting : dropped) waiting.done(StepOutcome::Unknown, std::string(kStopping));
}

void HttpAction::call(const ActionCall& call, Outcome done) {
  std::string problem = call.problem;
  StepOutcome outcome = StepOutcome::Failed;
  if (problem.empty()) {
    std::lock_guard lock(mutex_);
    if (!stopping_ && waiting_.size() < options_.waiting_max) {
      waiting_.push_back({call, std::move(done)});
      changed_.notify_one();
      return;
    }
    outcome = StepOutcome::Unknown;
    problem = stopping_ ? std::string(kStopping)
                        : fmt::format("{} calls are waiting already; it will be tried again",
                                      options_.waiting_max);
  }
  done(outcome, std::move(problem));
}

void HttpAction::work() {
  for (;;) {
    Waiting next;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    send(next);
  }
}

void HttpAction::send(const Waiting& waiting) {
  const ActionCall& call = waiting.call;
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

  std::list<HttpClient*>::iterator mine;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) client.interrupt();
    mine = under_way_.insert(under_way_.end(), &client);
  }
  const Result<HttpResponse> answer = client.send(request);
  {
    std::lock_guard lock(mutex_);
    under_way_.erase(mine);
  }
  if (!answer) return waiting.done(StepOutcome::Unknown, tame(answer.error().message));
  auto [outcome, detail] = outcome_of_answer(*answer);
  waiting.done(outcome, std::move(detail));
}

}  // namespace showcaller
