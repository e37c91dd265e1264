// SPDX-License-Identifier: Apache-2.0
// A relay's answers: flags and tokens as they were when something above last answered, kill
// switches as they are known here, reports taken for later.
//
// Threads: any. What is kept on disk is written by whoever changes it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "cli/relay/relay_spool.h"
#include "cli/relay/relay_state.h"
#include "flag/flag_switchboard.h"
#include "wire/edge_backend.h"
#include "wire/otlp_exports.h"

namespace showcaller {

struct RelayBackendOptions {
  std::string state_file;  // replaced as a whole
  std::string run;         // tells the reports of this process from those of another
  std::function<Instant()> clock;
  std::function<void()> on_flags_changed;
  std::function<void()> on_news;  // something is to be told above
  std::size_t spool_bytes_max = 64 << 20;
  std::size_t spool_batches_max = 100'000;
  std::size_t exports_bytes_max = 32 << 20;
  std::size_t exports_max = 10'000;
  std::size_t exposures_max = 100'000;
  std::size_t counted_max = 10'000;  // different answers between two reports of them
};

class RelayBackend final : public EdgeBackend {
 public:
  explicit RelayBackend(RelayBackendOptions options);

  // What the disk has. NotFound: nothing yet.
  Status load();
  // From above.
  void take_flags(json::value document);
  void take_state(RelayState state);
  void told(const std::vector<FlagMoves>& moves);

  Instant now() const override { return options_.clock(); }
  Result<Actor> authenticate(std::string_view token) const override;
  Status authorize(const Actor& actor, std::string_view verb,
                   std::string_view owner) const override;
  Result<TelemetryReceipt> report(TelemetryBatch batch, const Actor& actor) override;
  // OpenTelemetry's metrics, as they came.
  void take_export(OtlpExport taken, const Actor& actor);
  FlagView flags(const Actor& actor) const override;
  // Whom the events reach of which it knows: told above with the time at which it was.
  void evaluated(const json::object& context, std::string_view flag) override;
  void answered(const FlagSet& flags, std::span<const std::uint32_t> answers) override;
  // From below.
  void exposed(const std::vector<LedgerEntry>& entries);
  // What was answered since the last call becomes a batch like another.
  void report_answers();

  // Kill switches moved here, and what relays below have heard. The notes are for people.
  Result<std::vector<std::string>> move_switch(const Actor& actor, const std::string& flag,
                                               bool reopen, const std::string& reason);
  void hear_from_below(const std::vector<FlagMoves>& moves);
  std::vector<FlagMoves> untold() const;
  // For relays below.
  json::value state() const;
  bool has_flags() const;

  RelaySpool& batches() { return batches_; }
  RelaySpool& exports() { return exports_; }
  RelaySpool& exposures() { return exposures_; }
  std::uint64_t exposures_dropped() const { return exposures_.dropped() + unsettled_dropped_; }

 private:
  const RelayToken* token_of(const Actor& actor) const;
  bool killed_above(std::string_view flag) const;
  void publish();
  void switched();
  void tell(const LedgerEntry& exposure);

  const RelayBackendOptions options_;
  // An evaluation by flags that came after what is known of whom they reach.
  struct Unsettled {
    json::object context;
    std::string flag;
    Instant at;
  };
  using SharedReaches = std::shared_ptr<const EventReaches>;

  RelaySpool batches_, exposures_, exports_;
  std::atomic<std::uint64_t> unsettled_dropped_{0};
  mutable std::mutex mutex_;  // what follows
  json::object document_;     // from above; empty: none yet
  RelayState state_;
  FlagSwitchboard switches_;
  std::shared_ptr<const FlagSet> whole_ = std::make_shared<const FlagSet>();
  std::shared_ptr<const FlagSet> visible_ = whole_;
  Status saved_;
  std::unordered_set<std::uint64_t> noted_;  // exposures that wait or were told
  // Flags come by stream and this by asking: for as long as both may be old or new, both count.
  SharedReaches reaches_ = std::make_shared<const EventReaches>();
  SharedReaches reaches_before_ = reaches_;
  int states_awaited_ = 0;  // since the flags changed; the first may have been under way already
  std::vector<Unsettled> unsettled_;
  std::map<std::pair<std::string, std::string>, std::int64_t> counted_;  // key, variant
  std::int64_t uncounted_ = 0, reports_of_answers_ = 0;
};

}  // namespace showcaller
