// SPDX-License-Identifier: Apache-2.0
// Applying and removing manifests: what may change under the events that are alive.
#include <array>

#include <fmt/format.h>

#include "engine/config_versions.h"
#include "engine/decide_parts.h"
#include "engine/exposure_share.h"
#include "engine/flag_validation.h"
#include "model/exposure.h"
#include "model/revision_trace.h"
#include "policy/freezes.h"
#include "policy/quotas.h"

namespace showcaller {
namespace {

// ---- a revision of an event under way ----

bool has_same_changes(const Manifest& a, const Manifest& b) {
  const auto changes_of = [](const Manifest& manifest) {
    const json::value* spec = manifest.document.if_contains("spec");
    const json::value* found =
        spec && spec->is_object() ? spec->get_object().if_contains("changes") : nullptr;
    return found ? *found : json::value();
  };
  return changes_of(a) == changes_of(b);
}

// What of a stage stays as it is once players are in it, and what to do instead.
struct StageKey {
  std::string_view key;
  bool (*same)(const StageSpec&, const StageSpec&);
  std::string_view instead;
};
constexpr std::string_view kFurtherStage =
    "let more in by a further stage, or take the last in out with `showcaller step-back`";
constexpr auto kStageKeys = std::to_array<StageKey>({
    {"name", [](const StageSpec& a, const StageSpec& b) { return a.name == b.name; },
     "keep the stages up to the present one as they are, and change those after it"},
    {"audience", [](const StageSpec& a, const StageSpec& b) { return a.audience == b.audience; },
     kFurtherStage},
    {"regions", [](const StageSpec& a, const StageSpec& b) { return a.regions == b.regions; },
     kFurtherStage},
    {"exposure",
     [](const StageSpec& a, const StageSpec& b) { return a.exposure_ppm == b.exposure_ppm; },
     kFurtherStage},
    {"gated", [](const StageSpec& a, const StageSpec& b) { return a.gated == b.gated; },
     "a stage that players were told is judged stays so; change those after it"},
});

std::unexpected<Error> may_not_change(const Manifest& next, std::string_view key,
                                      std::string_view instead) {
  return fail(
      ErrorCode::Conflict,
      fmt::format("LiveEvent '{}' has players in it, so its {} can't be revised under them; {}",
                  next.name, key, instead));
}

// Whether all stages entered so far let in whom they let in now.
bool admits_the_same(const EventState& event, const std::shared_ptr<const Manifest>& next) {
  EventState open = event;
  open.intake = IntakeState::Open;
  open.diverted = false;
  const ExposureRule before = exposure_rule(open);
  open.manifest = next;
  const ExposureRule after = exposure_rule(open);
  return std::equal(before.stages.begin(), before.stages.end(), after.stages.begin(),
                    after.stages.end(), [](const ExposureStage& a, const ExposureStage& b) {
                      return a.audience == b.audience && a.exposure_ppm == b.exposure_ppm;
                    });
}

// Players are in it: who is in stays in, who is not comes in by a stage and its gates. What they
// will meet may change.
Status check_entered_stages(const EventState& event, const std::shared_ptr<const Manifest>& next) {
  const LiveEventSpec& now = event.spec();
  const LiveEventSpec& then = next->as<LiveEventSpec>();
  if (now.assigned_unit() != then.assigned_unit()) {
    return may_not_change(*next, "rollout.unit",
                          "everybody would be drawn anew; roll it back and apply again");
  }
  if (now.exclusion != then.exclusion) {
    return may_not_change(*next, "rollout.exclusion",
                          "who is in would be another; leave it until the event is over");
  }
  if (event.phase == Phase::Live && now.stages.size() != then.stages.size())
    return may_not_change(*next, "rollout.stages", "it is live, and no stage can follow");
  for (std::size_t i = 0; i <= std::size_t(std::max(0, event.stage)); ++i) {
    if (i >= then.stages.size())
      return may_not_change(*next, "stage " + now.stages[i].name, "leave it in the manifest");
    for (const StageKey& key : kStageKeys) {
      if (key.same(now.stages[i], then.stages[i])) continue;
      return may_not_change(
          *next, fmt::format("rollout.stages[{}].{}", now.stages[i].name, key.key), key.instead);
    }
  }
  if (admits_the_same(event, next)) return {};
  return may_not_change(*next, "watch.holdback",
                        "who is held back would come in without a gate, or who is in be thrown "
                        "out; leave it until the event is over");
}

// Layers are exchanged by beginning anew while nobody is in; what an action did is not.
Status check_new_changes(const EventState& event, const Manifest& next) {
  if (may_admit(event.phase)) {
    return may_not_change(next, "changes",
                          "roll it back and apply again, or put the new changes into another "
                          "LiveEvent after it");
  }
  if (!has_outside_effects(event)) return {};
  return fail(ErrorCode::Conflict,
              fmt::format("LiveEvent '{}' has called actions that another change-set would leave "
                          "as they are; cancel it, which undoes them, then apply again",
                          next.name));
}

Status check_new_problems(const World& world, const World& next_world, const Manifest& present,
                          const Manifest& next) {
  const auto known = problems_against(world, present);
  for (const std::string& problem : problems_against(next_world, next)) {
    if (std::find(known.begin(), known.end(), problem) == known.end())
      return fail(ErrorCode::Conflict, fmt::format("LiveEvent '{}': {}", next.name, problem));
  }
  return {};
}

class ApplyDecision {
 public:
  ApplyDecision(const World& world, const std::string& trace, Instant now)
      : world_(world), next_(world), trace_(trace), now_(now) {}

