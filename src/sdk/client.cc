// SPDX-License-Identifier: Apache-2.0
#include "showcaller/client.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "base/json.h"
#include "codec/telemetry.h"
#include "sdk/context_attributes.h"
#include "sdk/event_hub.h"
#include "sdk/hook_run.h"
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
std::string_view to_string(ValueType type) {
  return showcaller::to_string(FlagType(type));
}
std::string_view to_string(ErrorCode code) {
  return showcaller::to_string(FlagError(code));
}
static_assert(int(Reason::Error) == int(FlagReason::Error));
static_assert(int(ErrorCode::ProviderNotReady) == int(FlagError::ProviderNotReady));

// Hooks of the whole process. Never destroyed either.
SnapshotCell<Hooks>& global_hooks() {
  static auto* cell = new SnapshotCell<Hooks>;
  return *cell;
}

void add_to(SnapshotCell<Hooks>* cell, std::shared_ptr<Hook> hook) {
  static std::mutex adding;
  const std::lock_guard lock(adding);
  Hooks hooks;
  if (const auto now = cell->read()) hooks = *now.get();
  hooks.push_back(std::move(hook));
  cell->publish(std::make_unique<const Hooks>(std::move(hooks)));
}

void append(const SnapshotCell<Hooks>& cell, Hooks* out) {
  if (const auto hooks = cell.read()) out->insert(out->end(), hooks->begin(), hooks->end());
}

FlagType flag_type(ValueType type) {
  return FlagType(type);
}
static_assert(int(ValueType::Object) == int(FlagType::Object) &&
              int(ValueType::String) == int(FlagType::String));

struct Client::State {
  explicit State(Options options) : background(options.background), worker(std::move(options)) {}

  // Calls use(evaluation) while what it views is alive.
  template <class Use>
  auto evaluate(std::string_view key, ValueType type, const Context& call, const Use& use) const {
    const auto live = worker.flags().read();
    if (!live->loaded) {
      return use(
          Evaluation{.error = FlagError::ProviderNotReady, .message = "there are no flags yet"});
    }
    const auto global = global_context().read();
    const EvaluationContext* below = global ? view_of(*global.get()) : nullptr;
    const EvaluationContext client = EvaluationContext::layered(view_of(live->context), below);
    const EvaluationContext context = EvaluationContext::layered(view_of(call), &client);
    const Evaluation evaluation = live->set.evaluate(
        key, context, to_instant(std::chrono::system_clock::now()), flag_type(type));
    live->counts->add(evaluation.answer);
    return use(evaluation);
  }

  bool has_hooks(const Call& call) const {
    return !call.hooks.empty() || has_own_hooks || global_has_hooks;
  }

  Details<Value> evaluate_hooked(std::string_view key, ValueType type, Value fallback,
                                 const Context& context, const Call& call) const;
  template <class T, class V>
  Details<V> details(std::string_view key, V fallback, const Context& context,
                     const Call& call) const;
  template <class T, class F>
  auto value(std::string_view key, F fallback, const Context& context, const Call& call) const;

  Context whole_context(const Context& call) const {
    Context out;
    if (const auto global = global_context().read()) lay_over(*global.get(), &out);
    lay_over(worker.flags().read()->context, &out);
    lay_over(call, &out);
    return out;
  }

  void start();
  void merge_until_stopped();
  void work_until_stopped();
  void follow_until_stopped();
  void end_stream();
  void stop();
  bool wait_for_stop(std::chrono::steady_clock::duration time);

  static inline std::atomic<bool> global_has_hooks{false};
  std::atomic<bool> has_own_hooks{false};
  SnapshotCell<Hooks> own_hooks;
  const bool background;
  Worker worker;
  std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false;
  bool finished = false;
  std::thread merger;
  std::thread network;
  std::thread follower;
  std::atomic<bool> following{false};
};

