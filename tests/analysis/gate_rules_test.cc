// SPDX-License-Identifier: Apache-2.0
// The rules a verdict keeps whatever the numbers: laws with random streams, then one story a rule.
#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "analysis/gate.h"
#include "tests/analysis/simulated_world.h"

namespace showcaller {
namespace {

using test::SimulatedWorld;
using test::World;
using test::WorldConfig;

// A gate over one metric, fed with exact expectations instead of draws where a story wants no
// chance in it.
struct Story {
  GateConfig config;
  double canary_per_tick = 250, baseline_per_tick = 4750;
  double canary_rate = 0.01, baseline_rate = 0.01;
  bool canary_present = true, baseline_present = true;
  int canary_groups = 16, baseline_groups = 64;
  std::uint64_t seed = 1;

  Story() {
    config.share = 0.05;
    config.metrics = {{.name = "error", .kind = MetricKind::Binary, .weight = 0.34}};
  }

  Tick tick(std::int64_t t_s, Random* random) const {
    Tick tick;
    tick.t_s = t_s;
    const auto add = [&](Arm arm, int groups, double n, double rate) {
      for (int g = 0; g < groups; ++g) {
        const auto exposures = std::int64_t(random->poisson(n / groups));
        tick.groups.push_back(
            {arm,
             std::to_string(g),
             "",
             {exposures, std::int64_t(random->binomial(std::uint64_t(exposures), rate))}});
      }
    };
    if (canary_present) add(Arm::Canary, canary_groups, canary_per_tick, canary_rate);
    if (baseline_present) add(Arm::Baseline, baseline_groups, baseline_per_tick, baseline_rate);
    tick.units = {{std::int64_t(canary_per_tick), std::int64_t(baseline_per_tick), ""}};
    return tick;
  }

