// SPDX-License-Identifier: Apache-2.0
// The fold: what each kind of record does to the world. No rule of the game is here, only
// bookkeeping: decide() has decided, and a replay must come to the same world for ever.
#include <algorithm>

#include <fmt/format.h>

#include "base/deliberate_bug.h"
#include "model/alert_table.h"
#include "model/manifest/manifest_from_json.h"
#include "model/world.h"

namespace showcaller {
namespace {

std::unexpected<Error> no_such(std::string_view what, std::string_view name) {
  return fail(ErrorCode::Corrupt,
              fmt::format("a record speaks of {} '{}', which is not in the world", what, name));
}

std::string start_key(const std::string& build, const std::string& region,
                      const std::string& host) {
  return fmt::format("{}/{}/{}", build, region, host);
}

// Whether starts under that key are among those that the quarantine's subject names. "build@host"
// is one on the other.
bool is_start_of(const std::string& key, QuarantineScope scope, const std::string& subject) {
  const std::size_t first = key.find('/'), last = key.rfind('/');
  const std::string build = key.substr(0, first), host = key.substr(last + 1);
  switch (scope) {
    case QuarantineScope::Build:
      return subject == build || subject == build + "@" + host;
    case QuarantineScope::Host:
      return subject == host;
    case QuarantineScope::Region:
      return subject == key.substr(first + 1, last - first - 1);
    case QuarantineScope::Instance:
      return false;
  }
  return false;
}

// One overload a payload. `record` gives time, actor and seq.
class Fold {
 public:
  Fold(World* world, const Record& record) : world_(*world), record_(record) {}

  Status operator()(const ManifestApplied& p) {
    TRY(auto manifest, manifest_from_json(p.document));
    const StoredManifest stored{std::make_shared<const Manifest>(std::move(manifest)),
                                p.generation};
    world_.manifests[p.kind + "/" + p.name] = stored;
    if (const auto* config = std::get_if<ConfigSpec>(&stored.manifest->spec)) {
      world_.config_versions[config_version_key(p.name, config->version)] = stored;
      forget_config_versions(p.name, kConfigVersionsMax);
    }
    return {};
  }
  Status operator()(const ManifestRemoved& p) {
    if (!world_.manifests.erase(p.kind + "/" + p.name)) return no_such("the manifest", p.name);
    if (p.kind == to_string(Kind::Config)) forget_config_versions(p.name, 0);
    return {};
  }