  Result<Decision> decide(const ApplyCommand& apply) {
    TRY(permit(world_, apply, now_));
    for (const auto& manifest : apply.manifests) {
      if (manifest->kind() != Kind::LiveEvent) TRY(apply_other(manifest));
    }
    for (const auto& manifest : apply.manifests) {
      if (manifest->kind() == Kind::Flag) TRY(bound_flag(manifest));
    }
    for (const auto& manifest : apply.manifests) {
      if (manifest->kind() == Kind::LiveEvent) TRY(apply_event(manifest));
    }
    if (const std::string taken = taken_from_events(world_, next_); !taken.empty()) {
      return fail(ErrorCode::Conflict,
                  fmt::format("this would change what is in use: {}; retire or roll that back "
                              "first, or keep what it uses",
                              taken));
    }
    if (const std::string problem = new_flag_problem(world_, next_); !problem.empty())
      return fail(ErrorCode::Conflict, problem);
    if (const std::string problem = new_exclusion_problem(world_, next_); !problem.empty())
      return fail(ErrorCode::Conflict, problem);
    // What has come already is in force at once, not a moment later.
    for (Payload& due : flag_changes_due(next_, now_)) out_.payloads.push_back(std::move(due));
    return std::move(out_);
  }

 private:
  Status apply_other(const std::shared_ptr<const Manifest>& manifest) {
    const StoredManifest* stored = world_.manifests.find(manifest->key());
    if (stored && stored->manifest->hash == manifest->hash) {
      out_.notes.push_back(manifest->key() + " unchanged");
      return {};
    }
    if (manifest->kind() == Kind::Config) TRY(check_config_version(world_, *manifest));
    const std::int64_t generation = stored ? stored->generation + 1 : 1;
    next_.manifests[manifest->key()] = {manifest, generation};
    out_.payloads.push_back(ManifestApplied{std::string(to_string(manifest->kind())),
                                            manifest->name, generation, manifest->hash,
                                            manifest->document});
    out_.touched.push_back("*");  // A policy, a fleet, a flag: any event may have waited for it.
    out_.notes.push_back(fmt::format("{} {}", manifest->key(), stored ? "changed" : "created"));
    const auto* policy = std::get_if<PolicySpec>(&manifest->spec);
    if (policy && policy->audit_only && !policy->roles.empty()) {
      out_.notes.push_back(
          fmt::format("{} is in audit mode: its roles give no right yet", manifest->key()));
    }
    return {};
  }

  Status bound_flag(const std::shared_ptr<const Manifest>& manifest) {
    TRY(const ExposureBounds bounds, bounds_of(next_, *manifest, pending_));
    pending_[manifest->key()] = bounds;
    const FlagState* state = world_.flags.find(manifest->name);
    const bool had = state && state->bounds;
    if (had ? *state->bounds == bounds : bounds.empty()) return {};
    out_.payloads.push_back(FlagBounded{manifest->name, bounds});
    return {};
  }

  // An event that begins anew has no bounds any more; one that admits players keeps them.
  Status bound_event(const std::shared_ptr<const Manifest>& manifest, const EventState* present,
                     bool proposed) {
    if (proposed && may_admit(present->phase)) return {};
    TRY(const ExposureBounds bounds, bounds_of(next_, *manifest, pending_));
    pending_[manifest->key()] = bounds;
    const ExposureBounds had =
        proposed ? present->bounds.value_or(ExposureBounds()) : ExposureBounds();
    if (bounds != had) out_.payloads.push_back(ExposureBounded{manifest->name, bounds});
    return {};
  }

