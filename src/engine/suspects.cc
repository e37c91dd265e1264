// SPDX-License-Identifier: Apache-2.0
#include "engine/suspects.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace showcaller {
namespace {

Suspect held_against(const TroubleSeen& trouble, const ChangeSeen& change) {
  Suspect out{.seq = change.seq, .at = change.at, .by = change.by, .what = change.what};
  std::ranges::set_intersection(trouble.touches, change.touches,
                                std::inserter(out.common, out.common.end()));
  const double apart = double(std::chrono::abs(trouble.sign - change.at).count());
  out.nearness = std::exp2(-apart / double(kSuspicionHalves.count()));
  out.overlap =
      double(out.common.size()) / double(std::max<std::size_t>(1, trouble.touches.size()));
  out.moved_after = change.at <= trouble.sign;
  return out;
}

struct Changes {
  template <class P>
  bool operator()(const P&) const {
    return false;
  }
  bool operator()(const ManifestApplied&) const { return true; }
  bool operator()(const ManifestRemoved&) const { return true; }
  bool operator()(const EventRevised& p) const { return !p.proposed; }
  bool operator()(const RevisionAdopted&) const { return true; }
  bool operator()(const StageEntered&) const { return true; }
  bool operator()(const ExposureWidened&) const { return true; }
  bool operator()(const IntakeChanged& p) const { return p.to == IntakeState::Open; }
  bool operator()(const PaceSet&) const { return true; }
  bool operator()(const DivertSet&) const { return true; }
  bool operator()(const PhaseChanged& p) const {
    return p.to == Phase::Live || p.to == Phase::Settling || p.to == Phase::Deprecated ||
           p.to == Phase::Retired || p.to == Phase::RolledBack;
  }
  bool operator()(const StepFinished& p) const { return p.outcome == StepOutcome::Done; }
  bool operator()(const QuarantineSet&) const { return true; }
  bool operator()(const QuarantineLifted&) const { return true; }
  bool operator()(const DrillInjected&) const { return true; }
  bool operator()(const FlagKilled&) const { return true; }
  bool operator()(const FlagReopened&) const { return true; }
  bool operator()(const FlagSwitchMerged&) const { return true; }
  bool operator()(const FlagScheduleReached&) const { return true; }
};

}  // namespace

bool is_a_change(const Payload& payload) {
  return std::visit(Changes{}, payload);
}

std::vector<Suspect> suspects_of(const TroubleSeen& trouble, std::span<const ChangeSeen> changes,
                                 std::size_t most) {
  std::vector<Suspect> out;
  for (const ChangeSeen& change : changes) {
    if (change.at > trouble.opened || trouble.sign - change.at > kSuspectsSince) continue;
    if (Suspect suspect = held_against(trouble, change); suspect.overlap > 0)
      out.push_back(std::move(suspect));
  }
  std::ranges::stable_sort(out, [](const Suspect& a, const Suspect& b) {
    return a.score() != b.score() ? a.score() > b.score() : a.seq > b.seq;
  });
  if (out.size() > most) out.resize(most);
  return out;
}

}  // namespace showcaller
