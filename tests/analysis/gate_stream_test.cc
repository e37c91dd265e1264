// SPDX-License-Identifier: Apache-2.0
// Recorded stages through `gate judge`: stories with their output, and every way a recording can be
// broken.
#include "analysis/gate_stream.h"

#include <sstream>

#include <gtest/gtest.h>

#include "tests/analysis/simulated_world.h"

namespace showcaller {
namespace {

constexpr const char* kHeader =
    R"({"stage":{"planned_s":3600,"tick_s":10,"share":0.05,"assignment":"player","warmup_s":150,"profile":"G1","metrics":[{"name":"error","kind":"binary","weight":0.34,"worse_by_at_most":0},{"name":"latency","kind":"quantile","at":[0.5,0.9,0.95,0.99],"cuts":[40,110,146,250],"weight":0.34}]}})";
constexpr const char* kTick =
    R"({"t":10,"units":{"canary":252,"baseline":4750},"groups":[{"arm":"canary","id":"3","m":{"error":[250,2],"latency":[250,125,25,12,2]}},{"arm":"baseline","id":"1","m":{"error":[4750,48],"latency":[4750,2375,475,237,48]}}]})";

struct Judged {
  int exit;
  std::vector<json::value> lines;
  std::string err;
  std::string final_verdict() const {
    return lines.empty() ? "" : get_string(lines.back().as_object(), "final");
  }
};

Judged judge(const std::string& text) {
  std::istringstream in(text);
  std::ostringstream out, err;
  Judged judged{judge_stream(in, out, err), {}, err.str()};
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);)
    judged.lines.push_back(parse_json(line).value());
  return judged;
}

std::string recording(const test::WorldConfig& config, std::uint64_t seed,
                      std::int64_t until_s = 3600, std::int64_t silent_from_s = 1 << 30) {
  test::SimulatedWorld world(config, seed);
  const GateConfig gate = gate_config_of(config);
  std::string text = to_json_text(to_json(gate)) + "\n";
  for (std::int64_t t = 0; t < until_s; t += gate.tick_s) {
    Tick tick = world.next();
    if (t >= silent_from_s)
      std::erase_if(tick.groups, [](const auto& g) { return g.arm == Arm::Canary; });
    text += to_json_text(tick, shape_of(gate)) + "\n";
  }
  return text;
}

TEST(Judge, TheDocumentedLinesAreRead) {
  const Judged judged = judge(std::string(kHeader) + "\n" + kTick + "\n");
  EXPECT_EQ(judged.exit, kJudgeThin) << judged.err;
  ASSERT_EQ(judged.lines.size(), 1u);
  const json::object& last = judged.lines[0].as_object();
  EXPECT_EQ(get_string(last, "final"), "thin");
  EXPECT_EQ(get_int(last, "t"), 10);
  EXPECT_FALSE(get_string(last, "why").empty());
  const json::object& error = last.at("metrics").as_object().at("error").as_object();
  EXPECT_EQ(get_double(error, "e", -1), 0);
  EXPECT_NEAR(get_double(error, "ratio"), 0.792, 0.001);
  EXPECT_EQ(get_string(error, "verdict"), "thin");
}

TEST(Judge, AGoodStagePasses) {
  const Judged judged = judge(recording({}, 1));
  EXPECT_EQ(judged.exit, kJudgePass);
  EXPECT_EQ(judged.final_verdict(), "pass");
  EXPECT_EQ(get_int(judged.lines.back().as_object(), "t"), 3600);
  EXPECT_EQ(get_string(judged.lines.front().as_object(), "verdict"), "pass");
}

TEST(Judge, ABadStageEndsWhereItFails) {
  test::WorldConfig config;
  config.fault.error_ratio = 2;
  const Judged judged = judge(recording(config, 2));
  EXPECT_EQ(judged.exit, kJudgeFail);
  ASSERT_EQ(judged.lines.size(), 2u);
  const json::object& last = judged.lines[1].as_object();
  EXPECT_EQ(get_string(last, "final"), "fail");
  EXPECT_LT(get_int(last, "t"), 600);
  EXPECT_EQ(get_int(last, "t"), get_int(judged.lines[0].as_object(), "t"));
  EXPECT_EQ(get_string(last.at("metrics").as_object().at("error").as_object(), "verdict"), "fail");
  EXPECT_NE(get_string(last, "why").find("error is"), std::string::npos);
}

TEST(Judge, ALostArmIsBlind) {
  const Judged judged = judge(recording({}, 3, 3600, 1800));
  EXPECT_EQ(judged.exit, kJudgeBlind);
  const json::object& change = judged.lines[judged.lines.size() - 2].as_object();
  EXPECT_EQ(get_string(change, "verdict"), "blind");
  EXPECT_EQ(get_int(change, "t"), 1830);
}

TEST(Judge, LostLinesAreBlindUntilTheyComeBack) {
  std::string text = std::string(kHeader) + "\n" + kTick + "\n";
  std::string later = kTick;
  later.replace(later.find("\"t\":10"), 6, "\"t\":200");
  const Judged judged = judge(text + later + "\n");
  ASSERT_EQ(judged.lines.size(), 3u);
  EXPECT_EQ(get_string(judged.lines[0].as_object(), "verdict"), "blind");
  EXPECT_EQ(get_int(judged.lines[0].as_object(), "t"), 40);
  EXPECT_EQ(get_string(judged.lines[1].as_object(), "verdict"), "thin");
  EXPECT_EQ(judged.final_verdict(), "thin");
}

TEST(Judge, AWrongSplitIsSkewed) {
  test::WorldConfig config;
  config.true_share = 0.04;
  const Judged judged = judge(recording(config, 4, 600));
  EXPECT_EQ(judged.exit, kJudgeSkewed);
  EXPECT_LE(get_int(judged.lines[0].as_object(), "t"), 40);
}

