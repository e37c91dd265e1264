// SPDX-License-Identifier: Apache-2.0
#include "bench/flag/workload.h"

#include <fmt/format.h>

#include "base/random.h"

namespace showcaller::bench {
namespace {

constexpr std::uint32_t kQuestions = 1u << 16;
constexpr std::uint32_t kInARow = 16;  // of one player, as when a session begins
constexpr int kRules = 20;
constexpr std::array<const char*, 8> kRegions{"eu-west",      "eu-central", "us-east",
                                              "us-west",      "sa-east",    "ap-southeast",
                                              "ap-northeast", "me-south"};
constexpr std::array<const char*, 4> kPlatforms{"pc", "ps5", "xbox", "switch"};
constexpr std::array<const char*, 6> kCountries{"DE", "FR", "US", "BR", "JP", "SA"};
constexpr std::array<const char*, 5> kLanguages{"de", "fr", "en", "pt", "ja"};
constexpr std::array<const char*, 3> kTiers{"free", "plus", "gold"};

json::value operation(std::string_view name, json::array arguments) {
  json::object out;
  out.emplace(name, std::move(arguments));
  return out;
}
json::value var(std::string_view path) {
  return json::object{{"var", path}};
}
json::value share(int percent) {
  return operation("fractional", {json::array{"on", percent}, json::array{"off", 100 - percent}});
}

json::value gated() {
  return operation(
      "if",
      {operation("and", {operation("in", {var("region"), json::array{"eu-west", "us-east",
                                                                     "us-west", "ap-northeast"}}),
                         operation(">=", {var("level"), 20}),
                         operation("sem_ver", {var("version"), ">=", "1.4.0"})}),
       share(10), "off"});
}

// Rules of one attribute, of which the last holds for everybody.
json::value chain() {
  json::array rules;
  for (int i = 1; i <= kRules; ++i) {
    rules.push_back(operation("==", {var("segment"), fmt::format("cohort-{:02}", i)}));
    rules.push_back(i == kRules ? "on" : "off");
  }
  rules.push_back("off");
  return operation("if", std::move(rules));
}

// Rules that each ask for something else.
json::value mixed_chain() {
  json::array rules;
  for (int i = 1; i < kRules; ++i) {
    switch (i % 5) {
      case 0:
        rules.push_back(operation("==", {var("tier"), fmt::format("trial-{}", i)}));
        break;
      case 1:
        rules.push_back(operation(">", {var("level"), 1'000 + i}));
        break;
      case 2:
        rules.push_back(operation("in", {var("country"), json::array{"XX", "YY", "ZZ"}}));
        break;
      case 3:
        rules.push_back(operation("starts_with", {var("targetingKey"), fmt::format("bot-{}", i)}));
        break;
      default:
        rules.push_back(operation("==", {var("platform"), fmt::format("console-{}", i)}));
    }
    rules.push_back("off");
  }
  rules.push_back(operation("==", {var("segment"), fmt::format("cohort-{:02}", kRules)}));
  rules.push_back("on");
  rules.push_back("off");
  return operation("if", std::move(rules));
}

json::object definition(FlagKind kind, std::uint32_t i) {
  json::object flag{{"state", "ENABLED"},
                    {"variants", {{"on", true}, {"off", false}}},
                    {"defaultVariant", kind == FlagKind::Plain && i % 2 == 0 ? "on" : "off"},
                    {"metadata", {{"owner", "team-raids"}}}};
  switch (kind) {
    case FlagKind::Plain:
      break;
    case FlagKind::Rollout:
      flag["targeting"] = share(25);
      break;
    case FlagKind::Gated:
      flag["targeting"] = gated();
      break;
    case FlagKind::Chain:
      flag["targeting"] = chain();
      break;
    case FlagKind::MixedChain:
      flag["targeting"] = mixed_chain();
      break;
  }
  return flag;
}

template <std::size_t N>
const char* one_of(const std::array<const char*, N>& words, Random* random) {
  return words[random->below(N)];
}

bool is_let_through(const Player& player) {
  return (player.region == "eu-west" || player.region == "us-east" || player.region == "us-west" ||
          player.region == "ap-northeast") &&
         player.level >= 20 && player.version >= "1.4.0";
}

}  // namespace

std::string_view to_string(FlagKind kind) {
  constexpr std::array<std::string_view, 5> kNames{"plain", "rollout", "gated", "chain", "mixed"};
  return kNames[std::size_t(kind)];
}

std::string flag_key(FlagKind kind, std::uint32_t i) {
  return fmt::format("raid-{}-{:04}", to_string(kind), i);
}

Workload make_workload() {
  Workload out;
  Random random(20'261'126);
  json::object flags;
  for (std::uint32_t i = 0; i < kFlagsOfKind; ++i) {
    for (const FlagKind kind : kFlagKinds) flags.emplace(flag_key(kind, i), definition(kind, i));
  }
  out.definitions = to_json_text(json::object{{"flags", std::move(flags)}});
  for (std::uint32_t i = 0; i < kPlayers; ++i) {
    out.players.push_back({.id = fmt::format("player-{:08}", random.below(100'000'000)),
                           .region = one_of(kRegions, &random),
                           .version = fmt::format("1.{}.{}", random.below(8), random.below(10)),
                           .platform = one_of(kPlatforms, &random),
                           .country = one_of(kCountries, &random),
                           .language = one_of(kLanguages, &random),
                           .tier = one_of(kTiers, &random),
                           .segment = fmt::format("cohort-{}", kRules),
                           .level = double(1 + random.below(60)),
                           .beta = random.chance(0.1)});
  }
  std::uint16_t player = 0;
  for (std::uint32_t i = 0; i < kQuestions; ++i) {
    if (i % kInARow == 0) player = std::uint16_t(random.below(kPlayers));
    out.questions.push_back({.flag = std::uint16_t(random.below(kFlagsOfKind)), .player = player});
  }
  return out;
}

json::value Workload::players_json() const {
  json::array out;
  for (const Player& player : players) {
    EvaluationContext context;
    player.describe(&context);
    out.push_back(context.to_json());
  }
  return out;
}

double Workload::expected_on(FlagKind kind) const {
  double on = 0;
  for (const Question& question : questions) {
    switch (kind) {
      case FlagKind::Plain:
        on += question.flag % 2 == 0;
        break;
      case FlagKind::Rollout:
        on += 0.25;
        break;
      case FlagKind::Gated:
        on += is_let_through(players[question.player]) ? 0.1 : 0;
        break;
      default:
        on += 1;
    }
  }
  return on / double(questions.size());
}

}  // namespace showcaller::bench