  Status apply_event(const std::shared_ptr<const Manifest>& manifest) {
    const EventState* event = world_.event(manifest->name);
    const bool alive = event && !is_over(event->phase);
    const bool in_force = alive && event->manifest->hash == manifest->hash;
    const bool waits = alive && event->proposed;
    if (waits ? event->proposed->manifest->hash == manifest->hash : in_force) {
      out_.notes.push_back(manifest->key() + " unchanged");
      return {};
    }
    bool proposed = false;
    if (alive) {
      TRY(proposed, waits_beside_the_present(world_, next_, *event, manifest));
    } else {
      TRY(check_event_quota(world_, manifest->name, now_));
    }
    if (event && !proposed) next_.events[manifest->name].manifest = manifest;
    const std::int64_t revision = event ? event->last_revision + 1 : 1;
    out_.payloads.push_back(
        EventRevised{manifest->name, revision, manifest->hash, manifest->document, proposed,
                     revision_trace_id(manifest->name, revision, manifest->hash, trace_)});
    TRY(bound_event(manifest, event, proposed));
    out_.touched.push_back(manifest->name);
    out_.notes.push_back(in_force
                             ? fmt::format("{} r{} stays in force; what was proposed is withdrawn",
                                           manifest->key(), event->revision)
                             : fmt::format("{} r{} {}", manifest->key(), revision,
                                           !event     ? "created"
                                           : proposed ? "proposed"
                                                      : "revised"));
    return {};
  }

  const World& world_;
  World next_;  // as it would be
  PendingBounds pending_;
  const std::string& trace_;
  Instant now_;
  Decision out_;
};

int instances_of(const World& world, const std::string& fleet) {
  int instances = 0;
  world.instances.each_from(fleet + "/", [&](const std::string&, const Instance& instance) {
    instances += instance.fleet == fleet ? 1 : 0;
    return instance.fleet == fleet;
  });
  return instances;
}

}  // namespace

Result<bool> waits_beside_the_present(const World& world, const World& next_world,
                                      const EventState& event,
                                      const std::shared_ptr<const Manifest>& next) {
  const Outcome outcome = outcome_of(event.phase, PhaseInput::Revise);
  if (!outcome.allowed) {
    return fail(ErrorCode::Conflict,
                fmt::format("LiveEvent '{}': {}", next->name, outcome.refusal));
  }
  if (!is_under_way(event.phase)) return false;
  if (!has_same_changes(*event.manifest, *next)) {
    TRY(check_new_changes(event, *next));
    return false;
  }
  if (may_admit(event.phase)) TRY(check_entered_stages(event, next));
  TRY(check_new_problems(world, next_world, *event.manifest, *next));
  return true;
}

Result<Decision> decide_apply(const World& world, const ApplyCommand& apply,
                              const std::string& trace, Instant now) {
  return ApplyDecision(world, trace, now).decide(apply);
}

Result<Decision> decide_remove(const World& world, const RemoveCommand& remove) {
  const auto manifest = world.manifest(remove.kind, remove.name);
  const std::string_view kind = to_string(remove.kind);
  if (!manifest)
    return fail(ErrorCode::NotFound, fmt::format("there is no {} '{}'", kind, remove.name));
  const int instances = remove.kind == Kind::Fleet ? instances_of(world, remove.name) : 0;
  if (instances > 0) {
    return fail(ErrorCode::Conflict,
                fmt::format("Fleet '{}' still has {} instances; apply it with capacity min 0 and "
                            "buffer 0, and remove it when they are gone",
                            remove.name, instances));
  }
  World next = world;
  next.manifests.erase(manifest->key());
  if (const std::string taken = taken_from_events(world, next); !taken.empty()) {
    return fail(ErrorCode::Conflict,
                fmt::format("{} '{}' can't be removed: {}; retire or roll that back first", kind,
                            remove.name, taken));
  }
  if (const std::string problem = new_flag_problem(world, next); !problem.empty()) {
    return fail(ErrorCode::Conflict, fmt::format("{} '{}' can't be removed: {}", kind, remove.name,
                                                 problem.substr(0, problem.find("; "))));
  }
  if (const std::string problem = new_exclusion_problem(world, next); !problem.empty())
    return fail(ErrorCode::Conflict,
                fmt::format("{} '{}' can't be removed: {}", kind, remove.name, problem));
  return Decision{
      {ManifestRemoved{std::string(kind), remove.name}}, {}, {"removed " + manifest->key()}};
}

}  // namespace showcaller