  Status operator()(const EventRevised& p) {
    TRY(auto manifest, manifest_from_json(p.document));
    if (p.proposed && !world_.event(p.event)) return no_such("the LiveEvent", p.event);
    EventState& event = world_.events[p.event];
    const ProposedRevision revision{std::make_shared<const Manifest>(std::move(manifest)),
                                    p.revision, record_.actor,
                                    p.trace.empty() ? record_.trace : p.trace, record_.seq};
    event.last_revision = p.revision;
    event.proposed = revision;
    if (!p.proposed) {
      event = with_proposal(may_admit(event.phase) ? std::move(event) : redrafted(event));
    } else if (event.manifest->hash == revision.manifest->hash) {
      event.proposed.reset();  // It is in force: what was proposed before is withdrawn.
    }
    return {};
  }
  Status operator()(const RevisionAdopted& p) {
    return on_event(p.event, [](EventState& event) { event = with_proposal(std::move(event)); });
  }
  Status operator()(const PhaseChanged& p) {
    return on_event(p.event, [&](EventState& event) {
      event.phase = p.to;
      event.phase_since = record_.time;
      event.phase_reason = p.reason;
      if (!is_under_way(p.to)) event.proposed.reset();
    });
  }
  Status operator()(const StageEntered& p) {
    return on_event(p.event, [&](EventState& event) {
      event.stage = p.stage;
      event.exposure_ppm = p.exposure_ppm;
      event.widened = false;
      // On the way back the last let in leave: what a later stage was widened to, too.
      const auto& stages = event.spec().stages;
      for (std::size_t later = std::size_t(p.stage) + 1; later < stages.size(); ++later)
        event.widened_ppm.erase(stages[later].name);
      begin_visit(&event, p.visit);
    });
  }
  Status operator()(const ExposureWidened& p) {
    return on_event(p.event, [&](EventState& event) {
      event.exposure_ppm = p.exposure_ppm;
      event.widened = true;
      const auto& stages = event.spec().stages;
      if (event.stage >= 0 && std::size_t(event.stage) < stages.size())
        event.widened_ppm[stages[std::size_t(event.stage)].name] = p.exposure_ppm;
      if (p.visit > 0) begin_visit(&event, p.visit);
    });
  }
  Status operator()(const HoldSet& p) {
    return on_event(p.event, [&](EventState& event) {
      event.hold = Hold{p.by, record_.actor, p.reason, record_.time};
    });
  }
  Status operator()(const HoldLifted& p) {
    return on_event(p.event, [&](EventState& event) {
      event.hold.reset();
      event.resumed = record_.time;
    });
  }
  Status operator()(const IntakeChanged& p) {
    return on_event(p.event, [&](EventState& event) {
      if (!p.region.empty() && p.to == IntakeState::Closed) {
        event.closed_regions.push_back(p.region);
        std::sort(event.closed_regions.begin(), event.closed_regions.end());
        return;
      }
      event.intake = p.to;
      if (p.region.empty()) {
        event.open_regions.clear();
      } else {
        event.open_regions.push_back(p.region);
        std::sort(event.open_regions.begin(), event.open_regions.end());
      }
    });
  }
  Status operator()(const PaceSet& p) {
    return on_event(p.event, [&](EventState& event) {
      event.pace_per_minute = p.per_minute;
      const bool as_written = p.per_minute == event.spec().intake.pace_per_minute;
      event.paced_by_gate = record_.actor == kEngineActor && !as_written;
    });
  }
  Status operator()(const DivertSet& p) {
    return on_event(p.event, [&](EventState& event) { event.diverted = p.on; });
  }
  Status operator()(const VerdictChanged& p) {
    return on_event(p.event, [&](EventState& event) {
      event.gates[p.gate] = {p.verdict, p.visit, p.evidence_s, record_.time, p.statistics, p.why};
    });
  }
  Status operator()(const ApprovalGranted& p) {
    return on_event(p.event, [&](EventState& event) {
      event.approvals.push_back({p.hash, p.by, p.roles, record_.time, p.until});
    });
  }
  Status operator()(const StepStarted& p) {
    return on_step(p.event, p.step, [&](Step& step) {
      using enum StepState;
      const bool doing = p.direction == StepDirection::Do;
      const bool goes_on = doing ? step.state == Doing || step.state == Failed
                                 : step.state == Undoing || step.state == Stuck;
      if (!goes_on) step.lineage = world_.lineage;
      step.state = doing ? Doing : Undoing;
      step.attempt = p.attempt;
      step.changed = record_.time;
      step.detail.clear();
    });
  }
  Status operator()(const StepFinished& p) {
    return on_step(p.event, p.step, [&](Step& step) {
      const bool doing = p.direction == StepDirection::Do;
      // An unknown outcome always says something: by that it differs from an attempt under way.
      step.detail = p.detail.empty() && p.outcome == StepOutcome::Unknown ? "no answer" : p.detail;
      step.attempt = p.attempt;
      step.changed = record_.time;
      switch (p.outcome) {
        case StepOutcome::Done:
          step.state = doing ? StepState::Done : StepState::Undone;
          break;
        case StepOutcome::Failed:
          step.state = doing ? StepState::Failed : StepState::Stuck;
          break;
        case StepOutcome::Unknown:
          break;  // Still on its way: it will be tried again with the same key.
      }
    });
  }
  Status operator()(const ReadinessChanged& p) {
    return on_event(p.event, [&](EventState& event) {
      event.readiness[p.check] = {p.ready, record_.time, p.detail};
    });
  }
  Status operator()(const SessionsCounted& p) {
    return on_event(p.event, [&](EventState& event) {
      event.sessions_canary = p.canary;
      event.sessions_baseline = p.baseline;
    });
  }
  Status operator()(const LedgerSealed& p) {
    return on_event(p.event, [&](EventState& event) {
      const LedgerStanding sealed{p.revision, p.rows, p.players, p.root, record_.time};
      const auto at = std::lower_bound(
          event.ledgers.begin(), event.ledgers.end(), p.revision,
          [](const LedgerStanding& l, std::int64_t revision) { return l.revision < revision; });
      if (at != event.ledgers.end() && at->revision == p.revision)
        *at = sealed;
      else
        event.ledgers.insert(at, sealed);
    });
  }
  Status operator()(const GlassBroken& p) {
    return on_event(p.event, [&](EventState& event) {
      event.glass.push_back({p.hash, record_.actor, p.reason, record_.time, p.until});
    });
  }
  Status operator()(const GateProven& p) {
    return on_event(p.event, [&](EventState& event) {
      event.proofs[p.hash] = {p.gate, record_.actor, p.verdict, p.method, p.runs, record_.time};
    });
  }
  Status operator()(const PageRaised&) { return {}; }
  Status operator()(const AlertOpened& p) {
    return open_alert(&world_, p, alert_id(record_.seq, world_.lineage), record_.time);
  }
  Status operator()(const AlertChanged& p) {
    return change_alert(&world_, p, record_.actor, record_.time);
  }
  Status operator()(const AlertDelivered& p) { return note_delivery(&world_, p, record_.time); }
  Status operator()(const SilenceSet& p) {
    world_.silences[silence_id(record_.seq, world_.lineage)] = {
        p.subject, p.event, record_.actor, p.reason, record_.time, p.until};
    return {};
  }
  Status operator()(const SilenceEnded& p) {
    const Silence* silence = world_.silences.find(p.id);
    if (!silence) return no_such("the silence", p.id);
    restart_escalation(&world_, silence->subject, record_.time);
    world_.silences.erase(p.id);
    return {};
  }

