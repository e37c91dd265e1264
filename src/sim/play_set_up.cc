// SPDX-License-Identifier: Apache-2.0
// How a run begins: what is virtual, the host over it, the manifests applied.
#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "sim/evidence_level.h"
#include "sim/play.h"

namespace showcaller::sim {
namespace {

constexpr Duration kGameBeforeLeast = minutes(10), kGameBeforeMost = minutes(45);

std::uint64_t seed_of(std::uint64_t seed, std::uint64_t part) {
  return Random(seed).fork(part).next();
}

Duration game_before(const RunSpec& spec) {
  return std::clamp(2 * spec.population.session, kGameBeforeLeast, kGameBeforeMost);
}

}  // namespace

Play::Play(const RunSpec& spec, bool with_story)
    : spec_(spec),
      with_story_(with_story),
      clock_(spec.start - game_before(spec)),
      truth_(spec.population, metrics_of(spec.manifests, spec.population), targeted(spec),
             seed_of(spec.seed, 1)),
      fleet_(&truth_, seed_of(spec.seed, 2)),
      services_(&truth_, seed_of(spec.seed, 3)),
      crowd_(&truth_, &fleet_, seed_of(spec.seed, 4)),
      people_(&truth_, seed_of(spec.seed, 5)),
      operators_(&truth_, spec.commands),
      ledger_(seed_of(spec.seed, 6)) {
  result_.seed = spec.seed;
  const std::uint64_t seed = seed_of(spec.seed, 7);
  if (spec.level == RehearsalLevel::Evidence) {
    level_ = std::make_unique<EvidenceLevel>(&truth_, &fleet_, spec.event, seed);
    return;
  }
  level_ = std::make_unique<SessionLevel>(
      &truth_, &fleet_, spec.event, seed,
      [this](const AllocationRequest& request, const Allocation& allocation) {
        invariants_.follow_session(*host_->world(), request, allocation);
      });
}

// What a loss strikes when it is not said: the first region, or host, of the first fleet.
std::vector<Fault> Play::targeted(const RunSpec& spec) {
  std::vector<Fault> faults = spec.faults;
  for (Fault& fault : faults) {
    if (fault.target.empty() && !spec.population.regions.empty() &&
        (fault.kind == FaultKind::RegionLoss || fault.kind == FaultKind::HostLoss ||
         fault.kind == FaultKind::Partition)) {
      fault.target = spec.population.regions.front().name;
      for (const auto& manifest : spec.manifests) {
        if (fault.kind != FaultKind::HostLoss || manifest->kind() != Kind::Fleet) continue;
        const auto& hosts = manifest->as<FleetSpec>().regions.front().hosts;
        fault.target =
            hosts.empty() ? manifest->as<FleetSpec>().regions.front().name : hosts.front();
        break;
      }
    }
  }
  return faults;
}

Status Play::start_host() {
  journal_ = std::make_unique<MemoryJournal>(disk_);
  HostOptions options;
  options.secret = fmt::format("rehearsal {}", spec_.seed);
  options.engine.version = "rehearsal";
  HostPorts ports{journal_.get(), &clock_, {}, &services_, &evidence_, &ledger_, level_->counts()};
  ports.probes = &services_;
  for (const auto& manifest : spec_.manifests) {
    if (manifest->kind() == Kind::Fleet) ports.drivers[manifest->as<FleetSpec>().driver] = &fleet_;
  }
  TRY(host_, Host::open(ports, std::move(options)));
  assigner_ = std::make_unique<Assigner>(host_.get(), spec_.event);
  level_->open(host_.get(), assigner_.get());
  return {};
}

// As a supervisor does it: again and again until it comes up.
void Play::restart(Duration down) {
  services_.forget_callers();
  assigner_.reset();
  host_.reset();
  clock_.advance(down);
  Status started = start_host();
  for (; !started && now() < spec_.horizon; started = start_host()) clock_.advance(seconds(1));
  CHECK(started);  // Memory holds what it was given: a full disk is full for so many writes.
  check_what_was_followed();
}

void Play::settle() {
  while (true) {
    const auto ran = host_->engine().run_batch();
    if (!ran || !*ran) return;
  }
}

// The answer to the last copy: the others are repetitions of one of them.
Status Play::send(Command command) {
  const int copies = truth_.acting(FaultKind::Duplicates) ? 2 : 1;
  const auto answered = std::make_shared<Status>(fail(ErrorCode::Unavailable, "nobody answered"));
  for (int i = 0; i < copies; ++i) {
    const Status taken =
        host_->engine().submit(command, [answered](const Result<Receipt>& receipt) {
          *answered = receipt ? Status() : std::unexpected(receipt.error());
        });
    if (!taken) *answered = taken;
  }
  settle();
  return *answered;
}

Status Play::apply(bool the_event) {
  ApplyCommand apply;
  for (const auto& manifest : spec_.manifests) {
    const bool is_event = manifest->kind() == Kind::LiveEvent;
    if (is_event == the_event) apply.manifests.push_back(manifest);
    if (manifest->kind() != Kind::Fleet) continue;
    for (const BuildSpec& build : manifest->as<FleetSpec>().builds)
      fleet_.set_sessions_per_instance(manifest->name, build.version, build.sessions_per_instance);
  }
  if (apply.manifests.empty()) return {};
  Status answered;
  Command command{std::move(apply), {"author", {"admin"}}, "", {}, "rehearsal"};
  TRY(host_->engine().submit(std::move(command), [&](Result<Receipt> receipt) {
    if (!receipt) answered = std::unexpected(receipt.error());
  }));
  settle();
  return answered;
}

}  // namespace showcaller::sim
