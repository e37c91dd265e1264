// SPDX-License-Identifier: Apache-2.0
// Looking back: decisions found and paged, incidents that keep up with the journal, rehearsals on
// their shelf, what policies say now.
#include "cli/serve/host_reviews.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/rehearsal_files/rehearsal_files.h"
#include "tests/adapters/scratch_folder.h"
#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

constexpr std::string_view kHouse = R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: ops, owner: ops }
spec: { members: [ann] }
---
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: house-rules, owner: ops }
spec:
  roles: [ { name: reader, verbs: [read], owners: [ops] } ]
  approvals: [ { name: two, count: 1 } ]
  freezes: [ { name: holidays, from: 2026-12-20T00:00:00Z, to: 2026-12-27T00:00:00Z, reason: rest } ]
  exceptions: [ { name: gala-first, rule: holidays, event: gala, until: 2026-12-05T00:00:00Z, reason: sold } ]
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: gala, owner: ops }
spec:
  changes: [ { config: { document: rules, version: 1, value: {} } } ]
  rollout: { stages: [ { name: all, exposure: 100%, bake: 1h, gated: false } ] }
)";

class HostReviewsTest : public testing::Test {
 protected:
  HostReviewsTest() {
    const auto applied = theatre_.apply("house.yaml", std::string(kHouse));
    EXPECT_TRUE(applied) << applied.error().message;
  }
  json::object decisions(const DecisionSearch& search) {
    auto found = reviews_.decisions(search);
    EXPECT_TRUE(found) << found.error().message;
    return found ? found->as_object() : json::object();
  }
  static std::vector<std::int64_t> seqs(const json::object& found) {
    std::vector<std::int64_t> out;
    for (const json::value& each : found.at("decisions").as_array())
      out.push_back(get_int(each.as_object(), "seq"));
    return out;
  }

  ScratchFolder folder_;
  std::unique_ptr<RehearsalFiles> shelf_ = RehearsalFiles::open(folder_.path()).value();
  Theatre theatre_;
  MemoryJournal journal_{theatre_.disk};
  HostReviews reviews_{&theatre_.host(), &journal_, shelf_.get()};
};

TEST_F(HostReviewsTest, DecisionsAreFoundByWhatIsKnownOfThem) {
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(theatre_.command(LineCommand{i % 2 == 0, "event/gala"}, i < 4 ? "ann" : "bob",
                                 i == 4 ? "Lag in Asia" : ""));
    theatre_.clock.advance(minutes(1));
  }
  EXPECT_EQ(seqs(decisions({.actor = "bob"})).size(), 2u);
  EXPECT_EQ(seqs(decisions({.text = "lag in ASIA"})).size(), 1u);
  EXPECT_EQ(seqs(decisions({.kinds = {"line_stopped"}})).size(), 3u);
  EXPECT_EQ(seqs(decisions({.subject = "event/gala", .kinds = {"line_resumed"}})).size(), 3u);
  EXPECT_EQ(seqs(decisions({.subject = "policy"})).size(), 1u);
  EXPECT_EQ(seqs(decisions({.subject = "event/nosuch"})).size(), 0u);
  const Instant start = parse_instant("2026-12-01T12:00:00Z").value();
  EXPECT_EQ(seqs(decisions({.kinds = {"line_stopped", "line_resumed"},
                            .since = start + minutes(1),
                            .until = start + minutes(4)}))
                .size(),
            3u);
  EXPECT_EQ(reviews_.decisions({.kinds = {"line_stoped"}}).error().message,
            "there is no kind of record 'line_stoped'; did you mean 'line_stopped'?");
}

TEST_F(HostReviewsTest, PagesOfDecisionsMeetWithoutAGapOrARepetition) {
  for (int i = 0; i < 25; ++i) ASSERT_TRUE(theatre_.command(LineCommand{i % 2 == 0, ""}));
  const auto whole = seqs(decisions({.limit = 500}));
  std::vector<std::int64_t> paged;
  DecisionSearch search{.limit = 4};
  for (int pages = 0; pages < 50; ++pages) {
    const json::object page = decisions(search);
    for (const std::int64_t seq : seqs(page)) paged.push_back(seq);
    if (page.at("next").is_null()) break;
    search.before_seq = std::uint64_t(get_int(page, "next"));
  }
  EXPECT_EQ(paged, whole);
  EXPECT_TRUE(std::ranges::is_sorted(whole, std::greater()));
}

