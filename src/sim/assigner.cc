// SPDX-License-Identifier: Apache-2.0
#include "sim/assigner.h"

#include <algorithm>

#include "model/exposure.h"

namespace showcaller::sim {
namespace {

std::optional<Exposure> compiled(ExposureRule rule) {
  if (rule.stages.empty()) return std::nullopt;
  auto exposure = Exposure::compile(std::move(rule));
  return exposure ? std::optional(*std::move(exposure)) : std::nullopt;
}

bool is_concerned(const RecordBatch& records) {
  return std::any_of(records->begin(), records->end(), [](const Record& record) {
    return concerns_allocation(record.payload) || concerns_flags(record.payload);
  });
}

// Instances come and go without anybody's arm being another.
bool changes_arms(const Record& record) {
  return !std::holds_alternative<InstanceMoved>(record.payload) &&
         (concerns_allocation(record.payload) || concerns_flags(record.payload));
}

std::string_view unit_of(Unit unit, const AllocationRequest& request) {
  switch (unit) {
    case Unit::Player:
      return request.players.front().id;
    case Unit::Party:
      return request.party;
    case Unit::Guild:
      return request.guild;
    case Unit::Match:
      return request.session;
  }
  return request.party;
}

}  // namespace

Assigner::Assigner(Host* host, std::string event) : host_(host), event_(std::move(event)) {
  follow(*host_->world());
  host_->engine().listen([this](const World& world, const RecordBatch& records) {
    if (is_concerned(records)) follow(world);
    if (std::any_of(records->begin(), records->end(), changes_arms)) ++version_;
  });
}

void Assigner::follow(const World& world) {
  const auto salt_of = [this](const std::string& event) { return host_->salt_of(event); };
  plan_ = std::make_shared<const AllocationPlan>(make_allocation_plan(world, salt_of, plan_.get()));
  layers_.clear();
  canaries_.clear();
  world.events.each([&](const std::string& name, const EventState& event) {
    if (is_over(event.phase) || !event.manifest) return;
    for (const Change& change : event.spec().changes) {
      if (const auto* build = std::get_if<BuildChange>(&change.what)) {
        const FleetSpec* fleet = world.fleet(build->fleet);
        if (name == event_ && fleet && fleet->base != build->version)
          canaries_.insert(build->fleet + "/" + build->version);
      }
    }
    if (!event.spec().changes_build() && may_admit(event.phase))
      layers_.push_back(layer_of(name, event));
  });
  draws_sessions_ = some_layer_draws_sessions();
}

bool Assigner::some_layer_draws_sessions() const {
  const auto draws = [](const auto& layer) { return layer.unit == Unit::Match; };
  return std::any_of(layers_.begin(), layers_.end(), draws) ||
         std::any_of(plan_->fleets.begin(), plan_->fleets.end(), [&](const auto& fleet) {
           return std::any_of(fleet.second.layers.begin(), fleet.second.layers.end(), draws);
         });
}

Assigner::FlagLayer Assigner::layer_of(const std::string& name, const EventState& event) const {
  const std::string salt = host_->salt_of(name);
  return {name,
          event.revision,
          event.visit,
          event.spec().assigned_unit(),
          compiled(exposure_rule(event, salt)),
          compiled(eligibility_rule(event, salt)),
          compiled(exempt_rule(event, salt))};
}

std::optional<BuildAssignment> Assigner::builds(const AllocationRequest& request,
                                                const std::vector<const CanaryLayer*>& skip) const {
  const auto fleet = plan_->fleets.find(request.fleet);
  if (fleet == plan_->fleets.end()) return std::nullopt;
  auto assigned = assign_build(fleet->second, request, request.region, skip, host_->engine().now());
  return assigned ? std::optional(*std::move(assigned)) : std::nullopt;
}

std::vector<ArmAssignment> Assigner::flags(const AllocationRequest& request) const {
  std::vector<ArmAssignment> out;
  if (layers_.empty() || request.players.empty()) return out;
  const Instant now = host_->engine().wall();
  const AllocationPlayer& player = request.players.front();
  EvaluationContext own(player.context);
  for (const FlagLayer& layer : layers_) {
    EvaluationContext context;
    context.set_parent(&own);
    context.set_targeting_key(player.id);
    context.set(unit_attribute(layer.unit), unit_of(layer.unit, request));
    context.set("region", std::string_view(request.region));
    const auto holds = [&](const std::optional<Exposure>& exposure) {
      return exposure && exposure->admits(context, now);
    };
    const bool admitted = holds(layer.admits), eligible = holds(layer.eligible);
    if (!admitted && !eligible) continue;
    out.push_back({layer.event, layer.revision, layer.visit, admitted ? Arm::Canary : Arm::Baseline,
                   eligible && !holds(layer.exempt), false});
  }
  return out;
}

}  // namespace showcaller::sim