  GateState run(std::int64_t until_s, GateState* from = nullptr) const {
    GateState gate = from ? *from : GateState(config);
    Random random(seed);
    for (std::int64_t t = gate.t_s() + config.tick_s; t <= until_s; t += config.tick_s)
      gate.feed(tick(t, &random));
    return gate;
  }
};

TEST(GateLaws, ThinEvidenceNeverPasses) {
  Random random(21);
  for (int run = 0; run < 300; ++run) {
    Story story;
    story.seed = random.next();
    story.canary_per_tick = 0.2 + 4 * random.uniform();
    story.baseline_per_tick = 19 * story.canary_per_tick;
    story.baseline_rate = story.canary_rate = 0.05 * random.uniform();
    story.config.planned_s = 600 + 10 * std::int64_t(random.below(60));
    story.config.profile = random.chance(0.5) ? GateProfile::Guaranteed : GateProfile::Calibrated;
    const GateState gate = story.run(story.config.planned_s + 100);
    const MetricLook metric = gate.look().metrics[0];
    ASSERT_TRUE(gate.verdict() != Verdict::Pass || metric.powered ||
                metric.log_safe_unats > 1'700'000)
        << "seed " << story.seed;
  }
}

TEST(GateLaws, WithoutTheCanaryItIsBlindAndNothingElse) {
  for (const auto assignment : {Assignment::Player, Assignment::Instance}) {
    Story story;
    story.config.assignment = assignment;
    story.canary_present = false;
    GateState gate(story.config);
    Random random(3);
    for (std::int64_t t = 10; t <= 4000; t += 10) {
      const Verdict verdict = gate.feed(story.tick(t, &random));
      ASSERT_EQ(verdict, t < 30 ? Verdict::Thin : Verdict::Blind) << t;
    }
    EXPECT_NE(gate.look().why.find("no telemetry from the canary"), std::string::npos);
  }
}

// Three silent ticks say nothing where a canary session is due every half minute; three minutes do.
TEST(GateLaws, ACanaryIsBlindWhenSomethingWasToBeExpectedOfIt) {
  Story story;
  story.canary_present = false;
  story.canary_per_tick = 0.3;
  story.baseline_per_tick = 5.7;
  GateState gate(story.config);
  Random random(3);
  std::int64_t blind_from = 0;
  for (std::int64_t t = 10; t <= 400 && blind_from == 0; t += 10) {
    if (gate.feed(story.tick(t, &random)) == Verdict::Blind) blind_from = t;
  }
  EXPECT_GE(blind_from, 100);
  EXPECT_LE(blind_from, 260);
}

// Nobody is left to compare with: then the canary's own past says what was to be expected.
TEST(GateLaws, ItIsBlindWhenBothArmsFallSilent) {
  Story story;
  GateState gate = story.run(600);
  ASSERT_NE(gate.verdict(), Verdict::Blind);
  for (std::int64_t t = 610; t <= 640; t += 10) {
    Tick tick;
    tick.t_s = t;
    gate.feed(tick);
  }
  EXPECT_EQ(gate.verdict(), Verdict::Blind);
}

// At the start the canary has nearly all sessions that have ended: its crashes there say little.
TEST(GateLook, TheRatioIsTakenStratumByStratum) {
  Story story;
  story.config.warmup_s = 0;
  GateState gate(story.config);
  const auto feed = [&](std::int64_t t_s, GroupCounts canary, GroupCounts baseline) {
    Tick tick;
    tick.t_s = t_s;
    tick.groups = {std::move(canary), std::move(baseline)};
    gate.feed(tick);
  };
  feed(10, {Arm::Canary, "0", "", {12, 12}}, {Arm::Baseline, "0", "", {1, 1}});
  feed(20, {Arm::Canary, "0", "", {100, 40}}, {Arm::Baseline, "0", "", {900, 9}});
  ASSERT_EQ(gate.verdict(), Verdict::Fail);
  EXPECT_NEAR(gate.look().metrics[0].ratio, (12. / 13 + 40 * 0.9) / (12. / 13 + 9 * 0.1), 0.01);
}

TEST(GateLaws, LookingTwiceGivesTheSameIntegers) {
  for (const World world : {World::Flag, World::Fleet, World::Clumps}) {
    WorldConfig config;
    config.world = world;
    config.fault.error_ratio = 1.3;
    SimulatedWorld stream(config, 5);
    GateState first(gate_config_of(config)), second(gate_config_of(config));
    const TickShape shape = shape_of(first.config());
    for (int i = 0; i < 150; ++i) {
      const Tick tick = stream.next();
      first.feed(tick);
      // Stored, read back, shuffled, and fed to a copy.
      Tick stored = tick_from_bytes(to_bytes(tick)).value();
      stored = tick_from_json(parse_json(to_json_text(stored, shape)).value(), shape).value();
      std::reverse(stored.groups.begin(), stored.groups.end());
      GateState copy = second;
      second = copy;
      second.feed(stored);
      ASSERT_EQ(first.verdict(), second.verdict());
    }
    const GateLook a = first.look(), b = second.look();
    EXPECT_EQ(a.log_e_unats, b.log_e_unats);
    EXPECT_EQ(a.why, b.why);
    for (std::size_t m = 0; m < a.metrics.size(); ++m) {
      EXPECT_EQ(a.metrics[m].log_e_unats, b.metrics[m].log_e_unats);
      EXPECT_EQ(a.metrics[m].log_safe_unats, b.metrics[m].log_safe_unats);
    }
  }
}

TEST(GateLaws, VerdictsAskedAloneAreThoseOfALook) {
  std::set<Verdict> met;
  for (const World world : {World::Flag, World::Fleet}) {
    for (const double ratio : {1.0, 1.3}) {
      WorldConfig config;
      config.world = world;
      config.fault.error_ratio = ratio;
      SimulatedWorld stream(config, 5);
      GateState gate(gate_config_of(config));
      for (int i = 0; i < 370 && gate.verdict() != Verdict::Fail; ++i) {
        gate.feed(stream.next());
        const GateLook look = gate.look();
        ASSERT_EQ(look.verdict, gate.verdict());
        if (look.verdict == Verdict::Fail) break;
        const std::vector<Verdict> alone = gate.metric_verdicts();
        ASSERT_EQ(alone.size(), look.metrics.size());
        for (std::size_t m = 0; m < alone.size(); ++m) {
          ASSERT_EQ(alone[m], look.metrics[m].verdict) << look.metrics[m].name << ", tick " << i;
          met.insert(alone[m]);
        }
      }
    }
  }
  EXPECT_TRUE(met.contains(Verdict::Pass) && met.contains(Verdict::Thin));
}

TEST(GateLaws, SplittingAGroupAcrossReportsChangesNothing) {
  Story story;
  Random random(8);
  GateState whole(story.config), parts(story.config);
  for (std::int64_t t = 10; t <= 900; t += 10) {
    const Tick tick = story.tick(t, &random);
    Tick split = tick;
    for (const GroupCounts& g : tick.groups) {
      GroupCounts half = g;
      for (auto& c : half.counts) c /= 2;
      for (std::size_t c = 0; c < half.counts.size(); ++c) {
        split.groups[std::size_t(&g - tick.groups.data())].counts[c] -= half.counts[c];
      }
      split.groups.push_back(half);
    }
    whole.feed(tick);
    parts.feed(split);
  }
  EXPECT_EQ(whole.look().metrics[0].log_e_unats, parts.look().metrics[0].log_e_unats);
  EXPECT_EQ(whole.look().metrics[0].canary_n, parts.look().metrics[0].canary_n);
}

TEST(GateLaws, MoreCanaryEventsAreMoreEvidence) {
  std::int64_t before = kLogZero;
  for (int extra = 0; extra < 12; ++extra) {
    Story story;
    story.config.metrics[0].weight = 0;
    GateState gate(story.config);
    for (std::int64_t t = 10; t <= 400; t += 10) {
      Tick tick;
      tick.t_s = t;
      tick.groups.push_back(
          {Arm::Canary, "0", "", {250, 2 + (t <= 10 * extra + 160 && t > 160 ? 1 : 0)}});
      for (int g = 0; g < 64; ++g)
        tick.groups.push_back({Arm::Baseline, std::to_string(g), "", {74, 1 - g % 3 / 2}});
      gate.feed(tick);
    }
    const std::int64_t log_e = gate.look().metrics[0].log_e_unats;
    EXPECT_GE(log_e, before) << extra;
    before = log_e;
  }
}

TEST(GateRules, AWrongSplitBarsFail) {
  Story story;
  story.canary_per_tick = 150;  // 3 %
  story.canary_rate = 0.10;
  const GateState gate = story.run(600);
  EXPECT_EQ(gate.verdict(), Verdict::Skewed);
  EXPECT_NE(gate.look().why.find("planned share of 5 %"), std::string::npos);
  // It sticks, though the split comes right again.
  story.canary_per_tick = 250;
  GateState later = gate;
  EXPECT_EQ(story.run(1200, &later).verdict(), Verdict::Skewed);
}

TEST(GateRules, LostTelemetryIsNotAWrongSplit) {
  Story story;
  GateState gate = story.run(600);
  story.canary_present = false;
  Random random(5);
  for (std::int64_t t = 610; t <= 900; t += 10) {
    Tick tick = story.tick(t, &random);
    tick.units[0].canary = 0;
    gate.feed(tick);
  }
  EXPECT_EQ(gate.verdict(), Verdict::Blind);
  story.canary_present = true;
  EXPECT_NE(story.run(1200, &gate).verdict(), Verdict::Skewed);
}

TEST(GateRules, AThinCanaryIsNotAWrongSplit) {
  // One canary session in most seconds and none in many, told only when there is one.
  int skewed = 0;
  for (int run = 0; run < 40; ++run) {
    Story story;
    story.config.tick_s = 1;
    story.config.warmup_s = 5;
    story.config.planned_s = 300;
    GateState gate(story.config);
    Random random(std::uint64_t(run) + 1);
    for (std::int64_t t = 1; t <= 300; ++t) {
      Tick tick;
      tick.t_s = t;
      const auto canary = std::int64_t(random.poisson(1));
      const auto baseline = std::int64_t(random.poisson(19));
      if (canary > 0) tick.groups.push_back({Arm::Canary, "0", "", {canary, 0}});
      if (baseline > 0) tick.groups.push_back({Arm::Baseline, "0", "", {baseline, 0}});
      tick.units = {{canary, baseline, ""}};
      gate.feed(tick);
    }
    skewed += gate.verdict() == Verdict::Skewed;
  }
  EXPECT_LE(skewed, 1);
}

TEST(GateRules, FailEndsTheStage) {
  Story story;
  story.canary_rate = 0.022;
  GateState gate = story.run(600);
  ASSERT_EQ(gate.verdict(), Verdict::Fail);
  ASSERT_GT(gate.t_s(), 150);
  const std::int64_t at = gate.t_s();
  const GateLook look = gate.look();
  EXPECT_TRUE(look.metrics[0].blamed);
  EXPECT_EQ(look.metrics[0].verdict, Verdict::Fail);
  EXPECT_GT(look.metrics[0].ratio_low, 1);
  story.canary_rate = 0.001;
  gate = story.run(1200, &gate);
  EXPECT_EQ(gate.verdict(), Verdict::Fail);
  EXPECT_EQ(gate.t_s(), at);
  EXPECT_EQ(gate.look().why, look.why);
}

TEST(GateRules, APassDoesNotEndTheWatching) {
  Story story;
  GateState gate = story.run(1800);
  ASSERT_EQ(gate.verdict(), Verdict::Pass);
  story.canary_rate = 0.03;
  story.seed = 2;
  EXPECT_EQ(story.run(2400, &gate).verdict(), Verdict::Fail);
}

TEST(GateRules, WhatHitsBothArmsIsNotTheCanary) {
  Story story;
  GateState gate = story.run(600);
  story.canary_rate = story.baseline_rate = 0.2;
  gate = story.run(900, &gate);
  EXPECT_NE(gate.verdict(), Verdict::Fail);
}

TEST(GateRules, AcceptableGrowthDoesNotFail) {
  Story story;
  story.config.metrics[0].worse_by_at_most = 0.25;
  story.config.metrics[0].must_detect = 2;
  story.canary_per_tick = 2500;
  story.baseline_per_tick = 47'500;
  story.canary_rate = 0.0115;
  EXPECT_EQ(story.run(3600).verdict(), Verdict::Pass);
  story.canary_rate = 0.016;
  EXPECT_EQ(story.run(3600).verdict(), Verdict::Fail);
  story.config.metrics[0].worse_by_at_most = 0;
  story.canary_rate = 0.0115;
  EXPECT_EQ(story.run(3600).verdict(), Verdict::Fail);
}

TEST(GateRules, MoreCanBeBetter) {
  Story story;
  story.config.metrics[0].name = "completed";
  story.config.metrics[0].better = Better::Higher;
  story.baseline_rate = 0.6;
  story.canary_rate = 0.5;
  EXPECT_EQ(story.run(1200).verdict(), Verdict::Fail);
  EXPECT_LT(story.run(1200).look().metrics[0].ratio, 0.95);
  story.canary_rate = 0.7;
  EXPECT_EQ(story.run(3600).verdict(), Verdict::Pass);
  // Nothing completed at all: the clearest case of all, though the canary has no event.
  story.canary_rate = 0;
  EXPECT_EQ(story.run(1200).verdict(), Verdict::Fail);
}

TEST(GateRules, StrataUndoSimpson) {
  // The canary draws mostly from a region with five times the errors; within each region it is as
  // good.
  for (const bool stratified : {true, false}) {
    GateConfig config;
    config.metrics = {{.name = "error", .kind = MetricKind::Binary}};
    GateState gate(config);
    Random random(4);
    for (std::int64_t t = 10; t <= 3600; t += 10) {
      Tick tick;
      tick.t_s = t;
      for (int region = 0; region < 2; ++region) {
        const double rate = region ? 0.05 : 0.01;
        const auto add = [&](Arm arm, int groups, double n) {
          for (int g = 0; g < groups; ++g) {
            const auto exposures = std::int64_t(random.poisson(n / groups));
            tick.groups.push_back(
                {arm,
                 std::to_string(g),
                 stratified ? std::to_string(region) : "",
                 {exposures, std::int64_t(random.binomial(std::uint64_t(exposures), rate))}});
          }
        };
        add(Arm::Canary, 4, region ? 200 : 50);
        add(Arm::Baseline, 32, region ? 1000 : 3750);
      }
      gate.feed(tick);
    }
    EXPECT_EQ(gate.verdict() == Verdict::Fail, !stratified);
  }
}

TEST(GateRules, FewInstancesCannotConvictASmallEffect) {
  Story story;
  story.config.assignment = Assignment::Instance;
  story.config.metrics[0].prior = {.tau = 0.02, .nu = 40};
  story.canary_groups = 2;
  story.baseline_groups = 38;
  story.canary_rate = 0.012;
  story.canary_per_tick = 2500;
  story.baseline_per_tick = 47'500;
  const GateState gate = story.run(3600);
  EXPECT_NE(gate.verdict(), Verdict::Fail) << gate.look().why;
  story.canary_groups = 4;
  EXPECT_EQ(story.run(3600).verdict(), Verdict::Fail);
  story.canary_groups = 2;
  story.canary_rate = 0.03;
  EXPECT_EQ(story.run(3600).verdict(), Verdict::Fail);
}

TEST(GateRules, AScaledCountCertifiesLatency) {
  GateConfig config;
  config.metrics = {
      {.name = "latency", .kind = MetricKind::Quantile, .at = {0.9, 0.99}, .cuts = {110, 250}}};
  config.metrics[0].scaled_by = 1.25;
  GateState gate(config);
  Random random(4);
  bool passed = false;
  for (std::int64_t t = 10; t <= 1800; t += 10) {
    Tick tick;
    tick.t_s = t;
    const auto counts = [&](std::int64_t n, double scaled) {
      const auto above = std::int64_t(random.binomial(std::uint64_t(n), 0.1));
      const auto top = std::int64_t(random.binomial(std::uint64_t(above), 0.1));
      return std::vector<std::int64_t>{n, above, top,
                                       std::int64_t(random.binomial(std::uint64_t(top), scaled))};
    };
    tick.groups.push_back({Arm::Canary, "0", "", counts(250, 0.5)});
    for (int g = 0; g < 64; ++g)
      tick.groups.push_back({Arm::Baseline, std::to_string(g), "", counts(74, 0.5)});
    passed = gate.feed(tick) == Verdict::Pass || passed;
  }
  EXPECT_TRUE(passed);
}

TEST(GateRules, LateAndRepeatedTicksCountOnce) {
  Story story;
  Random random(6);
  GateState once(story.config), twice(story.config);
  for (std::int64_t t = 10; t <= 600; t += 10) {
    const Tick tick = story.tick(t, &random);
    once.feed(tick);
    twice.feed(tick);
    twice.feed(tick);
  }
  EXPECT_EQ(once.look().metrics[0].canary_n, twice.look().metrics[0].canary_n);
  EXPECT_EQ(once.look().log_e_unats, twice.look().log_e_unats);
}

TEST(GateRules, HistoryTeachesNoiseAndNothingElse) {
  Story story;
  GateState gate(story.config);
  Random random(6);
  for (std::int64_t t = -600; t <= 0; t += 10) gate.feed(story.tick(t, &random));
  EXPECT_EQ(gate.t_s(), 0);
  EXPECT_EQ(gate.look().metrics[0].canary_n, 0);
  EXPECT_EQ(gate.look().metrics[0].baseline_n, 0);
  EXPECT_EQ(gate.verdict(), Verdict::Thin);
}

TEST(GateRules, WhatInstancesTaughtIsThePriorOfTheNextStage) {
  WorldConfig config;
  config.world = World::Fleet;
  SimulatedWorld stream(config, 9);
  GateState gate(gate_config_of(config));
  EXPECT_EQ(gate.learned()[0].nu, 6);
  for (int i = 0; i < 360; ++i) gate.feed(stream.next());
  const auto learned = gate.learned();
  EXPECT_GT(learned[0].nu, 12);
  EXPECT_LE(learned[0].nu, 40);
  EXPECT_GT(learned[0].tau, 0.05);
  EXPECT_LT(learned[0].tau, 0.5);
}

TEST(GateRules, ThinSaysWhatWouldSettleIt) {
  Story story;
  story.canary_per_tick = 10;
  story.baseline_per_tick = 190;
  const GateLook look = story.run(3600).look();
  EXPECT_EQ(look.verdict, Verdict::Thin);
  EXPECT_NE(look.why.find("needed to see a growth to 1.5x with 80 % power"), std::string::npos)
      << look.why;
  EXPECT_NE(look.why.find("would settle it"), std::string::npos) << look.why;
}

// A stage of seconds that asks only for tenfold growth: sound either way, and thin under the usual
// budget.
TEST(GateRules, AShortStageWithALargeBudgetDecides) {
  int passed = 0, failed = 0, thin = 0;
  for (int run = 0; run < 20; ++run) {
    Story story;
    story.seed = std::uint64_t(run) + 100;
    story.config.assignment = Assignment::Instance;
    story.config.share = 0.25;
    story.config.tick_s = 1;
    story.config.warmup_s = 3;
    story.config.planned_s = 40;
    story.config.metrics[0].must_detect = 10;
    story.canary_groups = 4;
    story.baseline_groups = 12;
    story.canary_per_tick = 5;
    story.baseline_per_tick = 15;
    story.canary_rate = story.baseline_rate = 0.05;
    passed += story.run(40).verdict() == Verdict::Pass;
    story.canary_rate = 0.5;
    failed += story.run(40).verdict() == Verdict::Fail;
    story.canary_rate = 0.05;
    story.config.metrics[0].must_detect = 0;
    thin += story.run(40).verdict() == Verdict::Thin;
  }
  EXPECT_EQ(passed, 20);
  EXPECT_EQ(failed, 20);
  EXPECT_EQ(thin, 20);
}

TEST(GateConfig, NonsenseIsRefusedWithItsName) {
  const auto message = [](auto change) {
    GateConfig config;
    config.metrics = {{.name = "error"}};
    change(&config);
    const auto status = check(config);
    return status ? std::string("ok") : status.error().message;
  };
  EXPECT_EQ(message([](auto*) {}), "ok");
  EXPECT_NE(message([](auto* c) { c->metrics.clear(); }), "ok");
  EXPECT_NE(message([](auto* c) { c->metrics.push_back(c->metrics[0]); }), "ok");
  EXPECT_NE(message([](auto* c) { c->metrics[0].kind = MetricKind::Quantile; }), "ok");
  EXPECT_NE(message([](auto* c) { c->metrics[0].must_detect = 0.5; }), "ok");
  EXPECT_NE(message([](auto* c) { c->metrics[0].scaled_by = 1.25; }), "ok");
  EXPECT_NE(message([](auto* c) { c->metrics[0].weight = NAN; }), "ok");
  EXPECT_NE(message([](auto* c) { c->planned_s = 100; }), "ok");
  EXPECT_NE(message([](auto* c) { c->tick_s = 0; }), "ok");
  EXPECT_NE(message([](auto* c) { c->share = 1; }), "ok");
  EXPECT_NE(message([](auto* c) {
              c->metrics[0].kind = MetricKind::Quantile;
              c->metrics[0].at = {0.9, 0.5};
              c->metrics[0].cuts = {1, 2};
            }),
            "ok");
}

// Half an hour of a good past must not be told as if it belonged to the fault.
TEST(GateRules, ALateFaultIsToldByTheWindowThatShowsIt) {
  GateConfig config;
  config.metrics = {{.name = "error"}};
  config.share = 0.05;
  GateState gate(config);
  Random random(7);
  for (std::int64_t t_s = 10; gate.verdict() != Verdict::Fail && t_s <= 3600; t_s += 10) {
    Tick tick{.t_s = t_s, .units = {{250, 4750, ""}}};
    for (int g = 0; g < 64; ++g) {
      const double canary_rate = t_s > 1800 ? 0.02 : 0.01;
      const std::int64_t n = 250 / 64 + (g < 250 % 64);
      const auto events = [&](std::int64_t units, double rate) {
        return std::int64_t(random.binomial(std::uint64_t(units), rate));
      };
      tick.groups.push_back({Arm::Canary, std::to_string(g), "", {n, events(n, canary_rate)}});
      tick.groups.push_back({Arm::Baseline, std::to_string(g), "", {n * 19, events(n * 19, 0.01)}});
    }
    gate.feed(tick);
  }
  const GateLook look = gate.look();
  ASSERT_EQ(look.verdict, Verdict::Fail);
  EXPECT_GT(look.metrics[0].ratio, 1.5);
  EXPECT_LT(look.metrics[0].canary_n, 250 * 60);
  EXPECT_NE(look.why.find("since minute 30"), std::string::npos) << look.why;
}

// Ordinary ticks are decided by bounds that are carried on from tick to tick: they let nothing by.
TEST(GateRules, ALongStageFailsInTheTickThatItsEvidenceIsThere) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Story story;
    story.seed = seed;
    story.config.tick_s = 60;
    story.canary_per_tick = 400;
    story.baseline_per_tick = 3000;
    story.config.share = 400.0 / 3400;
    GateState gate(story.config);
    Random random(seed);
    std::int64_t failed_s = 0;
    for (std::int64_t t = 60; t <= 36 * 3600 && failed_s == 0; t += 60) {
      const bool late = t > 20 * 3600;
      story.canary_rate = late ? 0.0135 : 0.0101;
      const bool fails = gate.feed(story.tick(t, &random)) == Verdict::Fail;
      if (fails) failed_s = t;
      if (t <= story.config.planned_s) continue;  // The score has its say there.
      const GateLook look = gate.look();
      ASSERT_EQ(fails, look.log_e_unats >= look.log_threshold_unats) << seed << " at " << t;
    }
    EXPECT_GT(failed_s, 20 * 3600) << seed;
  }
}

}  // namespace
}  // namespace showcaller
