// SPDX-License-Identifier: Apache-2.0
#include "showcaller/client.h"

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "base/json.h"
#include "codec/telemetry.h"
#include "sdk/context_attributes.h"
#include "sdk/worker.h"

namespace showcaller::sdk {
namespace {

constexpr auto kMergeEvery = std::chrono::milliseconds(50);
constexpr auto kFarewell = std::chrono::seconds(1);

// The contexts of the whole process. Never destroyed: clients may outlive main().
SnapshotCell<Context>& global_context() {
  static auto* cell = new SnapshotCell<Context>;
  return *cell;
}

Instant to_instant(std::chrono::system_clock::time_point time) {
  return std::chrono::floor<Duration>(time);
}

}  // namespace

std::string_view to_string(Reason reason) {
  return showcaller::to_string(FlagReason(reason));
}
std::string_view to_string(ErrorCode code) {
  return showcaller::to_string(FlagError(code));
}
static_assert(int(Reason::Error) == int(FlagReason::Error));
static_assert(int(ErrorCode::ProviderNotReady) == int(FlagError::ProviderNotReady));

struct Client::State {
  explicit State(Options options) : background(options.background), worker(std::move(options)) {}

  // Calls use(evaluation) while what it views is alive.
  template <class Use>
  auto evaluate(std::string_view key, FlagType type, const Context& call, const Use& use) const {
    const auto live = worker.flags().read();
    if (!live->loaded) {
      return use(
          Evaluation{.error = FlagError::ProviderNotReady, .message = "there are no flags yet"});
    }
    const auto global = global_context().read();
    const EvaluationContext* below = global ? view_of(*global.get()) : nullptr;
    const EvaluationContext client = EvaluationContext::layered(view_of(live->context), below);
    const EvaluationContext context = EvaluationContext::layered(view_of(call), &client);
    return use(
        live->set.evaluate(key, context, to_instant(std::chrono::system_clock::now()), type));
  }

  void start();
  void merge_until_stopped();
  void work_until_stopped();
  void stop();
  bool wait_for_stop(std::chrono::steady_clock::duration time);

  const bool background;
  Worker worker;
  std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false;
  bool finished = false;
  std::thread merger;
  std::thread network;
};

void Client::State::start() {
  if (!background || !worker.has_server()) return;
  merger = std::thread([this] { merge_until_stopped(); });
  network = std::thread([this] { work_until_stopped(); });
}

bool Client::State::wait_for_stop(std::chrono::steady_clock::duration time) {
  std::unique_lock lock(mutex);
  return changed.wait_for(lock, time, [this] { return stopping; });
}

void Client::State::merge_until_stopped() {
  while (!wait_for_stop(kMergeEvery)) worker.merge();
}

void Client::State::work_until_stopped() {
  while (true) {
    const Instant now = to_instant(std::chrono::system_clock::now());
    const Duration wait = worker.step(now) - now;
    if (wait_for_stop(std::clamp(wait, Duration(10), Duration(1000)))) break;
  }
  worker.deliver_rest(to_instant(std::chrono::system_clock::now()));
  const std::lock_guard lock(mutex);
  finished = true;
  changed.notify_all();
}

void Client::State::stop() {
  if (!network.joinable()) return;
  {
    std::unique_lock lock(mutex);
    stopping = true;
    changed.notify_all();
  }
  merger.join();
  {
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, kFarewell, [this] { return finished; })) worker.interrupt();
  }
  network.join();
}

Client::Client(Options options) : state_(std::make_unique<State>(std::move(options))) {
  state_->start();
}
Client::~Client() {
  state_->stop();
}

namespace {

template <class T>
Details<T> with_details(const Evaluation& e, T value) {
  return {.value = std::move(value),
          .variant = std::string(e.variant),
          .reason = Reason(e.reason),
          .error = ErrorCode(e.error),
          .message = std::string(e.message)};
}

// The readers of a value whose type was checked.
bool read_boolean(const Evaluation& e, bool fallback) {
  return e.value != nullptr ? e.value->get_bool() : fallback;
}
std::int64_t read_integer(const Evaluation& e, std::int64_t fallback) {
  return e.value != nullptr ? lossless_integer(*e.value).value_or(fallback) : fallback;
}
double read_number(const Evaluation& e, double fallback) {
  return e.value != nullptr ? e.value->to_number<double>() : fallback;
}
std::string read_string(const Evaluation& e, std::string_view fallback) {
  return std::string(e.value != nullptr ? std::string_view(e.value->get_string()) : fallback);
}
std::string read_object(const Evaluation& e, std::string_view fallback) {
  return e.value != nullptr ? to_json_text(*e.value) : std::string(fallback);
}

}  // namespace

