// SPDX-License-Identifier: Apache-2.0
// What comes of a drill: which of the expected responses came and when, how long it took until
// anybody noticed and until all was well again, and whether it has to stop. Fed by whoever plays
// it, the simulator or a server, with the journal's records and what is seen beside them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/record.h"
#include "model/spec/drill.h"

namespace showcaller {

// What is seen of the drill's fleet at a moment.
struct DrillMoment {
  Duration at{};                               // since the drill began; never goes back
  std::int64_t serving = 0;                    // instances ready or with sessions
  std::int64_t desired = 0;                    // that the planner wishes for
  std::optional<double> headroom;              // free over used; absent: nobody plays
  std::optional<std::int64_t> players_harmed;  // absent: nobody can know
};

enum class DrillVerdict : std::uint8_t {
  Pass,     // every response came in time
  Fail,     // one came late or not at all, or an inject was never played
  Stopped,  // a stop condition ended it
};
std::string_view to_string(DrillVerdict verdict);
std::string_view to_string(DrillResponse response);  // as in the manifest

class DrillScore {
 public:
  // `fleet`: whose instances count.
  DrillScore(const DrillSpec& drill, std::string fleet);

  // The inject takes effect now; `moment` is how it was just before.
  void begin(std::size_t inject, const DrillMoment& moment);
  bool begun(std::size_t inject) const { return injects_[inject].began.has_value(); }
  // It is not played, and nothing is expected of it.
  void leave_out(std::size_t inject, std::string why) {
    injects_[inject].left_out = std::move(why);
  }
  bool is_left_out(std::size_t inject) const { return injects_[inject].left_out.has_value(); }
  void note(const Record& record, Duration at);
  void look(const DrillMoment& moment);

  // A stop condition that holds, in words; since the first inject.
  const std::optional<std::string>& stopped() const { return stopped_; }
  // Something may still come: an inject, its end, or the response to one. In its time, or so late
  // that it says how late: three times as long.
  enum class Until { InTime, Late };
  bool waits(Duration at, Until until = Until::InTime) const;
  DrillVerdict verdict() const;
  // {"verdict","why":[…],"stopped"?,"injects":[{"name","fault","at"?,"detected_after"?,
  // "recovered_after"?,"left_out"?:
  // why}],"expectations":[{"that","after","within","state","took"?}]} state: met, late, missed,
  // not_played, left_out, stopped (before it came). Times are durations as text, and numbers in
  // seconds.
  json::object report() const;

 private:
  struct Inject {
    std::optional<Duration> began, detected, recovered, restored;
    std::int64_t to_serve = 0;  // as many as before
    bool fell = false;          // fewer did since
    std::optional<std::string> left_out;
  };

  void respond(DrillResponse response, Duration at);
  void detect(Duration at, bool of_instances);
  void note_instance(const InstanceMoved& moved, Duration at);
  void note_phase(const PhaseChanged& phase, Duration at);
  void follow_capacity(Inject* inject, const DrillMoment& moment);
  void check_stops(const DrillMoment& moment);
  std::optional<Duration> recovery_of(std::size_t inject) const;
  std::string_view state_of(std::size_t expectation) const;

  DrillSpec drill_;
  std::string fleet_;
  std::vector<Inject> injects_;
  std::vector<std::optional<Duration>> came_;  // by expectation: after its inject
  std::set<std::string> stopping_;             // instances that end as they were told
  std::optional<std::string> stopped_;
};

// Takes instances away, so that it is noticed by their loss and over when others serve.
bool takes_instances(std::string_view fault_kind);
// "crashes:5 for 2m".
std::string inject_text(const DrillInject& inject);

}  // namespace showcaller
