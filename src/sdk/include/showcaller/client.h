// SPDX-License-Identifier: Apache-2.0
// The Showcaller client for game servers and games: flags evaluated in the process, telemetry in
// the background.
//
//   showcaller::sdk::Client client({.url = "http://127.0.0.1:8080", .token = token, .state_file =
//   "flags.json"}); if (client.boolean("raid-entrance", false, context)) open_entrance();
//   client.latency("join.latency", milliseconds, {.event = "winter-raid", .arm = "canary"});
//
// Flags are evaluated on the caller's thread from the last good definitions: no lock, no system
// call, no waiting, with or without a server. Reports go into a bounded queue; when it is full they
// are counted as dropped, never waited for. Threads: every method may be called from any thread.
// Nothing here throws.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "showcaller/context.h"
#include "showcaller/evaluation.h"
#include "showcaller/event.h"
#include "showcaller/hook.h"
#include "showcaller/transport.h"

namespace showcaller::sdk {

enum class ClientStatus {
  NotReady,  // no flags yet: every evaluation gives its fallback
  Ready,     // flags as the server last sent them
  Stale,     // flags from the disk, or the server has not answered for a while
  Error,     // as NotReady, and the server could not be reached or refused
};

enum class Outcome { Completed, Failed, Crashed };

// Where rules are evaluated.
enum class Rules {
  Here,      // in this process: game servers, with a token that may see them
  AtServer,  // for Options::context alone, and again when set_context() changes it: players'
             // machines, whose tokens never see a rule. What a call or the process adds to the
             // context has no effect.
};

// What a report belongs to. All optional; copied.
struct Labels {
  std::string_view event{};     // the LiveEvent
  std::string_view arm{};       // "canary" or "baseline"
  std::string_view instance{};  // game server process; empty: the client's own
  std::string_view unit{};      // player, party, …
  std::string_view stratum{};   // region, platform, …
};

struct Options {
  std::string name{};        // of this client, told to hooks and handlers
  std::string url{};         // empty: no server; flags come from state_file alone
  std::string token{};       // bearer token
  std::string state_file{};  // where the last good flags are kept; empty: nowhere
  std::string trust =
      "client";            // "server" on game servers; the server believes it if the token allows
  std::string instance{};  // of every report that names none
  Context context{};       // of every evaluation, under what a call adds
  Rules rules = Rules::Here;
  // Changes come by a stream; where there is none (an older server, a transport without), or while
  // it is broken, the client asks every poll_every. Needs `background`.
  bool stream = true;
  std::chrono::milliseconds poll_every{5'000};
  std::chrono::milliseconds flush_every{5'000};
  std::chrono::milliseconds stale_after{60'000};
  std::size_t series_max =
      2'000;  // distinct metrics with their labels between two batches; at most 2,500
  // How often each flag gave each of its variants is told with the reports, for the server's list
  // of flags that nobody needs any more. No context is told.
  bool report_evaluations = true;
  std::size_t queue_max = 4'096;  // reports waiting to be merged; rounded up to a power of two
  bool background = true;         // false: nothing runs until step() is called
  std::shared_ptr<Transport> transport{};  // empty: HTTP to `url`
  // Called from a background thread.
  std::function<void(std::string_view message)> on_log{};
};

class Client {
 public:
  explicit Client(Options options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The value, or the fallback: when the flag has none, is disabled, or is of another type.
  bool boolean(std::string_view key, bool fallback, const Context& context = {},
               const Call& call = {}) const;
  std::int64_t integer(std::string_view key, std::int64_t fallback, const Context& context = {},
                       const Call& call = {}) const;
  double number(std::string_view key, double fallback, const Context& context = {},
                const Call& call = {}) const;
  std::string string(std::string_view key, std::string_view fallback, const Context& context = {},
                     const Call& call = {}) const;
  // As JSON text.
  std::string object(std::string_view key, std::string_view fallback, const Context& context = {},
                     const Call& call = {}) const;

  Details<bool> boolean_details(std::string_view key, bool fallback, const Context& context = {},
                                const Call& call = {}) const;
  Details<std::int64_t> integer_details(std::string_view key, std::int64_t fallback,
                                        const Context& context = {}, const Call& call = {}) const;
  Details<double> number_details(std::string_view key, double fallback, const Context& context = {},
                                 const Call& call = {}) const;
  Details<std::string> string_details(std::string_view key, std::string_view fallback,
                                      const Context& context = {}, const Call& call = {}) const;
  Details<std::string> object_details(std::string_view key, std::string_view fallback,
                                      const Context& context = {}, const Call& call = {}) const;
  // The flag's metadata as JSON text; "{}" when there is none.
  std::string metadata(std::string_view key) const;

  // Under every client's own context, in the whole process.
  static void set_global_context(Context context);
  void set_context(Context context);

  // Around every evaluation: of the whole process, of this client.
  static void add_global_hook(std::shared_ptr<Hook> hook);
  void add_hook(std::shared_ptr<Hook> hook);

  // Of every client in the process, of this client. A handler of this client for Ready, Stale or
  // Error is called at once when it is so already.
  static HandlerId on_any(Event event, EventHandler handler);
  static void off_any(HandlerId id);
  HandlerId on(Event event, EventHandler handler);
  void off(HandlerId id);

  ClientStatus status() const;
  // Of the definitions in use; empty when there are none.
  std::string flags_fingerprint() const;
  // Waits for Ready. False: time is up.
  bool wait_until_ready(std::chrono::milliseconds timeout) const;

  // Delivers what was reported if that takes less than a second, and ends all that goes on in the
  // background. Flags are evaluated as they were last. As the destructor does.
  void shutdown();

  void session_started(const Labels& labels = {});
  void session_ended(Outcome outcome, const Labels& labels = {});
  // The session has crashed: as session_ended(Outcome::Crashed).
  void crash(const Labels& labels = {});
  // A session or match met an error and goes on.
  void error(const Labels& labels = {});
  void latency(std::string_view metric, double milliseconds, const Labels& labels = {});
  // `observed` things were looked at, and it happened in `happened` of them.
  void count(std::string_view metric, std::int64_t observed, std::int64_t happened = 0,
             const Labels& labels = {});
  // The unit was shown this arm of the event.
  void exposed(const Labels& labels);
  // Reports that did not fit since the client began.
  std::int64_t dropped() const;

  // W3C traceparent, sent with every request and batch from now on, and its tracestate, sent with
  // requests; empty: none.
  void set_trace(std::string_view traceparent, std::string_view tracestate = {});

  // With background = false: merges reports and does what is due at `now`. Gives when to come
  // again.
  std::chrono::system_clock::time_point step(std::chrono::system_clock::time_point now);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace showcaller::sdk
