// SPDX-License-Identifier: Apache-2.0
// What plan, status and the fleet's own page tell of the demand ahead.
#include <gtest/gtest.h>

#include "cli/serve/host_backend.h"
#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

constexpr const char* kFleet = R"(
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: ops }
spec:
  base: 1.0.0
  builds: [ { version: 1.0.0, command: [x] }, { version: 1.1.0, command: [x] } ]
  regions: [ { name: eu } ]
  capacity: { min: 10, max: 400 }
)";
constexpr const char* kEvent = R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: gala, owner: ops }
spec:
  schedule: { start: 2026-12-01T20:00:00Z, end: 2026-12-01T23:00:00Z }
  changes: [ { build: { fleet: raid, version: 1.1.0 } } ]
  intake: { expected: 500 }
  gates: [ { metric: session.crashed, worse_by_at_most: 10%, on_fail: rollback } ]
)";

class ForecastAnswers : public testing::Test {
 protected:
  // Twelve o'clock, after four weeks of evenings of 200 sessions.
  ForecastAnswers() {
    EXPECT_TRUE(theatre_.apply("fleet.yaml", kFleet));
    theatre_.remember({"raid", "eu", hours(24 * 28), 20, 200, 18});
    theatre_.restart(seconds(1));
    theatre_.advance(seconds(10));
  }
  Theatre theatre_;
  MemoryJournal journal_{theatre_.disk};
};

TEST_F(ForecastAnswers, PlanCountsThePlayersThatTheEventExpects) {
  const HostBackend backend(&theatre_.host(), &journal_, {"test", "test"});
  const json::object alone = backend.fleet("raid")->at("forecast").as_object();
  EXPECT_EQ(get_string(alone, "basis"), "weeks");
  EXPECT_NEAR(get_int(alone, "peak_sessions"), 209, 5);
  EXPECT_EQ(get_string(alone, "peak_at"), "2026-12-01T18:00:00Z");
  EXPECT_NEAR(get_int(alone, "short_instances"), 199, 5) << "ten run, and nobody scales ahead";

  const SourceFile file{"gala.yaml", kEvent};
  const auto planned = backend.plan(std::span(&file, 1), {"ann", {"admin"}});
  ASSERT_TRUE(planned);
  const json::object& event = planned->at("manifests").at(0).at("event").as_object();
  ASSERT_TRUE(event.contains("capacity")) << to_json_text(*planned);
  const json::object& with = event.at("capacity").at(0).as_object();
  EXPECT_EQ(get_string(with, "peak_at"), "2026-12-01T20:00:00Z");
  EXPECT_GT(get_int(with, "peak_sessions"), 650);
}

TEST_F(ForecastAnswers, StatusSaysWhenToPreWarm) {
  ASSERT_TRUE(theatre_.apply("gala.yaml", kEvent));
  const HostBackend backend(&theatre_.host(), &journal_, {"test", "test"});
  const json::value status = backend.event("gala").value();
  const std::string says = get_string(status.at("capacity").at(0).as_object(), "says");
  EXPECT_NE(says.find("instances at 20:00 UTC; pre-warm now"), std::string::npos) << says;
}

}  // namespace
}  // namespace showcaller::test