  Status operator()(const InstanceRequested& p) {
    FleetState& fleet = world_.fleets[p.fleet];
    ++fleet.next_instance;
    world_.instances[instance_key(p.fleet, p.id)] = {
        p.fleet, p.id, p.build, p.region, p.host, InstancePhase::Wanted, false, record_.time, {}};
    return {};
  }
  Status operator()(const InstanceMoved& p) {
    const std::string key = instance_key(p.fleet, p.id);
    Instance* instance = world_.instances.edit(key);
    if (!instance) return no_such("the instance", p.id);
    if (p.to == InstancePhase::Ready) instance->was_ready = true;
    if (p.to == InstancePhase::Gone) {
      world_.instances.erase(key);
      return {};
    }
    instance->phase = p.to;
    instance->since = record_.time;
    instance->reason = p.reason;
    return {};
  }
  Status operator()(const StartsDelayed& p) {
    const std::string place = start_key(p.build, p.region, p.host);
    if (p.failures == 0)
      world_.fleets[p.fleet].delays.erase(place);
    else
      world_.fleets[p.fleet].delays[place] = {p.failures, p.until};
    return {};
  }
  Status operator()(const QuarantineSet& p) {
    world_.quarantines[quarantine_key(p.scope, p.fleet, p.subject)] = {record_.time, p.until,
                                                                       p.reason};
    return {};
  }
  Status operator()(const QuarantineLifted& p) {
    world_.quarantines.erase(quarantine_key(p.scope, p.fleet, p.subject));
    FleetState& fleet = world_.fleets[p.fleet];  // Its failures are forgiven with it.
    std::erase_if(fleet.delays,
                  [&](const auto& delay) { return is_start_of(delay.first, p.scope, p.subject); });
    return {};
  }

