// SPDX-License-Identifier: Apache-2.0
// A thousand flags of five kinds and a thousand players, as a game has them. The same for us and
// for the peer: definitions and players are written to files, questions follow from a seed.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "flag/context.h"

namespace showcaller::bench {

enum class FlagKind : std::uint8_t { Plain, Rollout, Gated, Chain, MixedChain };
inline constexpr std::array kFlagKinds{FlagKind::Plain, FlagKind::Rollout, FlagKind::Gated,
                                       FlagKind::Chain, FlagKind::MixedChain};
std::string_view to_string(FlagKind kind);

inline constexpr std::uint32_t kFlagsOfKind = 200;
inline constexpr std::uint32_t kPlayers = 1'000;

struct Player {
  std::string id, region, version, platform, country, language, tier, segment;
  double level = 0;
  bool beta = false;

  // Views the player.
  void describe(EvaluationContext* context) const {
    context->set_targeting_key(id)
        .set("region", region)
        .set("level", level)
        .set("version", version)
        .set("platform", platform)
        .set("country", country)
        .set("language", language)
        .set("tier", tier)
        .set("segment", segment)
        .set("beta", beta);
  }
};

// Which flag of a kind, and for whom.
struct Question {
  std::uint16_t flag = 0;
  std::uint16_t player = 0;
};

struct Workload {
  std::string definitions;  // flagd's JSON
  std::vector<Player> players;
  std::vector<Question> questions;

  json::value players_json() const;
  // The share of questions of that kind whose answer should be `true`.
  double expected_on(FlagKind kind) const;
};

std::string flag_key(FlagKind kind, std::uint32_t i);
Workload make_workload();

}  // namespace showcaller::bench
