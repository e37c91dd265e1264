// SPDX-License-Identifier: Apache-2.0
// What goes wrong in a rehearsal. A fault is a value: a kind, a size, and when. They combine.
//
// Text: "KIND[:SIZE][@FROM][+FOR][/TARGET]", as in "errors:5@10m+20m" or "region_loss@5m/eu". FROM
// counts from the moment the first players are let in (faults of the preparation: from when the
// manifest is applied); without FOR a fault lasts to the end. docs/rehearse.md lists the kinds.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace showcaller::sim {

enum class FaultKind : std::uint8_t {
  Errors,        // what the canary's sessions meet goes wrong SIZE times as often
  Crashes,       // its sessions crash SIZE times as often, and their instances with them
  Latency,       // all its times are SIZE times as long
  Tail,          // its 99th percentile is SIZE times as long, the median unmoved
  Leak,          // its instances die of memory SIZE minutes after they began
  SlowStart,     // whatever starts takes SIZE times as long
  InstanceLoss,  // a share SIZE of all instances dies at once
  HostLoss,      // one host's instances die, and nothing starts there
  RegionLoss,    // the same of a region
  Blind,         // nothing that is reported arrives
  Skew,          // a share SIZE of the canary's bad news never arrives
  Split,         // a share SIZE of the sessions drawn for the canary never asks for a place
  ClockJump,     // the clock on the wall jumps by SIZE seconds
  DiskFull,      // the journal's disk is full for SIZE appends
  TornWrite,     // the power goes half way through an append: the server starts again
  Restart,       // the server dies and is away for SIZE seconds
  Duplicates,    // every report and command arrives twice, and out of order
  Lies,          // a share SIZE of what the driver accepts never happens
  UndoFails,     // actions refuse to be undone
  NoApproval,    // nobody approves
  Quota,         // the provider gives no more than SIZE instances
  Herd,          // SIZE times as many come as usual
  Partition,     // a region is cut off: its servers play on, unseen; their reports come afterwards
  Addresses,     // a host has no more than SIZE addresses, and nothing starts beyond them
  Writes,        // the game's database takes a share SIZE of the best hour's new sessions
  NoAnswer,      // nobody answers a page
};
constexpr int kFaultKinds = 26;

struct Fault {
  FaultKind kind = FaultKind::Errors;
  double size = 0;
  Duration from{};
  std::optional<Duration> lasts;
  std::string target;  // a region or host; empty: the first

  bool active(Duration since) const { return since >= from && (!lasts || since < from + *lasts); }
};

std::string_view to_string(FaultKind kind);  // "errors", "region_loss"
std::string_view describe(FaultKind kind);   // a sentence for people; {} stands for the size
double usual_size(FaultKind kind);
// Whether players on the canary suffer from it, so that a gate ought to see it.
bool harms_players(FaultKind kind);
// Whether it begins with the run and not with the first players.
bool is_of_preparation(FaultKind kind);
bool strikes_once(FaultKind kind);
// Whether there is nothing for it to strike where an event brings no build.
bool needs_a_build(FaultKind kind);

Result<Fault> parse_fault(std::string_view text);
std::string to_text(const Fault& fault);  // parses to the same again

}  // namespace showcaller::sim
