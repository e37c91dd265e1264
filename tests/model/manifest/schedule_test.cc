// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/schedule.h"

#include <gtest/gtest.h>

#include "model/manifest/zone.h"

namespace showcaller::manifest {
namespace {

std::string resolved(std::string_view local, std::string_view zone, ClockChangeChoice choice = {}) {
  const auto instant = resolve_local(*parse_local_time(local), zone, choice);
  if (!instant) return instant.error().message;
  return *instant ? format_instant(**instant) : "skipped";
}

TEST(Zone, OrdinaryTimes) {
  EXPECT_EQ(resolved("2026-12-18T18:00", "Europe/Berlin"), "2026-12-18T17:00:00Z");
  EXPECT_EQ(resolved("2026-07-18T18:00", "Europe/Berlin"), "2026-07-18T16:00:00Z");
  EXPECT_EQ(resolved("2026-12-18T18:00:30", "Asia/Kolkata"), "2026-12-18T12:30:30Z");
  EXPECT_EQ(resolved("2026-12-18T18:00", "America/New_York"), "2026-12-18T23:00:00Z");
  EXPECT_EQ(resolved("2026-12-18 18:00", "Pacific/Kiritimati"), "2026-12-18T04:00:00Z");
  EXPECT_EQ(resolved("2026-12-18T18:00", "UTC"), "2026-12-18T18:00:00Z");
}

TEST(Zone, GapIsAChoice) {
  // New York, 2027-03-14: 02:00 EST is followed by 03:00 EDT.
  EXPECT_EQ(resolved("2027-03-14T02:30", "America/New_York", {OnGap::Shift, {}}),
            "2027-03-14T07:30:00Z");
  EXPECT_EQ(resolved("2027-03-14T02:30", "America/New_York", {OnGap::Skip, {}}), "skipped");
  EXPECT_EQ(resolved("2027-03-14T02:30", "America/New_York"),
            "2027-03-14T02:30:00 does not exist in America/New_York: clocks go forward then; say "
            "`on_gap: shift` or "
            "`skip`, or move the time");
  EXPECT_EQ(resolved("2027-03-14T01:59", "America/New_York"), "2027-03-14T06:59:00Z");
  EXPECT_EQ(resolved("2027-03-14T03:00", "America/New_York"), "2027-03-14T07:00:00Z");
}

TEST(Zone, OverlapIsAChoice) {
  // Berlin, 2026-10-25: 02:00 to 03:00 comes twice.
  EXPECT_EQ(resolved("2026-10-25T02:30", "Europe/Berlin", {{}, OnOverlap::Earlier}),
            "2026-10-25T00:30:00Z");
  EXPECT_EQ(resolved("2026-10-25T02:30", "Europe/Berlin", {{}, OnOverlap::Later}),
            "2026-10-25T01:30:00Z");
  EXPECT_TRUE(resolved("2026-10-25T02:30", "Europe/Berlin").find("comes twice") !=
              std::string::npos);
  EXPECT_EQ(resolved("2026-10-25T03:00", "Europe/Berlin"), "2026-10-25T02:00:00Z");
}

TEST(Zone, HalfHourChangeOfLordHowe) {
  EXPECT_EQ(resolved("2026-10-04T02:15", "Australia/Lord_Howe", {OnGap::Shift, {}}),
            "2026-10-03T15:45:00Z");
  EXPECT_EQ(resolved("2027-04-04T01:45", "Australia/Lord_Howe", {{}, OnOverlap::Later}),
            "2027-04-03T15:15:00Z");
}

TEST(Zone, TimesPastTheZoneDataAreRefused) {
  EXPECT_EQ(resolved("2037-07-18T18:00", "Europe/Berlin"), "2037-07-18T16:00:00Z");
  EXPECT_EQ(resolved("2038-07-18T18:00", "Europe/Berlin"),
            "2038-07-18T18:00:00 lies past 2037, where this machine's zone data ends; write it "
            "with its offset, such as "
            "2038-07-18T18:00:00+02:00");
  EXPECT_EQ(resolved("2040-07-18T18:00", "UTC"), "2040-07-18T18:00:00Z");
}

TEST(Zone, Names) {
  EXPECT_TRUE(zone_exists("Europe/Berlin"));
  EXPECT_TRUE(zone_exists("UTC"));
  EXPECT_FALSE(zone_exists("Europe/Berln"));
  EXPECT_FALSE(zone_exists(""));
  EXPECT_FALSE(resolve_local({}, "../../etc/passwd", {}));
}

TEST(Zone, LocalTimesHaveNoOffset) {
  for (const char* bad :
       {"", "2026-12-18", "2026-12-18T18:00Z", "2026-12-18T18:00+01:00", "2026-13-18T18:00",
        "2026-02-30T18:00", "2026-12-18T24:00", "2026-12-18T18:0", "tomorrow at noon"}) {
    EXPECT_FALSE(parse_local_time(bad)) << bad;
  }
}

struct Outcome {
  std::string schedule;
  std::vector<std::string> findings;
};

Outcome resolve(const std::string& schedule, std::vector<RegionZone> regions = {}) {
  const std::vector<SourceFile> sources = {{"a.yaml", "schedule: " + schedule + "\n"}};
  std::vector<Finding> findings;
  std::vector<Node> documents = parse_documents(sources[0], 0, {}, &findings);
  Reader reader(sources, &findings);
  Outcome out;
  if (!documents.empty()) {
    resolve_schedule(reader, &documents[0], regions, MissingReference::Error, "2026f");
    out.schedule = to_json_text(to_json(*documents[0].find("schedule")));
  }
  for (const Finding& finding : findings) out.findings.push_back(format_finding_line(finding));
  return out;
}

const std::vector<RegionZone> kRegions = {{"eu", "Europe/Berlin"}, {"us", "America/New_York"}};

TEST(Schedule, OneZone) {
  EXPECT_EQ(
      resolve("{ zone: Europe/Berlin, start: 2026-12-18T18:00, announce: 5d before start, end: 36h "
              "after start }")
          .schedule,
      R"({"zone":"Europe/Berlin","start":"2026-12-18T17:00:00Z","announce":"2026-12-13T17:00:00Z",)"
      R"("end":"2026-12-20T05:00:00Z","tzdata":"2026f"})");
}

TEST(Schedule, DaysFromALocalStartKeepTheTimeOfDay) {
  // Berlin's clocks go forward on March 28: six days lie five and 23 hours apart.
  EXPECT_EQ(resolve("{ zone: Europe/Berlin, start: 2027-03-30T18:00, announce: 6d before start }")
                .schedule,
            R"({"zone":"Europe/Berlin","start":"2027-03-30T16:00:00Z",)"
            R"("announce":"2027-03-24T17:00:00Z","tzdata":"2026f"})");
  EXPECT_EQ(resolve("{ zone: Europe/Berlin, start: 2027-03-30T18:00, announce: 144h before start }")
                .schedule,
            R"({"zone":"Europe/Berlin","start":"2027-03-30T16:00:00Z",)"
            R"("announce":"2027-03-24T16:00:00Z","tzdata":"2026f"})");
}

TEST(Schedule, LocalIsEachRegionsOwn) {
  EXPECT_EQ(
      resolve("{ zone: local, start: 2026-12-18T18:00, announce: 1d before start }", kRegions)
          .schedule,
      R"({"zone":"local","start":{"eu":"2026-12-18T17:00:00Z","us":"2026-12-18T23:00:00Z"},)"
      R"("announce":{"eu":"2026-12-17T17:00:00Z","us":"2026-12-17T23:00:00Z"},"tzdata":"2026f"})");
}

TEST(Schedule, AbsoluteTimesNeedNoZoneData) {
  const Outcome outcome = resolve("{ zone: local, start: \"2026-12-18T18:00:00+01:00\" }");
  EXPECT_EQ(outcome.schedule, R"({"zone":"local","start":"2026-12-18T17:00:00Z"})");
  EXPECT_TRUE(outcome.findings.empty());
}

TEST(Schedule, ResolvingTwiceChangesNothing) {
  const std::string once =
      resolve("{ zone: local, start: 2026-12-18T18:00, end: 1d after start }", kRegions).schedule;
  EXPECT_EQ(resolve(once).schedule, once);
}

TEST(Schedule, SkippedRegionIsLeftOut) {
  const Outcome outcome = resolve("{ zone: local, on_gap: skip, end: 2027-03-14T02:30 }", kRegions);
  EXPECT_EQ(
      outcome.schedule,
      R"({"zone":"local","on_gap":"skip","end":{"eu":"2027-03-14T01:30:00Z"},"tzdata":"2026f"})");
  const Outcome nothing =
      resolve("{ zone: America/New_York, on_gap: skip, end: 2027-03-14T02:30 }");
  ASSERT_EQ(nothing.findings.size(), 1u);
  EXPECT_EQ(nothing.findings[0],
            "a.yaml:1:56: schedule.end: 2027-03-14T02:30 is skipped by `on_gap: skip`, and "
            "nothing is left; say "
            "`on_gap: shift`, or move the time");
}

// It would open with the latest region: at a time that it had skipped.
TEST(Schedule, ARegionsStartIsNeverSkipped) {
  const Outcome outcome =
      resolve("{ zone: local, on_gap: skip, start: 2027-03-14T02:30 }", kRegions);
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_EQ(outcome.findings[0],
            "a.yaml:1:47: schedule.start: 2027-03-14T02:30 does not exist in America/New_York, and "
            "where the start is skipped nothing would ever open; say `on_gap: shift`, or move the "
            "time");
}

TEST(Schedule, LocalWithoutRegionsIsRefused) {
  const Outcome outcome = resolve("{ zone: local, start: 2026-12-18T18:00, end: 1d after start }");
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_EQ(outcome.findings[0],
            "a.yaml:1:33: schedule.start: zone is local, and no fleet says which regions there "
            "are; add the Fleet to the "
            "files, or name a zone such as Europe/Berlin");
}

}  // namespace
}  // namespace showcaller::manifest
