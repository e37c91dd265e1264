// SPDX-License-Identifier: Apache-2.0
// Random histories of the whole engine: operators who do anything at any time, a driver that lies
// and forgets, actions that fail, gates that fail or stay thin, a disk that fails or fills, a
// server that dies. Whatever happens, some things always hold; a failing seed is repeated with
// SHOWCALLER_SEED=N build/release/test_host.
#include <array>
#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/invariants.h"
#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

constexpr const char* kHistoryHouse = R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: raids, owner: raids }
spec: { members: [ann, bob] }
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: grants, owner: raids }
spec: { url: "http://127.0.0.1:1/api" }
---
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: raids }
spec:
  base: 1.0.0
  builds:
    - { version: 1.0.0, command: [raid, --old] }
    - { version: 1.1.0, command: [raid, --new] }
    - { version: 1.2.0, command: [raid, --newer] }
  regions: [ { name: eu, zone: Europe/Berlin } ]
  capacity: { min: 12, max: 120, buffer: 6, canary_min: 4 }
  session: { length_max: 1m }
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: entrance, owner: raids }
spec:
  state: ENABLED
  variants: { open: true, closed: false }
  defaultVariant: closed
---
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: house-rules, owner: raids }
spec:
  approvals: [ { name: second, when: { risk: [high] }, count: 1 } ]
)";

constexpr int kEvents = 3;

// Three events that share a fleet; each has changes of every kind that it need not share.
std::string changes_text(int number, Random* random) {
  std::string changes;
  if (number < 2) {
    changes += fmt::format("    - build: {{ fleet: raid, version: 1.{}.0 }}\n", number + 1);
  } else {
    changes += "    - flag: { key: entrance, to: open }\n";
  }
  if (random->chance(0.5)) {
    changes += fmt::format(
        "    - config: {{ document: rules-{}, version: {}, value: {{ gravity: 0.{} }} }}\n", number,
        2 + random->below(3), 1 + random->below(9));
  }
  if (random->chance(0.5)) {
    changes +=
        fmt::format("    - action: {{ do: grants/open-{0}, undo: grants/close-{0} }}\n", number);
  }
  return changes;
}

// The first stage is always the same, so that some revisions of it can be taken by who is in it.
std::string event_text(int number, const std::string& changes, Random* random) {
  const bool gated = number < 2 && random->chance(0.5);
  std::string stages;
  for (std::uint64_t share = 5; share < 100; share += 15 + random->below(60)) {
    const std::uint64_t bake_s = 5 + random->below(40);
    const std::string bake =
        gated ? fmt::format("bake: {{ min: {}s, max: {}s }}", bake_s, bake_s + 60)
              : fmt::format("bake: {}s, gated: false", bake_s);
    stages += fmt::format("      - {{ name: at-{0}, exposure: {0}%, {1} }}\n", share, bake);
  }
  stages += "      - { name: world, exposure: 100%, bake: 10s, gated: false }\n";
  std::string gates;
  if (gated) {
    gates = fmt::format(
        "  analysis: {{ tick: 10s, warmup: 10s, profile: C }}\n  on_thin: {}\n  gates:\n"
        "    - {{ metric: session.crashed, worse_by_at_most: 0%, must_detect: 2x, on_fail: {} }}\n",
        random->chance(0.5) ? "widen" : "hold", random->chance(0.5) ? "rollback" : "hold");
  }
  return fmt::format(
      "apiVersion: showcaller.dev/v1\nkind: LiveEvent\n"
      "metadata: {{ name: event-{0}, owner: raids }}\nspec:\n  priority: {0}\n  risk: {3}\n"
      "  changes:\n{1}"
      "  rollout:\n    unit: party\n    stages:\n{2}"
      "  rollback: {{ sessions: {{ drain: 2m, then: leave }}, within: 5m }}\n{4}",
      number, changes, stages, random->chance(0.3) ? "high" : "normal", gates);
}

// Follows the journal record by record.
class Watcher {
 public:
  void follow(Theatre* theatre) {
    MemoryJournal journal(theatre->disk);
    const Status read = journal.read(invariants_.world().seq + 1, [&](const StoredRecord& stored) {
      auto record = decode_record(stored.bytes);
      EXPECT_TRUE(record);
      EXPECT_EQ(encode_record(*record), stored.bytes);
      invariants_.take(*record);
      return invariants_.broken().empty();
    });
    EXPECT_TRUE(read);
    invariants_.rest();
    EXPECT_EQ(invariants_.broken(), std::vector<std::string>());
  }
  void expect_equal(const World& live) const {
    const World& folded = invariants_.world();
    EXPECT_EQ(folded.seq, live.seq);
    EXPECT_EQ(world_hash(folded), world_hash(live));
    const auto through_text = world_from_text(world_to_text(live));
    ASSERT_TRUE(through_text);
    EXPECT_EQ(world_to_text(*through_text), world_to_text(live));
  }

 private:
  Invariants invariants_;
};