TEST_F(HostReviewsTest, ADecisionTellsWhatLedToItAndWhatFollowed) {
  const auto applied = decisions({.kinds = {"manifest_applied"}, .limit = 500});
  const auto revised = decisions({.kinds = {"phase_changed"}, .limit = 500});
  const json::object last = revised.at("decisions").as_array().front().as_object();
  const auto told = reviews_.decision(std::uint64_t(get_int(last, "seq")));
  ASSERT_TRUE(told);
  const json::array& chain = told->at("chain").as_array();
  ASSERT_FALSE(chain.empty());
  const auto root = std::uint64_t(get_int(chain.front().as_object(), "seq"));
  EXPECT_EQ(std::int64_t(root), seqs(applied).back());
  EXPECT_EQ(get_string(told->as_object(), "version"), "test");
  bool follows = false;
  const json::value of_root = reviews_.decision(root).value();
  for (const json::value& each : of_root.at("followed").as_array())
    follows = follows || get_int(each.as_object(), "seq") == get_int(last, "seq");
  EXPECT_TRUE(follows);
  EXPECT_EQ(reviews_.decision(99'999).error().code, ErrorCode::NotFound);
}

TEST_F(HostReviewsTest, IncidentsKeepUpWithTheJournal) {
  EXPECT_TRUE(reviews_.incidents()->as_array().empty());
  ASSERT_TRUE(theatre_.apply("fleet.yaml", R"(
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: ops }
spec: { base: 1, builds: [ { version: 1, command: [raid] } ], regions: [ { name: eu } ] }
)"));
  ASSERT_TRUE(theatre_.command(QuarantineCommand{false, QuarantineScope::Region, "raid", "eu"},
                               "ann", "packet loss"));
  const json::array open = reviews_.incidents()->as_array();
  ASSERT_EQ(open.size(), 1u);
  EXPECT_EQ(get_string(open[0].as_object(), "state"), "open");
  theatre_.clock.advance(minutes(3));
  ASSERT_TRUE(theatre_.command(QuarantineCommand{true, QuarantineScope::Region, "raid", "eu"}));
  const auto over = reviews_.incident(std::uint64_t(get_int(open[0].as_object(), "id")));
  ASSERT_TRUE(over);
  EXPECT_EQ(get_string(over->as_object(), "state"), "over");
  EXPECT_EQ(get_string(over->as_object(), "recovered_after"), "3m");
  EXPECT_EQ(get_string(over->as_object(), "team"), "ops");
  EXPECT_EQ(reviews_.incident(7'777).error().code, ErrorCode::NotFound);
}

TEST_F(HostReviewsTest, RehearsalsAreKeptForOthers) {
  const auto kept = reviews_.publish_rehearsal(
      {{"event", "gala"}, {"verdict", "pass"}, {"runs", 60}}, {"ci", {}});
  ASSERT_TRUE(kept);
  const json::object line = reviews_.rehearsals()->as_array().front().as_object();
  EXPECT_EQ(get_string(line, "by"), "ci");
  EXPECT_EQ(get_int(line, "runs"), 60);
  const auto one = reviews_.rehearsal(get_string(kept->as_object(), "id"));
  EXPECT_EQ(get_string(one->at("report").as_object(), "verdict"), "pass");
  EXPECT_EQ(reviews_.publish_rehearsal({{"event", "gala"}}, {"ci", {}}).error().code,
            ErrorCode::Invalid);
}

TEST_F(HostReviewsTest, PoliciesAreToldAsTheyStand) {
  const json::object told = reviews_.policy().as_object();
  const std::string text = to_json_text(told);
  EXPECT_NE(
      text.find(R"({"role":"reader","policy":"house-rules","verbs":["read"],"owners":["ops"]})"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find(R"({"role":"viewer","policy":"")"), std::string::npos);
  const json::array& approvals = told.at("approvals").as_array();
  ASSERT_EQ(approvals.size(), 1u);
  EXPECT_EQ(get_string(approvals[0].as_object(), "event"), "gala");
  ASSERT_EQ(told.at("freezes").as_array().size(), 1u);
  EXPECT_FALSE(get_bool(told.at("freezes").as_array()[0].as_object(), "on"));
  const json::array& expiring = told.at("expiring").as_array();
  ASSERT_EQ(expiring.size(), 1u);
  EXPECT_EQ(get_string(expiring[0].as_object(), "what"), "exception");
  ASSERT_TRUE(theatre_.command(ApproveCommand{"gala", {}}, "bob"));
  const json::object later = reviews_.policy().as_object();
  EXPECT_TRUE(later.at("approvals").as_array().empty());
  EXPECT_EQ(later.at("expiring").as_array().size(), 2u);
}

}  // namespace
}  // namespace showcaller::test
