// SPDX-License-Identifier: Apache-2.0
// How the parts fare that a server rests on: they are broken one by one, and mended.
#include "cli/serve/part_health.h"

#include <gtest/gtest.h>

namespace showcaller {
namespace {

const std::unexpected<Error> kDiskFull = fail(ErrorCode::Limit, "the disk is full; free some");

struct BreakableStore final : EvidenceStore {
  Result<EvidenceMark> append(std::string_view, std::string_view) override {
    if (broken) return kDiskFull;
    return EvidenceMark{};
  }
  Status flush() override { return broken ? Status(kDiskFull) : Status(); }
  Status read(std::string_view,
              const std::function<bool(std::string_view, const EvidenceMark&)>&) override {
    return {};
  }
  void close(std::string_view) override {}
  Result<std::size_t> remove_older(Instant) override { return 0; }
  std::vector<Error> take_notes() override { return {}; }

  bool broken = false;
};

struct BreakableDriver final : FleetDriver {
  Result<std::vector<ObservedInstance>> observe() override {
    if (blind) return fail(ErrorCode::Unavailable, "nobody answers; start it");
    return std::vector<ObservedInstance>{};
  }
  std::uint64_t epoch() const override { return 7; }
  Status apply(std::uint64_t, std::span<const FleetAction>) override {
    return stuck ? Status(kDiskFull) : Status();
  }
  Status disturb(std::uint64_t, const DisturbInstance&) override { return {}; }
  void allocate(const AllocateInstance&) override {}

  bool blind = false, stuck = false;
};

class Parts : public testing::Test {
 protected:
  Instant now = parse_instant("2026-12-18T18:00:00Z").value();
  PartHealth health{[this] { return now; }};
  std::string read() const { return to_json_text(health.read("driver", "process")); }
};

TEST_F(Parts, EvidenceIsGoodOnceItIsStored) {
  BreakableStore store;
  WatchedEvidence watched(&store, &health);
  EXPECT_EQ(read(), R"({"name":"process","kind":"driver","ok":true,)"
                    R"("detail":"nothing was asked of it yet"})");
  ASSERT_TRUE(watched.append("s", "{}"));
  EXPECT_NE(read().find("nothing was asked"), std::string::npos) << "it is not on the disk yet";
  ASSERT_TRUE(watched.flush());
  EXPECT_EQ(read(), R"({"name":"process","kind":"driver","ok":true,"detail":"answers",)"
                    R"("at":"2026-12-18T18:00:00Z"})");
  store.broken = true;
  now += seconds(1);
  EXPECT_FALSE(watched.append("s", "{}"));
  now += seconds(5);
  EXPECT_FALSE(watched.flush());
  EXPECT_EQ(read(), R"({"name":"process","kind":"driver","ok":false,)"
                    R"("detail":"the disk is full; free some","at":"2026-12-18T18:00:00Z",)"
                    R"("since":"2026-12-18T18:00:01Z"})");
  store.broken = false;
  ASSERT_TRUE(watched.flush());
  EXPECT_TRUE(get_bool(health.read("evidence", "evidence"), "ok"));
}

TEST_F(Parts, ADriverThatIsSeenButDoesNothingIsNotGood) {
  BreakableDriver driver;
  WatchedDriver watched(&driver, &health);
  const auto pass = [&] {
    if (watched.observe()) (void)watched.apply(7, {});
    return get_bool(health.read("driver", "process"), "ok");
  };
  EXPECT_TRUE(pass());
  driver.stuck = true;
  pass();
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(pass()) << "also while it is looked at in between";
  driver.stuck = false;
  pass();
  EXPECT_TRUE(pass());
  driver.blind = true;
  EXPECT_FALSE(pass());
  EXPECT_NE(read().find("nobody answers"), std::string::npos);
}

TEST(RelaySightings, TellWhoIsSilentAndAreBounded) {
  RelaySightings relays;
  const Instant start = parse_instant("2026-12-18T18:00:00Z").value();
  relays.heard("relay-eu", "eu", start);
  relays.heard("relay-us", "us", start + seconds(11));
  json::array parts;
  relays.read(start + seconds(11), &parts);
  EXPECT_EQ(
      to_json_text(parts),
      R"([{"name":"relay-eu","kind":"relay","ok":false,"detail":)"
      R"("was not heard of for 11s; it goes on from what it knew","at":"2026-12-18T18:00:00Z"},)"
      R"({"name":"relay-us","kind":"relay","ok":true,"detail":"asks, as us",)"
      R"("at":"2026-12-18T18:00:11Z"}])");
  for (std::size_t i = 0; i < RelaySightings::kRelaysMax; ++i)
    relays.heard("r" + std::to_string(i), "us", start + seconds(20));
  parts.clear();
  relays.read(start + seconds(20), &parts);
  EXPECT_EQ(parts.size(), RelaySightings::kRelaysMax);
  EXPECT_EQ(to_json_text(parts).find("relay-eu"), std::string::npos);
}

}  // namespace
}  // namespace showcaller