class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed), theatre_(seed) {
    EXPECT_TRUE(theatre_.apply("house.yaml", kHistoryHouse));
    theatre_.traffic = {3, seconds(15), {}, 2, {}};
    theatre_.advance(seconds(15));
    before_ = theatre_.host().flags(FlagVisibility::Server)->etag;
  }

  void live(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      said_.push_back(step());
      theatre_.errors.clear();  // Of a driver that was told to fail.
      watcher_.follow(&theatre_);
      if (i % 5 == 0) watcher_.expect_equal(*theatre_.world());
    }
    watcher_.expect_equal(*theatre_.world());
  }

  // All trouble ends, and every event is taken back: the house is as it was.
  void go_home() {
    theatre_.driver.lie = theatre_.driver.forget = 0;
    theatre_.driver.start_delay = seconds(3);
    theatre_.driver.unreachable = false;
    theatre_.driver.broken_builds.clear();
    theatre_.actions.answers.clear();
    said_.push_back("all trouble ends");
    bool all_back = true;
    for (int round = 0; round < 4; ++round) {
      for (int e = 0; e < kEvents; ++e) {
        const EventState* event = theatre_.world()->event(name_of(e));
        if (!event || is_over(event->phase) || event->phase == Phase::RollingBack) continue;
        if (!order(e, EventVerb::Rollback) && !order(e, EventVerb::Cancel))
          order(e, EventVerb::Retire);
      }
      theatre_.advance(minutes(3));
    }
    for (int e = 0; e < kEvents; ++e) {
      const EventState* event = theatre_.world()->event(name_of(e));
      if (!event) continue;
      EXPECT_TRUE(is_over(event->phase))
          << name_of(e) << " is " << enum_name(event->phase) << ": " << *event->phase_reason;
      all_back = all_back && event->phase != Phase::Retired;
    }
    watcher_.follow(&theatre_);
    watcher_.expect_equal(*theatre_.world());
    EXPECT_EQ(theatre_.host().flags(FlagVisibility::Server)->etag, before_);
    for (const auto& [id, instance] : theatre_.driver.instances()) {
      EXPECT_TRUE(instance.state == InstanceState::Exited || instance.build == "1.0.0") << id;
    }
    for (const auto& [key, times] : theatre_.actions.effects) EXPECT_LE(times, 1) << key;
  }

  std::string story() const { return fmt::format("{}\n", fmt::join(said_, "\n")); }

 private:
  static std::string name_of(int e) { return fmt::format("event-{}", e); }

  bool order(int e, EventVerb verb, std::int64_t pace = 0) {
    EventCommand command{name_of(e), verb, pace};
    const auto answer =
        theatre_.command(command, "ops", "because", fmt::format("key-{}", serial_++));
    return answer.has_value();
  }

  std::string step() {
    const int e = int(random_.below(kEvents));
    switch (random_.below(22)) {
      case 0:
      case 1:
      case 2: {
        std::string& changes = changes_[std::size_t(e)];
        if (changes.empty() || random_.chance(0.4)) changes = changes_text(e, &random_);
        const auto applied = theatre_.apply("event.yaml", event_text(e, changes, &random_));
        return fmt::format("apply {}{}", name_of(e), applied ? "" : ": " + applied.error().message);
      }
      case 3:
      case 4:
      case 5:
      case 6: {
        constexpr std::array kVerbs{EventVerb::Hold,     EventVerb::Resume,   EventVerb::Resume,
                                    EventVerb::Promote,  EventVerb::Promote,  EventVerb::StepBack,
                                    EventVerb::Rollback, EventVerb::Cancel,   EventVerb::Retire,
                                    EventVerb::Divert,   EventVerb::Undivert, EventVerb::Pace};
        const EventVerb verb = kVerbs[random_.below(kVerbs.size())];
        const bool good = order(e, verb, std::int64_t(random_.below(100)));
        return fmt::format("{} {}{}", enum_name(verb), name_of(e), good ? "" : " (refused)");
      }
      case 7: {
        const bool stop = random_.chance(0.4);
        const std::string scope = random_.chance(0.5) ? "" : "event/" + name_of(e);
        (void)theatre_.command(LineCommand{stop, scope});
        return fmt::format("{} '{}'", stop ? "stop-line" : "resume-line", scope);
      }
      case 8: {
        QuarantineCommand command;
        command.release = random_.chance(0.5);
        command.scope = QuarantineScope::Build;
        command.fleet = "raid";
        command.subject = random_.chance(0.5) ? "1.1.0" : "1.2.0";
        command.for_how_long = seconds(std::int64_t(30 + random_.below(100)));
        (void)theatre_.command(command);
        return fmt::format("{} {}", command.release ? "release" : "quarantine", command.subject);
      }
      case 9:
        return repeat_a_command(e);
      case 10: {
        const auto down = seconds(std::int64_t(1 + random_.below(60)));
        theatre_.restart(down);
        return fmt::format("restart {}", format_duration(down));
      }
      case 11: {
        const auto by = seconds(std::int64_t(random_.below(20)) - 10);
        theatre_.clock.step(by);
        return fmt::format("clock {}s", by.count() / 1000);
      }
      case 12:
        return trouble(e);
      case 13:
      case 14: {
        const auto approved = theatre_.command(ApproveCommand{name_of(e), {}}, "bob");
        return fmt::format("approve {}{}", name_of(e), approved ? "" : " (refused)");
      }
      case 15:
        return tend_alerts();
      default: {
        const auto passed = seconds(std::int64_t(1 + random_.below(30)));
        theatre_.advance(passed);
        return fmt::format("advance {}", format_duration(passed));
      }
    }
  }

  std::string tend_alerts() {
    std::string id;
    theatre_.world()->alerts.each([&](const std::string& open, const Alert&) { id = open; });
    if (id.empty() || random_.chance(0.3)) {
      const auto length = minutes(std::int64_t(1 + random_.below(10)));
      const auto silenced = theatre_.command(SilenceCommand{"Fleet/raid", "", length});
      return fmt::format("silence {}{}", format_duration(length), silenced ? "" : " (refused)");
    }
    const AlertVerb verb = random_.chance(0.5) ? AlertVerb::Acknowledge : AlertVerb::Resolve;
    const auto done = theatre_.command(AlertCommand{id, verb});
    return fmt::format("{} {}{}", enum_name(verb), id, done ? "" : " (refused)");
  }

  std::string trouble(int e) {
    switch (random_.below(7)) {
      case 5: {
        using Kind = JournalFault::Kind;
        constexpr std::array kKinds{Kind::FailBefore, Kind::LostReply, Kind::TornBatch,
                                    Kind::DiskFull};
        const Kind kind = kKinds[random_.below(kKinds.size())];
        theatre_.disk->add_fault(
            {kind, theatre_.disk->appends() + 1 + random_.below(4), 1 + random_.below(3)});
        return fmt::format("disk fault {}", int(kind));
      }
      case 6:
        theatre_.traffic.crash_share["1.1.0"] = random_.chance(0.5) ? 0.4 : 0;
        return fmt::format("build 1.1.0 crashes {}", theatre_.traffic.crash_share["1.1.0"]);
      case 0:
        theatre_.driver.lie = random_.chance(0.5) ? 0.2 : 0;
        return fmt::format("driver lies {}", theatre_.driver.lie);
      case 1:
        theatre_.driver.forget = random_.chance(0.5) ? 0.3 : 0;
        return fmt::format("driver forgets {}", theatre_.driver.forget);
      case 2:
        theatre_.driver.unreachable = !theatre_.driver.unreachable;
        return fmt::format("driver {}", theatre_.driver.unreachable ? "away" : "back");
      case 3: {
        const StepOutcome outcome =
            random_.chance(0.5) ? StepOutcome::Failed : StepOutcome::Unknown;
        const std::string path =
            fmt::format("{}-{}", random_.chance(0.5) ? "grants/open" : "grants/close", e);
        theatre_.actions.answers[path] = {outcome, int(1 + random_.below(3))};
        return fmt::format("action {} {}", path, enum_name(outcome));
      }
      default:
        theatre_.traffic.sessions_per_s = double(random_.below(8));
        return fmt::format("traffic {}", theatre_.traffic.sessions_per_s);
    }
  }

  std::string repeat_a_command(int e) {
    const std::string key = fmt::format("key-{}", serial_++);
    const EventCommand command{name_of(e),
                               random_.chance(0.5) ? EventVerb::Hold : EventVerb::Resume};
    const auto first = theatre_.command(command, "ops", "once", key);
    const std::uint64_t seq = theatre_.world()->seq;
    const auto second = theatre_.command(command, "ops", "once", key);
    const EventCommand other{command.event, EventVerb::Divert};
    const auto third = theatre_.command(other, "ops", "once", key);
    if (first && first->seq > 0) {
      EXPECT_TRUE(!third && third.error().code == ErrorCode::KeyTaken);
      EXPECT_TRUE(second && second->repeated && second->seq == first->seq);
      EXPECT_EQ(theatre_.world()->seq, seq);
    }
    return fmt::format("{} {} twice", enum_name(command.verb), name_of(e));
  }

  Random random_;
  Theatre theatre_;
  Watcher watcher_;
  std::string before_;
  std::array<std::string, kEvents> changes_;  // as last applied, or refused
  int serial_ = 0;
  std::vector<std::string> said_;
};

std::uint64_t number_of(const char* variable, std::uint64_t fallback) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : fallback;
}

TEST(RandomHistory, KeepsWhatMustAlwaysHold) {
  const std::uint64_t first = number_of("SHOWCALLER_SEED", 1);
  const std::uint64_t seeds = std::getenv("SHOWCALLER_SEED") && !std::getenv("SHOWCALLER_SEEDS")
                                  ? 1
                                  : number_of("SHOWCALLER_SEEDS", 40);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    History history(seed);
    history.live(60);
    if (!HasFailure()) history.go_home();
    ASSERT_FALSE(HasFailure()) << "SHOWCALLER_SEED=" << seed << " after:\n" << history.story();
  }
}

}  // namespace
}  // namespace showcaller::test
