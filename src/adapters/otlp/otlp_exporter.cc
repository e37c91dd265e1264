// SPDX-License-Identifier: Apache-2.0
#include "adapters/otlp/otlp_exporter.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <iterator>

#include <fmt/format.h>

namespace showcaller {
namespace {

constexpr std::size_t kAnswerMax = 64 << 10;
constexpr std::size_t kSaysMax = 200;

// "http://h:1/v1/traces" is "http://h:1" and "/v1/traces".
std::pair<std::string, std::string> base_and_target(const std::string& url) {
  const std::size_t authority = url.find("://");
  const std::size_t path =
      authority == std::string::npos ? authority : url.find('/', authority + 3);
  if (path == std::string::npos) return {url, "/"};
  return {url.substr(0, path), url.substr(path)};
}

HttpClientOptions client_options(const OtlpExporterOptions& options) {
  HttpClientOptions client;
  client.base_url = base_and_target(options.url).first;
  client.headers = options.headers;
  client.headers.set("Content-Type", "application/x-protobuf");
  client.tls = options.tls;
  client.connect_timeout = std::min(options.timeout, Duration(seconds(5)));
  client.timeout = options.timeout;
  client.body_bytes_max = kAnswerMax;
  return client;
}

Instant wall_now() {
  return instant_ms(std::chrono::duration_cast<std::chrono::milliseconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count());
}

// What a stranger wrote, fit for a log line.
std::string tamed(std::string_view text) {
  std::string out(text.substr(0, kSaysMax));
  std::replace_if(out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, ' ');
  return out;
}

bool may_come_again(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

}  // namespace

std::optional<Duration> retry_after_of(std::string_view header, Instant now) {
  std::int64_t whole = 0;
  const auto read = std::from_chars(header.data(), header.data() + header.size(), whole);
  if (!header.empty() && read.ec == std::errc() && read.ptr == header.data() + header.size())
    return seconds(std::clamp<std::int64_t>(whole, 0, 86'400));
  std::tm parts{};
  if (strptime(std::string(header).c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) == nullptr)
    return std::nullopt;
  const Instant then = instant_ms(std::int64_t(timegm(&parts)) * 1'000);
  return std::max(Duration(0), then - now);
}

OtlpExporter::OtlpExporter(OtlpExporterOptions options)
    : options_(std::move(options)),
      target_(base_and_target(options_.url).second),
      client_(std::make_unique<HttpClient>(client_options(options_))),
      random_(options_.seed),
      thread_([this] { run(); }) {}

OtlpExporter::~OtlpExporter() {
  {
    std::unique_lock lock(mutex_);
    ending_ = true;
    end_at_ =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.end_within.count());
    changed_.notify_all();
    if (!changed_.wait_until(lock, end_at_, [this] { return ended_; })) client_->interrupt();
  }
  thread_.join();
}

void OtlpExporter::take(std::vector<Span> spans) {
  if (spans.empty()) return;
  {
    std::lock_guard lock(mutex_);
    waiting_.insert(waiting_.end(), std::make_move_iterator(spans.begin()),
                    std::make_move_iterator(spans.end()));
    for (; waiting_.size() > options_.waiting_max; ++stats_.dropped) waiting_.pop_front();
  }
  changed_.notify_one();
}

OtlpStats OtlpExporter::stats() const {
  std::lock_guard lock(mutex_);
  OtlpStats out = stats_;
  out.waiting = waiting_.size() + in_flight_;
  return out;
}

bool OtlpExporter::is_ending() const {
  std::lock_guard lock(mutex_);
  return ending_;
}

void OtlpExporter::run() {
  for (;;) {
    std::vector<Span> batch = next_batch();
    if (batch.empty()) break;
    send(std::move(batch));
  }
  std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

// Waits for one that is full, or old enough; empty: this is the end.
std::vector<Span> OtlpExporter::next_batch() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
  changed_.wait_for(lock, options_.batch_every,
                    [this] { return ending_ || waiting_.size() >= options_.batch_max; });
  if (ending_ && std::chrono::steady_clock::now() >= end_at_) {
    stats_.dropped += waiting_.size();
    waiting_.clear();
  }
  const auto size = std::ptrdiff_t(std::min(waiting_.size(), options_.batch_max));
  std::vector<Span> batch(std::make_move_iterator(waiting_.begin()),
                          std::make_move_iterator(waiting_.begin() + size));
  waiting_.erase(waiting_.begin(), waiting_.begin() + size);
  in_flight_ = batch.size();
  return batch;
}

void OtlpExporter::send(std::vector<Span> batch) {
  const std::string body = encode_otlp_spans(options_.resource, options_.scope, batch);
  Duration pause = options_.retry_first;
  for (;;) {
    const Outcome outcome = post(body);
    tell(outcome);
    std::unique_lock lock(mutex_);
    if (outcome.kind != Outcome::Kind::Again || ending_) {
      const bool taken = outcome.kind == Outcome::Kind::Taken;
      const std::uint64_t rejected = std::min<std::uint64_t>(outcome.rejected, batch.size());
      if (taken) stats_.sent += batch.size() - rejected;
      if (taken) stats_.refused += rejected;
      if (outcome.kind == Outcome::Kind::Refused) stats_.refused += batch.size();
      if (outcome.kind == Outcome::Kind::Again) {  // The end: nobody waits for it any longer.
        stats_.dropped += batch.size() + waiting_.size();
        waiting_.clear();
      }
      in_flight_ = 0;
      const std::size_t waiting = waiting_.size();
      lock.unlock();
      if (outcome.kind != Outcome::Kind::Again) options_.on_done(batch, waiting);
      return;
    }
    // By a quarter more or less, so that many servers do not come back together.
    const auto jitter = Duration(std::int64_t(random_.below(std::uint64_t(pause.count() / 2 + 1))));
    const Duration wait = outcome.wait ? std::min(*outcome.wait, options_.retry_after_max)
                                       : pause - pause / 4 + jitter;
    changed_.wait_for(lock, wait, [this] { return ending_; });
    ++stats_.retries;
    pause = std::min(pause * 2, options_.retry_max);
  }
}

OtlpExporter::Outcome OtlpExporter::post(const std::string& body) {
  HttpClientRequest request;
  request.method = "POST";
  request.target = target_;
  request.body = body;
  if (is_ending()) {
    HttpClientOptions hurried = client_options(options_);
    hurried.timeout = hurried.connect_timeout = options_.end_within;
    std::lock_guard lock(mutex_);
    client_ = std::make_unique<HttpClient>(std::move(hurried));
  }
  const Result<HttpResponse> answer = client_->send(request);
  if (!answer) return {Outcome::Kind::Again, 0, {}, tamed(answer.error().message)};
  if (answer->status >= 200 && answer->status < 300) {
    Outcome taken;
    const auto partial = decode_otlp_answer(answer->body);
    if (partial && partial->rejected > 0) {
      taken.rejected = std::uint64_t(partial->rejected);
      taken.says = tamed(partial->message);
    }
    return taken;
  }
  const std::string says =
      fmt::format("{} {}: {}", answer->status, reason_phrase(answer->status), tamed(answer->body));
  if (!may_come_again(answer->status)) return {Outcome::Kind::Refused, 0, {}, says};
  return {Outcome::Kind::Again, 0, retry_after_of(answer->headers.get("Retry-After"), wall_now()),
          says};
}

void OtlpExporter::tell(const Outcome& outcome) {
  const bool bad = outcome.kind != Outcome::Kind::Taken;
  if (bad == away_) return;
  away_ = bad;
  if (!bad) return options_.on_change({});
  const std::string_view what = outcome.kind == Outcome::Kind::Refused
                                    ? "refuses spans, and they are dropped"
                                    : "does not take spans; they wait, and the oldest make room";
  options_.on_change(fail(ErrorCode::Unavailable, fmt::format("the collector at {} {}: {}",
                                                              options_.url, what, outcome.says)));
}

}  // namespace showcaller