  Status operator()(const LineStopped& p) {
    world_.lines[p.scope] = {record_.actor, p.reason, record_.time};
    return {};
  }
  Status operator()(const LineResumed& p) {
    world_.lines.erase(p.scope);
    return {};
  }
  Status operator()(const TokenCreated& p) {
    world_.tokens[p.sha256] = {p.id, p.name, p.sha256, p.roles, p.expires};
    return {};
  }
  Status operator()(const TokenRevoked& p) {
    std::string found;
    world_.tokens.each([&](const std::string& sha256, const Token& token) {
      if (token.id == p.id) found = sha256;
    });
    if (found.empty()) return no_such("the token", p.id);
    world_.tokens.erase(found);
    return {};
  }
  Status operator()(const ClockStepped& p) {
    world_.clock_stepped = record_.time;
    world_.clock_offset += Duration(p.by_ms);
    return {};
  }
  Status operator()(const DrillStarted& p) {
    DrillRun run;
    run.fleet = p.fleet;
    run.actor = record_.actor;
    run.document = p.document;
    run.started = record_.time;
    run.until = p.until;
    world_.drills[p.drill] = std::move(run);
    return {};
  }
  Status operator()(const DrillInjected& p) {
    if (!world_.drills.contains(p.drill)) return no_such("the drill", p.drill);
    world_.drills[p.drill].strikes[p.inject] = {p.fault, p.instances, record_.time, p.until};
    return {};
  }
  Status operator()(const DrillEnded& p) {
    if (!world_.drills.contains(p.drill)) return no_such("the drill", p.drill);
    DrillRun& run = world_.drills[p.drill];
    run.ended = record_.time;
    run.verdict = p.verdict;
    run.reason = p.reason;
    run.report = p.report;
    return {};
  }
  Status operator()(const FlagKilled& p) {
    return switch_flag(p.flag, {p.reopened, true, record_.time, record_.actor, p.reason});
  }
  Status operator()(const FlagReopened& p) {
    return switch_flag(p.flag, {p.reopened, false, record_.time, record_.actor, p.reason});
  }
  Status operator()(const ExposureBounded& p) {
    return on_event(p.event, [&](EventState& event) { event.bounds = unless_empty(p.bounds); });
  }
  Status operator()(const FlagBounded& p) {
    world_.flags[p.flag].bounds = unless_empty(p.bounds);
    return {};
  }
  Status operator()(const BreakerChanged& p) {
    ServiceState& service = world_.services[p.service];
    service.breaker = p.to;
    service.breaker_since = record_.time;
    service.breaker_reason = p.reason;
    return {};
  }
  Status operator()(const StressChanged& p) {
    ServiceState& service = world_.services[p.service];
    service.stressed = p.stressed;
    if (!p.stressed) service.kept.clear();
    service.stress_since = record_.time;
    service.signs = p.signs;
    service.stress_reason = p.reason;
    return {};
  }
  Status operator()(const FeatureWithdrawn& p) {
    ServiceState& service = world_.services[p.service];
    WithdrawnFeature gone{p.feature, p.flag, p.variant, p.message, p.reason, record_.time};
    if (p.by_hand) {
      gone.by = record_.actor;
      std::erase(service.kept, p.feature);
      std::erase_if(service.withdrawn, [&](const auto& f) { return f.feature == p.feature; });
    }
    service.withdrawn.push_back(std::move(gone));
    service.moved = record_.time;
    return {};
  }
  Status operator()(const FeatureReturned& p) {
    ServiceState* service = world_.services.edit(p.service);
    if (!service) return no_such("the service", p.service);
    std::erase_if(service->withdrawn,
                  [&](const WithdrawnFeature& gone) { return gone.feature == p.feature; });
    if (p.by_hand && service->stressed) service->kept.push_back(p.feature);
    service->moved = record_.time;
    return {};
  }
  Status operator()(const FlagSwitchMerged& p) {
    for (const FlagSwitch& move : p.there) TRY(switch_flag(p.flag, move));
    return {};
  }
  Status operator()(const FlagScheduleReached& p) {
    Instant& reached = world_.flags[p.flag].schedule_reached;
    reached = std::max(reached, p.at);
    return {};
  }
  Status operator()(const TimeNoted&) { return {}; }
  Status operator()(const JournalRestored& p) {
    world_.lineage = p.lineage;
    return {};
  }
  // Downtime never counts toward a bake, a readiness time-out or a rollback's bound.
  Status operator()(const ServerStarted& p) {
    const Duration offset(p.clock_ms);
    if (p.down_ms == 0 && offset < world_.clock_offset) world_.clock_stepped = record_.time;
    world_.clock_offset = offset;
    if (p.down_ms <= 0 || broken(DeliberateBug::DowntimeBakes)) return {};
    std::vector<std::string> shifted;
    world_.events.each([&](const std::string& name, const EventState& event) {
      if (counts_time(event.phase)) shifted.push_back(name);
    });
    for (const std::string& name : shifted) {
      EventState& event = world_.events[name];
      event.stage_since += Duration(p.down_ms);
      event.phase_since += Duration(p.down_ms);
      if (event.resumed != Instant{}) event.resumed += Duration(p.down_ms);
    }
    return {};
  }

 private:
  static std::optional<ExposureBounds> unless_empty(const ExposureBounds& bounds) {
    return bounds.empty() ? std::nullopt : std::optional(bounds);
  }

  // All but the newest so many.
  void forget_config_versions(const std::string& document, std::size_t kept) {
    std::vector<std::string> keys;
    each_config_version(world_, document, [&](const StoredManifest& stored) {
      keys.push_back(config_version_key(document, stored.manifest->as<ConfigSpec>().version));
    });
    for (std::size_t i = 0; i + kept < keys.size(); ++i) world_.config_versions.erase(keys[i]);
  }

  Status switch_flag(const std::string& flag, const FlagSwitch& next) {
    FlagSwitch& kill = world_.flags[flag].kill;
    kill = merged(kill, next);
    return {};
  }

  void begin_visit(EventState* event, std::int64_t visit) const {
    event->visit = visit;
    event->stage_since = record_.time;
    event->gates.clear();
    event->sessions_canary = event->sessions_baseline = 0;
  }

  // A new life for what is proposed. Evidence of an older revision keeps its name; an operator's
  // hold outlasts a change of mind, but not the end of what it held.
  EventState redrafted(const EventState& event) const {
    EventState draft;
    draft.last_revision = event.last_revision;
    draft.proposed = event.proposed;
    draft.visit = event.visit;  // Evidence of an older revision keeps its name.
    draft.ledgers = event.ledgers;
    draft.proofs = event.proofs;  // Bound to the gates themselves.
    draft.phase_since = record_.time;
    if (!is_over(event.phase) && event.hold && event.hold->by == HoldCause::Operator)
      draft.hold = event.hold;
    return draft;
  }

