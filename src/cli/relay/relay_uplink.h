// SPDX-License-Identifier: Apache-2.0
// A relay's line to what is above it: follows the flags, asks for the state, tells what happened
// below, hands on reports. While it is cut all of that waits; what is served goes on.
//
// Threads: two of its own, to its end.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "cli/relay/relay_backend.h"
#include "net/http_client.h"
#include "net/sse.h"
#include "sdk/flag_store.h"
#include "wire/log.h"

namespace showcaller {

struct RelayUplinkOptions {
  std::string url, token, ca_file;
  std::string place;       // what this relay is called above
  std::string flags_file;  // the flags as they came, with their revision
  Duration ask_every = seconds(1);
};

class RelayUplink {
 public:
  RelayUplink(RelayUplinkOptions options, RelayBackend* backend, Log* log);
  ~RelayUplink();

  // Something is to be told above.
  void wake();
  // Hands on what waits, as far as that goes while the line is there.
  void hand_on_rest(Duration within);
  bool is_there() const { return following_ && asked_; }
  std::uint64_t batches_refused() const { return refused_; }

 private:
  void follow();
  void follow_once();
  bool take_events(std::string_view bytes, SseParser* parser);
  void talk();
  Status talk_once();
  Status tell_moves();
  Status ask_state();
  Status hand_on_batches();
  Status hand_on_exposures();
  Status hand_on_exports();
  void report_answers();
  Result<HttpResponse> post(std::string_view target, std::string body, std::string_view key = {});
  HttpClientOptions client_options(Duration timeout) const;
  void say(bool there, std::string_view why);
  bool wait(Duration time);

  const RelayUplinkOptions options_;
  RelayBackend& backend_;
  Log& log_;
  sdk::FlagStore store_;
  HttpClient client_;
  std::shared_ptr<HttpClient> stream_;  // under mutex_
  std::mutex mutex_;
  std::condition_variable changed_;
  bool news_ = false;
  Instant answers_reported_{};  // the talker's own
  std::atomic<bool> stopping_{false}, following_{false}, asked_{false}, said_there_{false};
  std::atomic<std::uint64_t> refused_{0};
  std::thread follower_, talker_;
};

}  // namespace showcaller
