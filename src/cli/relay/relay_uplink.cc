// SPDX-License-Identifier: Apache-2.0
#include "cli/relay/relay_uplink.h"

#include <utility>

#include <fmt/format.h>

#include "base/hash.h"
#include "cli/relay/relay_exports.h"
#include "net/sse.h"
#include "sdk/back_off.h"
#include "wire/edge_routes.h"
#include "wire/relay_routes.h"

namespace showcaller {
namespace {

constexpr Duration kSilenceMax = seconds(40);  // of the stream, which beats every 15 s
constexpr Duration kAnswerWithin = seconds(10);
constexpr std::size_t kBatchesAtOnce = 200;
constexpr std::size_t kExportsAtOnce = 50;
constexpr std::size_t kExposuresAtOnce = 1'000;
constexpr Duration kReportAnswersEvery = seconds(5);
constexpr std::size_t kEventBytesMax = 64u << 20;

// Whom each relay waits with is its own.
std::uint64_t seed_of(std::string_view place) {
  return hash64(place, std::uint64_t(std::chrono::steady_clock::now().time_since_epoch().count()));
}

Status expect(const Result<HttpResponse>& response) {
  if (!response) return std::unexpected(response.error());
  if (response->status < 300) return {};
  return fail(response->status == 429 ? ErrorCode::Limit : ErrorCode::Unavailable,
              fmt::format("status {}: {}", response->status, response->body.substr(0, 300)));
}

}  // namespace

RelayUplink::RelayUplink(RelayUplinkOptions options, RelayBackend* backend, Log* log)
    : options_(std::move(options)),
      backend_(*backend),
      log_(*log),
      store_(options_.flags_file, {}),
      client_(client_options(kAnswerWithin)) {
  (void)store_.load();  // Else all flags are asked for.
  follower_ = std::thread([this] { follow(); });
  talker_ = std::thread([this] { talk(); });
}

RelayUplink::~RelayUplink() {
  stopping_ = true;
  client_.interrupt();
  wake();
  {
    const std::lock_guard lock(mutex_);
    if (stream_) stream_->interrupt();
  }
  follower_.join();
  talker_.join();
}

HttpClientOptions RelayUplink::client_options(Duration timeout) const {
  return {.base_url = options_.url,
          .headers = {{"Authorization", "Bearer " + options_.token}},
          .tls = {.ca_file = options_.ca_file},
          .timeout = timeout};
}

void RelayUplink::wake() {
  {
    const std::lock_guard lock(mutex_);
    news_ = true;
  }
  changed_.notify_all();
}

void RelayUplink::hand_on_rest(Duration within) {
  backend_.report_answers();
  if (!asked_) return;  // It waits on the disk.
  std::unique_lock lock(mutex_);
  news_ = true;
  changed_.notify_all();
  const auto nothing_waits = [this] {
    return !asked_ || (!news_ && backend_.batches().size() + backend_.exposures().size() == 0);
  };
  changed_.wait_for(lock, within, nothing_waits);
}

// False: it is over.
bool RelayUplink::wait(Duration time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [this] { return stopping_.load(); });
  return !stopping_;
}

void RelayUplink::say(bool there, std::string_view why) {
  if (said_there_.exchange(there) == there) return;
  log_.write(there ? LogLevel::Info : LogLevel::Warning, backend_.now(),
             there ? "the line upstream is there"
                   : fmt::format("cut off from upstream, and serving what was last known: {}", why),
             {}, {{"upstream", options_.url}});
}

void RelayUplink::follow() {
  sdk::BackOff back_off(seed_of(options_.place), Duration(200), seconds(5));
  while (!stopping_) {
    follow_once();
    if (following_.exchange(false)) back_off.succeed();
    if (!wait(back_off.fail())) return;
  }
}

void RelayUplink::follow_once() {
  const auto client = std::make_shared<HttpClient>(client_options(kSilenceMax));
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stream_ = client;
  }
  SseParser parser(kEventBytesMax);
  HttpClientRequest request{.target = std::string(kFlagStreamPath)};
  if (const std::string revision = store_.revision(); !revision.empty())
    request.headers.add("Last-Event-ID", revision);
  const auto response = client->stream(
      request, [&](std::string_view bytes) { return !stopping_ && take_events(bytes, &parser); });
  if (const Status said = expect(response); !said && !stopping_) say(false, said.error().message);
}