bool Client::boolean(std::string_view key, bool fallback, const Context& context) const {
  return state_->evaluate(key, FlagType::Boolean, context,
                          [&](const Evaluation& e) { return read_boolean(e, fallback); });
}
std::int64_t Client::integer(std::string_view key, std::int64_t fallback,
                             const Context& context) const {
  return state_->evaluate(key, FlagType::Integer, context,
                          [&](const Evaluation& e) { return read_integer(e, fallback); });
}
double Client::number(std::string_view key, double fallback, const Context& context) const {
  return state_->evaluate(key, FlagType::Float, context,
                          [&](const Evaluation& e) { return read_number(e, fallback); });
}
std::string Client::string(std::string_view key, std::string_view fallback,
                           const Context& context) const {
  return state_->evaluate(key, FlagType::String, context,
                          [&](const Evaluation& e) { return read_string(e, fallback); });
}
std::string Client::object(std::string_view key, std::string_view fallback,
                           const Context& context) const {
  return state_->evaluate(key, FlagType::Object, context,
                          [&](const Evaluation& e) { return read_object(e, fallback); });
}

Details<bool> Client::boolean_details(std::string_view key, bool fallback,
                                      const Context& context) const {
  return state_->evaluate(key, FlagType::Boolean, context, [&](const Evaluation& e) {
    return with_details(e, read_boolean(e, fallback));
  });
}
Details<std::int64_t> Client::integer_details(std::string_view key, std::int64_t fallback,
                                              const Context& context) const {
  return state_->evaluate(key, FlagType::Integer, context, [&](const Evaluation& e) {
    return with_details(e, read_integer(e, fallback));
  });
}
Details<double> Client::number_details(std::string_view key, double fallback,
                                       const Context& context) const {
  return state_->evaluate(key, FlagType::Float, context, [&](const Evaluation& e) {
    return with_details(e, read_number(e, fallback));
  });
}
Details<std::string> Client::string_details(std::string_view key, std::string_view fallback,
                                            const Context& context) const {
  return state_->evaluate(key, FlagType::String, context, [&](const Evaluation& e) {
    return with_details(e, read_string(e, fallback));
  });
}
Details<std::string> Client::object_details(std::string_view key, std::string_view fallback,
                                            const Context& context) const {
  return state_->evaluate(key, FlagType::Object, context, [&](const Evaluation& e) {
    return with_details(e, read_object(e, fallback));
  });
}

std::string Client::metadata(std::string_view key) const {
  const auto live = state_->worker.flags().read();
  const json::object* metadata = live->set.metadata_of(key);
  return metadata != nullptr ? to_json_text(*metadata) : "{}";
}

void Client::set_global_context(Context context) {
  global_context().publish(std::make_unique<Context>(std::move(context)));
}
void Client::set_context(Context context) {
  state_->worker.set_context(std::move(context));
}

ClientStatus Client::status() const {
  return state_->worker.status();
}

std::string Client::flags_fingerprint() const {
  const auto live = state_->worker.flags().read();
  return live->loaded ? std::string(live->set.fingerprint()) : std::string();
}

bool Client::wait_until_ready(std::chrono::milliseconds timeout) const {
  return state_->worker.wait_until_ready(timeout);
}

void Client::count(std::string_view metric, std::int64_t observed, std::int64_t happened,
                   const Labels& labels) {
  Report report;
  report.kind = Report::Kind::Count;
  report.n = observed;
  report.x = happened;
  const bool sane = observed >= 0 && happened >= 0 && !metric.empty();
  if (!sane || !report.set_texts(metric, labels) || !state_->worker.queue().push(report)) {
    state_->worker.drop_one();
  }
}

void Client::latency(std::string_view metric, double milliseconds, const Labels& labels) {
  Report report;
  report.kind = Report::Kind::Latency;
  report.value = milliseconds;
  if (metric.empty() || !report.set_texts(metric, labels) || !state_->worker.queue().push(report)) {
    state_->worker.drop_one();
  }
}

void Client::session_started(const Labels& labels) {
  count(metric::kSessionStarted, 1, 0, labels);
}

void Client::session_ended(Outcome outcome, const Labels& labels) {
  count(metric::kSessionEnded, 1, 0, labels);
  count(metric::kSessionCrashed, 1, outcome == Outcome::Crashed, labels);
  count(metric::kSessionError, 1, outcome != Outcome::Completed, labels);
}

void Client::error(const Labels& labels) {
  count(metric::kError, 1, 0, labels);
}
void Client::exposed(const Labels& labels) {
  count(metric::kUnitExposed, 1, 0, labels);
}
std::int64_t Client::dropped() const {
  return state_->worker.dropped();
}
void Client::set_trace(std::string_view traceparent) {
  state_->worker.set_trace(traceparent);
}

std::chrono::system_clock::time_point Client::step(std::chrono::system_clock::time_point now) {
  state_->worker.merge();
  return state_->worker.step(to_instant(now));
}

}  // namespace showcaller::sdk