void Client::State::start() {
  if (!background || !worker.has_server()) return;
  merger = std::thread([this] { merge_until_stopped(); });
  network = std::thread([this] { work_until_stopped(); });
  if (!worker.has_stream()) return;
  following = true;
  follower = std::thread([this] {
    follow_until_stopped();
    following = false;
  });
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

void Client::State::follow_until_stopped() {
  while (true) {
    const Instant now = to_instant(std::chrono::system_clock::now());
    const Duration wait = worker.follow(now) - to_instant(std::chrono::system_clock::now());
    if (wait_for_stop(std::max(wait, Duration(0)))) return;
  }
}

// It may be about to begin one.
void Client::State::end_stream() {
  while (following) {
    worker.interrupt_stream();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (follower.joinable()) follower.join();
}

void Client::State::stop() {
  if (!network.joinable()) return;
  {
    std::unique_lock lock(mutex);
    stopping = true;
    changed.notify_all();
  }
  worker.close();
  end_stream();
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
void Client::shutdown() {
  state_->stop();
}

void Client::add_global_hook(std::shared_ptr<Hook> hook) {
  add_to(&global_hooks(), std::move(hook));
  State::global_has_hooks = true;
}
void Client::add_hook(std::shared_ptr<Hook> hook) {
  add_to(&state_->own_hooks, std::move(hook));
  state_->has_own_hooks = true;
}

HandlerId Client::on_any(Event event, EventHandler handler) {
  return process_events().add(event, std::move(handler));
}
void Client::off_any(HandlerId id) {
  process_events().remove(id);
}
HandlerId Client::on(Event event, EventHandler handler) {
  return state_->worker.on(event, std::move(handler));
}
void Client::off(HandlerId id) {
  state_->worker.off(id);
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

// How a type is asked for, and its value read: the type was checked.
template <class T>
struct Typed;
template <>
struct Typed<bool> {
  static constexpr auto kType = ValueType::Boolean;
  static bool read(const Evaluation& e, bool fallback) {
    return e.value != nullptr ? e.value->get_bool() : fallback;
  }
};
template <>
struct Typed<std::int64_t> {
  static constexpr auto kType = ValueType::Integer;
  static std::int64_t read(const Evaluation& e, std::int64_t fallback) {
    return e.value != nullptr ? lossless_integer(*e.value).value_or(fallback) : fallback;
  }
};
template <>
struct Typed<double> {
  static constexpr auto kType = ValueType::Number;
  static double read(const Evaluation& e, double fallback) {
    return e.value != nullptr ? e.value->to_number<double>() : fallback;
  }
};
template <>
struct Typed<std::string> {
  static constexpr auto kType = ValueType::String;
  static std::string read(const Evaluation& e, std::string_view fallback) {
    return std::string(e.value != nullptr ? std::string_view(e.value->get_string()) : fallback);
  }
};
struct ObjectText {};  // as JSON
template <>
struct Typed<ObjectText> {
  static constexpr auto kType = ValueType::Object;
  static std::string read(const Evaluation& e, std::string_view fallback) {
    return e.value != nullptr ? to_json_text(*e.value) : std::string(fallback);
  }
};

Value read_any(ValueType type, const Evaluation& e, const Value& fallback) {
  switch (type) {
    case ValueType::Boolean:
      return Typed<bool>::read(e, std::get<bool>(fallback));
    case ValueType::Integer:
      return Typed<std::int64_t>::read(e, std::get<std::int64_t>(fallback));
    case ValueType::Number:
      return Typed<double>::read(e, std::get<double>(fallback));
    case ValueType::String:
      return Typed<std::string>::read(e, std::get<std::string>(fallback));
    case ValueType::Object:
      return Typed<ObjectText>::read(e, std::get<std::string>(fallback));
  }
  return fallback;
}

}  // namespace

Details<Value> Client::State::evaluate_hooked(std::string_view key, ValueType type, Value fallback,
                                              const Context& context, const Call& call) const {
  Hooks hooks;
  append(global_hooks(), &hooks);
  append(own_hooks, &hooks);
  hooks.insert(hooks.end(), call.hooks.begin(), call.hooks.end());
  HookedCall hooked{key, type, std::move(fallback), whole_context(context), worker.name()};
  const Value& otherwise = hooked.fallback;
  return evaluate_with_hooks(hooks, hooked, [&](const Context& with) {
    return evaluate(key, type, with, [&](const Evaluation& e) {
      return with_details(e, read_any(type, e, otherwise));
    });
  });
}

template <class T, class V>
Details<V> Client::State::details(std::string_view key, V fallback, const Context& context,
                                  const Call& call) const {
  constexpr ValueType kType = Typed<T>::kType;
  if (has_hooks(call)) {
    Details<Value> hooked = evaluate_hooked(key, kType, std::move(fallback), context, call);
    return {std::get<V>(std::move(hooked.value)), std::move(hooked.variant), hooked.reason,
            hooked.error, std::move(hooked.message)};
  }
  return evaluate(key, kType, context, [&](const Evaluation& e) {
    return with_details(e, Typed<T>::read(e, fallback));
  });
}

template <class T, class F>
auto Client::State::value(std::string_view key, F fallback, const Context& context,
                          const Call& call) const {
  using V = decltype(Typed<T>::read({}, fallback));
  if (has_hooks(call)) return details<T>(key, V(fallback), context, call).value;
  return evaluate(key, Typed<T>::kType, context,
                  [&](const Evaluation& e) { return Typed<T>::read(e, fallback); });
}

bool Client::boolean(std::string_view key, bool fallback, const Context& context,
                     const Call& call) const {
  return state_->value<bool>(key, fallback, context, call);
}
Details<bool> Client::boolean_details(std::string_view key, bool fallback, const Context& context,
                                      const Call& call) const {
  return state_->details<bool>(key, bool(fallback), context, call);
}
std::int64_t Client::integer(std::string_view key, std::int64_t fallback, const Context& context,
                             const Call& call) const {
  return state_->value<std::int64_t>(key, fallback, context, call);
}
Details<std::int64_t> Client::integer_details(std::string_view key, std::int64_t fallback,
                                              const Context& context, const Call& call) const {
  return state_->details<std::int64_t>(key, std::int64_t(fallback), context, call);
}
double Client::number(std::string_view key, double fallback, const Context& context,
                      const Call& call) const {
  return state_->value<double>(key, fallback, context, call);
}
Details<double> Client::number_details(std::string_view key, double fallback,
                                       const Context& context, const Call& call) const {
  return state_->details<double>(key, double(fallback), context, call);
}
std::string Client::string(std::string_view key, std::string_view fallback, const Context& context,
                           const Call& call) const {
  return state_->value<std::string>(key, fallback, context, call);
}
Details<std::string> Client::string_details(std::string_view key, std::string_view fallback,
                                            const Context& context, const Call& call) const {
  return state_->details<std::string>(key, std::string(fallback), context, call);
}
std::string Client::object(std::string_view key, std::string_view fallback, const Context& context,
                           const Call& call) const {
  return state_->value<ObjectText>(key, fallback, context, call);
}
Details<std::string> Client::object_details(std::string_view key, std::string_view fallback,
                                            const Context& context, const Call& call) const {
  return state_->details<ObjectText>(key, std::string(fallback), context, call);
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

void Client::crash(const Labels& labels) {
  session_ended(Outcome::Crashed, labels);
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
void Client::set_trace(std::string_view traceparent, std::string_view tracestate) {
  state_->worker.set_trace(traceparent, tracestate);
}

std::chrono::system_clock::time_point Client::step(std::chrono::system_clock::time_point now) {
  state_->worker.merge();
  return state_->worker.step(to_instant(now));
}

}  // namespace showcaller::sdk