  template <class Change>
  Status on_event(const std::string& name, Change change) {
    EventState* event = world_.events.edit(name);
    if (!event) return no_such("the LiveEvent", name);
    change(*event);
    return {};
  }
  template <class Change>
  Status on_step(const std::string& name, int index, Change change) {
    EventState* event = world_.events.edit(name);
    if (!event) return no_such("the LiveEvent", name);
    if (index < 0 || std::size_t(index) >= event->steps->size()) return no_such("a step of", name);
    change(event->steps.change()[std::size_t(index)]);
    return {};
  }

  World& world_;
  const Record& record_;
};

// Keys of a day, and no more of them than the limit: a retried command has one effect for that
// long.
void remember_key(World* world, const Record& record) {
  world->keys.add({DoneKeys::digest_of(record.key), record.seq, record.command, record.time});
  while (world->keys.size() > kIdempotencyKeysMax ||
         record.time - world->keys.oldest()->at > kIdempotencyKeyLife) {
    world->keys.drop_oldest();
  }
}

}  // namespace

std::string config_version_key(std::string_view document, std::int64_t version) {
  return fmt::format("{}/{:020}", document, version);
}

const ConfigSpec* config_version(const World& world, std::string_view document,
                                 std::int64_t version) {
  const StoredManifest* stored = world.config_versions.find(config_version_key(document, version));
  return stored ? &stored->manifest->as<ConfigSpec>() : nullptr;
}

void each_config_version(const World& world, std::string_view document,
                         const std::function<void(const StoredManifest&)>& visit) {
  const std::string prefix = fmt::format("{}/", document);
  world.config_versions.each_from(prefix,
                                  [&](const std::string& key, const StoredManifest& stored) {
                                    if (!key.starts_with(prefix)) return false;
                                    visit(stored);
                                    return true;
                                  });
}

std::string quarantine_key(QuarantineScope scope, std::string_view fleet,
                           std::string_view subject) {
  return fmt::format("{}/{}/{}", fleet, enum_name(scope), subject);
}

EventState with_proposal(EventState event) {
  if (!event.proposed) return event;
  ProposedRevision next = *std::exchange(event.proposed, std::nullopt);
  event.manifest = std::move(next.manifest);
  event.revision = next.revision;
  event.author = std::move(next.author);
  event.trace = std::move(next.trace);
  event.applied_seq = next.applied_seq;
  event.steps.change().resize(event.spec().changes.size());
  return event;
}

const LedgerStanding* EventState::ledger_of(std::int64_t of_revision) const {
  const auto at = std::find_if(ledgers.begin(), ledgers.end(),
                               [&](const LedgerStanding& l) { return l.revision == of_revision; });
  return at == ledgers.end() ? nullptr : &*at;
}

std::shared_ptr<const Manifest> World::manifest(Kind kind, std::string_view name) const {
  const StoredManifest* found = manifests.find(fmt::format("{}/{}", to_string(kind), name));
  return found ? found->manifest : nullptr;
}

const FleetSpec* World::fleet(std::string_view name) const {
  const StoredManifest* found = manifests.find(fmt::format("Fleet/{}", name));
  return found ? &found->manifest->as<FleetSpec>() : nullptr;
}

const ServiceSpec* World::service(std::string_view name) const {
  const StoredManifest* found = manifests.find(fmt::format("Service/{}", name));
  return found ? &found->manifest->as<ServiceSpec>() : nullptr;
}

const FlagSwitch* World::killed(std::string_view flag) const {
  const FlagState* state = flags.find(flag);
  return state && state->kill.off ? &state->kill : nullptr;
}

Status evolve(World* world, const Record& record) {
  if (record.seq != world->seq + 1) {
    return fail(ErrorCode::Corrupt,
                fmt::format("record {} follows {} in the journal; run `showcaller doctor`",
                            record.seq, world->seq));
  }
  if (const Status folded = std::visit(Fold(world, record), record.payload); !folded) {
    return fail(folded.error().code, fmt::format("record {} ({}): {}", record.seq,
                                                 record.kind().name, folded.error().message));
  }
  world->seq = record.seq;
  world->epoch = record.epoch;
  world->time = std::max(world->time, record.time);
  if (!record.key.empty()) remember_key(world, record);
  return {};
}

}  // namespace showcaller