bool RelayUplink::take_events(std::string_view bytes, SseParser* parser) {
  for (const SseEvent& event : parser->feed(bytes)) {
    Result<std::vector<std::string>> changed;
    if (event.event == "snapshot")
      changed = store_.replace(event.data, event.id);
    else if (event.event == "delta")
      changed = store_.apply_delta(event.data, event.id);
    else
      continue;
    if (!changed) return false;  // The next stream begins with all flags.
    following_ = true;
    if (!changed->empty() || !backend_.has_flags()) {
      backend_.take_flags(store_.flags().read()->set.document());
      wake();  // Whose these are, and whether a kill has ended, is known above already.
    }
  }
  return true;
}

void RelayUplink::talk() {
  sdk::BackOff back_off(seed_of(options_.place) + 1, Duration(200), seconds(5));
  while (!stopping_) {
    const Status talked = talk_once();
    asked_ = talked.has_value();
    if (talked) {
      back_off.succeed();
      say(true, {});
      std::unique_lock lock(mutex_);
      changed_.notify_all();
      changed_.wait_for(lock, options_.ask_every, [this] { return news_ || stopping_; });
      news_ = false;
    } else {
      if (!stopping_) say(false, talked.error().message);
      if (!wait(back_off.fail())) return;
    }
  }
}

Status RelayUplink::talk_once() {
  TRY(tell_moves());
  TRY(ask_state());
  TRY(hand_on_exposures());
  TRY(hand_on_exports());
  report_answers();
  return hand_on_batches();
}

void RelayUplink::report_answers() {
  const Instant now = backend_.now();
  if (now - answers_reported_ < kReportAnswersEvery) return;
  answers_reported_ = now;
  backend_.report_answers();
}

// One key for the same moves: a lost answer makes them no second history.
Status RelayUplink::tell_moves() {
  const auto moves = backend_.untold();
  if (moves.empty()) return {};
  const std::string body =
      to_json_text(json::object{{"place", options_.place}, {"flags", moves_to_json(moves)}});
  TRY(expect(post(kRelayMovesPath, body, to_hex(sha256(body)).substr(0, 32))));
  backend_.told(moves);
  return {};
}

Status RelayUplink::ask_state() {
  const auto response =
      client_.get(fmt::format("{}?place={}", kRelayStatePath, percent_encode(options_.place)));
  TRY(expect(response));
  TRY(auto parsed, parse_json(response->body, {.bytes_max = 64u << 20}));
  TRY(RelayState state, relay_state_from_json(parsed));
  backend_.take_state(std::move(state));
  return {};
}

Status RelayUplink::hand_on_batches() {
  for (const auto& batch : backend_.batches().front(kBatchesAtOnce)) {
    const auto response = post("/api/v1/telemetry", batch.text);
    const bool is_no_batch = response && (response->status == 400 || response->status == 413);
    if (!is_no_batch) TRY(expect(response));
    if (is_no_batch) ++refused_;  // It would be for ever.
    backend_.batches().done(batch.number);
  }
  if (backend_.batches().size() > 0) wake();
  return {};
}

// Handed on again after a lost answer, points count once: a series' time tells.
Status RelayUplink::hand_on_exports() {
  for (const auto& waiting : backend_.exports().front(kExportsAtOnce)) {
    auto taken = export_from_line(waiting.text);
    if (!taken) {
      ++refused_;
    } else {
      const auto response = client_.send(request_of(*std::move(taken)));
      const bool is_no_export = response && (response->status == 400 || response->status == 413);
      if (!is_no_export) TRY(expect(response));
      if (is_no_export) ++refused_;  // It would be for ever.
    }
    backend_.exports().done(waiting.number);
  }
  if (backend_.exports().size() > 0) wake();
  return {};
}

Status RelayUplink::hand_on_exposures() {
  const auto exposures = backend_.exposures().front(kExposuresAtOnce);
  if (exposures.empty()) return {};
  std::string list;
  for (const auto& each : exposures) list += (list.empty() ? "" : ",") + each.text;
  const auto response = post(kRelayExposedPath, fmt::format(R"({{"exposures":[{}]}})", list));
  const bool is_no_list = response && (response->status == 400 || response->status == 413);
  if (!is_no_list) TRY(expect(response));
  if (is_no_list) refused_ += exposures.size();  // It would be for ever.
  backend_.exposures().done(exposures.back().number);
  if (backend_.exposures().size() > 0) wake();
  return {};
}

Result<HttpResponse> RelayUplink::post(std::string_view target, std::string body,
                                       std::string_view key) {
  HttpClientRequest request{.method = "POST",
                            .target = std::string(target),
                            .headers = {{"Content-Type", "application/json"}},
                            .body = std::move(body)};
  if (!key.empty()) request.headers.add("Idempotency-Key", key);
  return client_.send(request);
}

}  // namespace showcaller