TEST(Judge, StreamsThatLabelTicksByTheirBeginningAreUnderstood) {
  std::string first = kTick;
  first.replace(first.find("\"t\":10"), 6, "\"t\":0");
  const Judged judged = judge(std::string(kHeader) + "\n" + first + "\n");
  EXPECT_EQ(judged.exit, kJudgeThin);
  EXPECT_EQ(get_int(judged.lines[0].as_object(), "t"), 10);
}

// As the server's own streams: the hour before at second 0, and again where a gate joined.
TEST(Judge, HistoryMayStandBeforeTheTicksAndBetweenThem) {
  std::string history =
      R"({"t":0,"groups":[{"arm":"baseline","id":"1","m":{"error":[47500,480],"latency":[0,0,0,0,0]}}]})";
  std::string later = kTick;
  later.replace(later.find("\"t\":10"), 6, "\"t\":20");
  const std::string lines[] = {kHeader, history, kTick, history, later};
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  const Judged judged = judge(text);
  EXPECT_EQ(judged.exit, kJudgeThin) << judged.err;
  ASSERT_EQ(judged.lines.size(), 1u);
  EXPECT_EQ(get_int(judged.lines[0].as_object(), "t"), 20);
}

TEST(Judge, BlankLinesCarriageReturnsAndUnknownKeysAreTolerated) {
  std::string header = kHeader;
  header.replace(header.find("\"tick_s\""), 8, "\"tik_s\":1,\"tick_s\"");
  const Judged judged = judge("\n" + header + "\r\n\n" + kTick + "\r\n\n");
  EXPECT_EQ(judged.exit, kJudgeThin) << judged.err;
  EXPECT_NE(judged.err.find("stage.tik_s is not known and has no effect (did you mean tick_s?)"),
            std::string::npos);
}

TEST(Judge, ConfigsRoundTrip) {
  test::WorldConfig world;
  world.world = test::World::Fleet;
  GateConfig config = gate_config_of(world);
  config.metrics[0].better = Better::Higher;
  config.metrics[0].must_detect = 3;
  config.metrics[2].scaled_by = 1.25;
  config.metrics[1].prior = {.tau = 0.2, .nu = 11};
  config.metrics[2].worse_by_at_most = 0.1;
  config.metrics[2].divided_by = 1.09;
  const json::value text = to_json(config);
  EXPECT_EQ(to_json_text(to_json(gate_config_from_json(text).value())), to_json_text(text));
}

TEST(Judge, BrokenRecordingsSayLineAndField) {
  const std::string header = kHeader;
  const auto changed = [](std::string text, const char* from, const char* to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, std::string(from).size(), to);
  };
  const std::pair<std::string, const char*> cases[] = {
      {"", "the input has no stage"},
      {header, "a stage but no tick"},
      {"{", "line 1: 1:2: not valid JSON"},
      {"[]", "line 1: the first line is not an object"},
      {"{}", "line 1: the first line has no `stage`"},
      {kTick, "line 1: the first line has no `stage`"},
      {changed(header, "{\"stage\"", "{\"version\":2,\"stage\""),
       "line 1: version 2 of the format is not known"},
      {changed(header, "\"planned_s\":3600,", ""), "line 1: stage.planned_s is missing"},
      {changed(header, "\"planned_s\":3600", "\"planned_s\":\"1h\""),
       "line 1: stage.planned_s is not a number"},
      {changed(header, "\"player\"", "\"players\""),
       "line 1: stage.assignment is \"players\"; player or instance"},
      {changed(header, "\"G1\"", "\"G2\""), "line 1: stage.profile is \"G2\"; G1 or C"},
      {changed(header, "\"binary\"", "\"bool\""), "line 1: stage.metrics[0].kind is \"bool\""},
      {changed(header, "\"name\":\"latency\",", ""), "line 1: stage.metrics[1].name is missing"},
      {changed(header, "\"name\":\"latency\"", "\"name\":\"error\""),
       "line 1: stage: metric error appears twice"},
      {changed(header, "[40,110,146,250]", "[40,110]"), "`at` and `cuts` have different lengths"},
      {header + "\nnot json\n", "line 2: 1:1: not valid JSON"},
      {header + "\n" + kTick + "\n" + kTick + "\n",
       "line 3: t is 10 after 10; ticks come in the order of time"},
      {header + "\n" + changed(kTick, "[250,2]", "[250]"),
       "line 2: groups[0].m.error has 1 counts"},
      {header + "\n" + changed(kTick, "[250,2]", "[250,-2]"), "line 2: groups[0].m.error[1] is -2"},
      {header + "\n" + changed(kTick, "\"canary\",", "\"canaries\","),
       "line 2: groups[0].arm is \"canaries\""},
      {header + "\n" + std::string(kTick).substr(0, 80), "line 2: 1:81: not valid JSON"},
  };
  for (const auto& [text, message] : cases) {
    const Judged judged = judge(text);
    EXPECT_EQ(judged.exit, kJudgeMalformed) << text;
    EXPECT_NE(judged.err.find(message), std::string::npos) << message << "\ngot: " << judged.err;
    EXPECT_EQ(judged.final_verdict(), "");
  }
}

TEST(Judge, AHugeLineIsRefusedWithoutReadingItAll) {
  const Judged judged = judge(std::string(kHeader) + "\n" + std::string(17u << 20, '['));
  EXPECT_EQ(judged.exit, kJudgeMalformed);
  EXPECT_NE(judged.err.find("line 2: longer than"), std::string::npos);
}

}  // namespace
}  // namespace showcaller
