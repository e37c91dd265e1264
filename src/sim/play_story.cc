// SPDX-License-Identifier: Apache-2.0
// What is noted of a run as it goes on: its records, its stages, what fired, whom it harmed.
#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "engine/view.h"
#include "sim/play.h"

namespace showcaller::sim {
namespace {

constexpr Duration kSampleEvery = minutes(1);

CrowdCounts operator-(const CrowdCounts& a, const CrowdCounts& b) {
  return {a.sessions - b.sessions,
          a.refused - b.refused,
          a.crashed - b.crashed,
          a.canary_sessions - b.canary_sessions,
          a.player_s - b.player_s,
          a.canary_player_s - b.canary_player_s,
          a.harm_player_s - b.harm_player_s,
          a.canary_players - b.canary_players,
          a.harmed_players - b.harmed_players,
          a.stage_harmed_players,
          a.playing,
          a.playing_canary};
}

}  // namespace

// What begins or ends now of what was asked for, for the story.
void Play::tell_faults() {
  for (const Fault& fault : truth_.faults()) {
    const auto begun = truth_.begun(fault.kind);
    const bool acts = std::find(begun.begin(), begun.end(), &fault) != begun.end();
    if (acts == told_.contains(&fault)) continue;
    if (acts)
      told_.insert(&fault);
    else
      told_.erase(&fault);
    const auto at = std::chrono::floor<std::chrono::seconds>(now());
    result_.story.push_back(fmt::format("{}  fault        {} {}", format_duration(at),
                                        to_text(fault), acts ? "begins" : "ends"));
  }
}

// After the power went, what was told is still there.
void Play::check_what_was_followed() {
  if (followed_ == 0) return;
  std::optional<StoredRecord> now;
  const Status read = reader_.read(followed_, [&](const StoredRecord& stored) {
    now = stored;
    return false;
  });
  CHECK(read);
  invariants_.find_again(followed_, followed_hash_, now ? &*now : nullptr);
}

void Play::follow_records() {
  const Status read = reader_.read(followed_ + 1, [&](const StoredRecord& stored) {
    const auto record = decode_record(stored.bytes);
    CHECK(record);
    followed_ = stored.seq;
    followed_hash_ = stored.hash;
    invariants_.follow(*record);
    take(*record);
    return true;
  });
  CHECK(read);  // Memory does not fail to be read.
}

void Play::close_stage() {
  if (result_.stages.empty()) return;
  StageResult& stage = result_.stages.back();
  if (stage.left != Duration{}) return;
  stage.left = now();
  stage.counts = crowd_.counts() - at_stage_;
}

void Play::take(const Record& record) {
  if (with_story_) {
    const auto at = std::chrono::floor<std::chrono::seconds>(now());
    result_.story.push_back(fmt::format("{}  {}", format_duration(at), record_line(record)));
  }
  if (spec_.watcher) spec_.watcher->note(record, now());
  if (const auto* alert = std::get_if<AlertOpened>(&record.payload);
      alert && alert->severity == AlertSeverity::Page)
    pages_.push_back(alert->text);
  if (const auto* entered = std::get_if<StageEntered>(&record.payload);
      entered && entered->event == spec_.event) {
    close_stage();
    crowd_.begin_stage();
    at_stage_ = crowd_.counts();
    if (!admitted_) admitted_ = now();
    result_.stages.push_back({entered->name, entered->exposure_ppm, now(), {}, {}, {}});
  }
  if (const auto* verdict = std::get_if<VerdictChanged>(&record.payload);
      verdict && verdict->event == spec_.event)
    note_verdict(*verdict);
  if (const auto* intake = std::get_if<IntakeChanged>(&record.payload);
      intake && intake->event == spec_.event && intake->to == IntakeState::Open && !opened_)
    opened_ = now();
  if (const auto* moved = std::get_if<PhaseChanged>(&record.payload);
      moved && moved->event == spec_.event) {
    if (moved->to == Phase::RollingBack && !undoing_) undoing_ = now();
    if (moved->to == Phase::RolledBack && undoing_) result_.to_rolled_back = now() - *undoing_;
    if (moved->to == Phase::Live) live_since_ = now();
    if (!may_admit(moved->to)) close_stage();
  }
  if (const auto* sealed = std::get_if<LedgerSealed>(&record.payload);
      sealed && sealed->event == spec_.event)
    result_.ledger_players = sealed->players;
}

void Play::note_verdict(const VerdictChanged& verdict) {
  if (verdict.gate.empty() && !result_.stages.empty())
    result_.stages.back().verdict = enum_name(verdict.verdict);
  // Thin traffic is blind now and then; that is no finding.
  const bool whole = verdict.verdict == VerdictName::Skewed ||
                     (verdict.verdict == VerdictName::Blind && truth_.acting(FaultKind::Blind));
  const bool fired = verdict.gate.empty() ? whole : verdict.verdict == VerdictName::Fail;
  const bool some_harm = std::any_of(spec_.faults.begin(), spec_.faults.end(),
                                     [](const Fault& fault) { return harms_players(fault.kind); });
  const auto since = some_harm && admitted_ && harmful_ ? std::max(*harmful_, *admitted_)
                     : some_harm                        ? std::optional<Duration>()
                                                        : admitted_;
  if (!fired || result_.fired || !since || now() < *since || (some_harm && whole)) return;
  result_.fired = GateFired{verdict.gate, std::string(enum_name(verdict.verdict)), now() - *since};
}

void Play::sample() {
  if (now() - sampled_ < kSampleEvery) return;
  sampled_ = now();
  Sample sample{now(), crowd_.counts().playing, crowd_.counts().playing_canary,
                0,     crowd_.counts().refused, 0};
  const EventState* state = event();
  if (state && may_admit(state->phase)) sample.exposure_ppm = state->exposure_ppm;
  if (!fleet_named_.empty() && sample.players > 0)
    sample.headroom = double(host_->view_of(fleet_named_).headroom_ppm()) / double(kPpmWhole);
  // The game before the event is no part of its story.
  if (state && sample.players > 0 &&
      (!headroom_seen_ || sample.headroom < result_.headroom_least)) {
    result_.headroom_least = sample.headroom;
    headroom_seen_ = true;
  }
  if (with_story_) result_.samples.push_back(sample);
}

}  // namespace showcaller::sim
