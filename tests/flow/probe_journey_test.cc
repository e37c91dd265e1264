// SPDX-License-Identifier: Apache-2.0
// A journey of several steps: what is carried from one to the next, what counts as wrong, and when
// it is over.
#include "flow/probe_journey.h"

#include <gtest/gtest.h>

namespace showcaller {
namespace {

using std::chrono::milliseconds;

ProbeStep http(std::string name, std::string url) {
  ProbeStep step;
  step.name = std::move(name);
  step.what = HttpProbeStep{"GET", std::move(url), {}, {}};
  return step;
}

ProbeCall journey_of(std::vector<ProbeStep> steps) {
  ProbeCall call{"join", "eu", "http://game:1/api/", "00-aa-bb-01", {}};
  call.spec.timeout = seconds(5);
  call.spec.steps = std::move(steps);
  return call;
}

std::string url_of(const std::optional<ProbeStep>& step) {
  return step ? std::get<HttpProbeStep>(step->what).url : "";
}

TEST(ProbeJourney, CarriesWhatWasKeptToLaterSteps) {
  ProbeStep enter = http("enter", "/enter?from=${region}");
  enter.keep = {{"session", "/session/id"}, {"seat", "/seat"}};
  ProbeStep play = http("play", "http://other/${session}/${seat}");
  const ProbeCall call = journey_of({enter, play});
  ProbeJourney journey(call);
  EXPECT_EQ(journey.context().traceparent, "00-aa-bb-01");
  EXPECT_EQ(url_of(journey.next()), "http://game:1/api/enter?from=eu");
  journey.answered({{}, 200, R"({"session":{"id":"s-1"},"seat":3})"}, milliseconds(40));
  EXPECT_EQ(url_of(journey.next()), "http://other/s-1/3");
  journey.answered({{}, 204, ""}, milliseconds(2));
  EXPECT_FALSE(journey.next());
  EXPECT_TRUE(journey.result().good());
  EXPECT_EQ(journey.result().took, milliseconds(42));
  ASSERT_EQ(journey.result().steps.size(), 2u);
  EXPECT_EQ(journey.result().steps[0].took, milliseconds(40));
}

TEST(ProbeJourney, EndsWithTheFirstStepThatIsNotAsExpected) {
  const ProbeCall call = journey_of({http("enter", "/a"), http("play", "/b")});
  ProbeJourney journey(call);
  ASSERT_TRUE(journey.next());
  journey.answered({{}, 503, "starting\n\x1b[2J"}, milliseconds(5));
  EXPECT_FALSE(journey.next());
  EXPECT_EQ(journey.result().wrong, "enter: 503 instead of 200-299: starting  [2J");
  EXPECT_EQ(journey.result().steps.size(), 1u);
}

TEST(ProbeJourney, SaysWhatItCouldNotFillInOrKeep) {
  const ProbeCall unkept = journey_of({http("play", "/${session}")});
  ProbeJourney first(unkept);
  EXPECT_FALSE(first.next());
  EXPECT_EQ(first.result().wrong,
            "play: no step before kept 'session'; add it to the `keep` of one");

  ProbeStep enter = http("enter", "/a");
  enter.keep = {{"session", "/id"}};
  const ProbeCall call = journey_of({enter});
  ProbeJourney second(call);
  ASSERT_TRUE(second.next());
  second.answered({{}, 200, "{}"}, milliseconds(1));
  EXPECT_EQ(second.result().wrong, "enter: there is no /id in the answer to keep as 'session'");

  ProbeCall homeless = journey_of({http("enter", "/a")});
  homeless.base_url.clear();
  ProbeJourney third(homeless);
  EXPECT_FALSE(third.next());
  EXPECT_EQ(third.result().wrong, "enter: '/a' lies below no URL; give the probe's Service one");
}

TEST(ProbeJourney, AsAWholeHasItsTime) {
  const ProbeCall call = journey_of({http("enter", "/a"), http("play", "/b")});
  ProbeJourney journey(call);
  ASSERT_TRUE(journey.next());
  EXPECT_EQ(journey.time_left(), seconds(5));
  journey.answered({{}, 200, ""}, seconds(5));
  EXPECT_FALSE(journey.next());
  EXPECT_EQ(journey.result().wrong, "play: the journey took longer than 5s");
}

TEST(ProbeJourney, TextsThatAreNoPlaceholdersStay) {
  EXPECT_EQ(filled("a$b{c}$", {}).value(), "a$b{c}$");
  EXPECT_EQ(filled("${a}${a}", {{"a", "${a}"}}).value(), "${a}${a}") << "filled in once, not again";
  EXPECT_FALSE(filled("${open", {{"open", "x"}}));
}

TEST(ProbeStep, IsHeldAgainstWhatIsExpected) {
  ProbeStep step = http("a", "/");
  const auto says = [&](const ProbeAnswer& answer, Duration took = milliseconds(1)) {
    return unmet(step, answer, took);
  };
  EXPECT_EQ(says({{}, 201, ""}), "");
  EXPECT_EQ(says({"no connection", 0, ""}), "no connection");
  step.expect.status = {200, 404};
  EXPECT_EQ(says({{}, 404, ""}), "");
  EXPECT_EQ(says({{}, 201, ""}), "201 instead of 200, 404");
  step.expect.contains = "open";
  EXPECT_EQ(says({{}, 200, "shut"}), "the answer does not hold 'open': shut");
  EXPECT_EQ(says({{}, 200, "it is open"}), "");
  step.expect.contains.clear();
  step.expect.json = {{"/state", "open"}, {"/n", 3}};
  EXPECT_EQ(says({{}, 200, R"({"state":"open","n":3})"}), "");
  EXPECT_EQ(says({{}, 200, R"({"state":"shut","n":3})"}), "/state is \"shut\" instead of \"open\"");
  EXPECT_EQ(says({{}, 200, "{}"}), "the answer has no /n");
  EXPECT_EQ(says({{}, 200, "open"}), "the answer is no JSON: open");
  step.expect.json.clear();
  step.expect.within = milliseconds(300);
  EXPECT_EQ(says({{}, 200, ""}, milliseconds(301)), "it took longer than 300ms");

  ProbeStep script;
  script.what = ScriptProbeStep{{"play"}, {}};
  EXPECT_EQ(unmet(script, {{}, 0, ""}, milliseconds(1)), "");
  EXPECT_EQ(unmet(script, {{}, 3, "lost"}, milliseconds(1)), "3 instead of 0: lost");
}

}  // namespace
}  // namespace showcaller
