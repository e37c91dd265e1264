// SPDX-License-Identifier: Apache-2.0
// What `forecast` and `anomaly` print.
#include <sstream>

#include <gtest/gtest.h>

#include "cli/anomaly_verb.h"
#include "cli/forecast_verb.h"

namespace showcaller {
namespace {

// Three weeks of one steep day.
std::string counted_days() {
  std::string text = "timestamp,value\n";
  for (int t = 0; t < 21 * 24; ++t) text += fmt::format("{},{}\n", t + 1, 10 + t % 24);
  return text;
}

ForecastText forecast(const std::string& text, const ForecastRequest& request,
                      OutputForm form = OutputForm::Table) {
  std::istringstream in(text);
  const auto options = parse_forecast_options(request);
  EXPECT_TRUE(options) << options.error().message;
  const auto told = forecast_text(in, *options, form, WithSummary::Yes);
  EXPECT_TRUE(told) << told.error().message;
  return told.value_or(ForecastText{});
}

std::string scored(const std::string& text, RowForm form) {
  std::istringstream in(text);
  std::ostringstream out;
  EXPECT_TRUE(score_rows(in, out, hours(1), form));
  return out.str();
}

TEST(ForecastVerb, PrintsARowAStepOfTheHorizon) {
  const auto told = forecast(counted_days(), {.horizon = "3h"});
  EXPECT_EQ(told.out, "timestamp,value,upper\n505,10,10.4\n506,11,11.44\n507,12,12.48\n");
  EXPECT_EQ(told.notes,
            "forecast: note: timestamps are counts, of 1h each; --step says otherwise\n");
  EXPECT_EQ(told.summary,
            "3 steps of 1h from 504 steps of the past\n"
            "peak       12 at 507\n"
            "capacity   12.48 at 507\n"
            "factor     1.040, learnt from 14 forecasts of the past\n"
            "record     peak covered in 10 of the last 10 windows (100.0 %), median over-provision "
            "4.0 %\n"
            "           sMAPE 0.00 %, MASE 0.00\n");
}

TEST(ForecastVerb, JsonHoldsTheRecordToo) {
  const auto told = forecast(counted_days(), {.horizon = "48h"}, OutputForm::Json);
  const auto value = parse_json(told.out);
  ASSERT_TRUE(value);
  const json::object& object = value->as_object();
  EXPECT_EQ(object.at("steps").as_array().size(), 48u);
  EXPECT_EQ(get_double(object.at("peak_upper").as_object(), "value"), 33 * 1.04);
  EXPECT_GT(get_int(object.at("record").as_object(), "windows"), 0);
}

TEST(ForecastVerb, UpliftsAreReadAndThoseElsewhereAreTold) {
  const std::string rows = "2026-12-18T16:00Z,10\n2026-12-18T17:00Z,10\n";
  const auto told = forecast(rows, {.horizon = "2h", .uplifts = {"1.5@2026-12-18T19:00Z/1h"}});
  EXPECT_EQ(told.out,
            "timestamp,value,upper\n2026-12-18T18:00:00Z,10,13\n2026-12-18T19:00:00Z,15,19.5\n");
  EXPECT_EQ(told.notes, "");
  const auto elsewhere = forecast(rows, {.horizon = "2h", .uplifts = {"2@2026-12-24T18:00Z/1h"}});
  EXPECT_NE(elsewhere.notes.find("is outside the forecast"), std::string::npos);
  for (const char* wrong :
       {"", "1.5", "x@2026-12-18T18:00Z/1h", "1.5@soon/1h", "2@2026-12-18T18:00Z",
        "-1@2026-12-18T18:00Z/1h", "2@2026-12-18T18:00Z/long"}) {
    const auto options = parse_forecast_options({.uplifts = {wrong}});
    ASSERT_FALSE(options) << wrong;
    EXPECT_NE(options.error().message.find("write FACTOR@TIME/DURATION"), std::string::npos);
  }
}

TEST(ForecastVerb, OptionsThatMakeNoSenseAreRefused) {
  EXPECT_FALSE(parse_forecast_options({.horizon = "0s"}));
  EXPECT_FALSE(parse_forecast_options({.horizon = "soon"}));
  EXPECT_FALSE(parse_forecast_options({.step = "10ms"}));
  std::istringstream none("1,\n2,NaN\n"), fine("1,1\n2,1\n");
  EXPECT_FALSE(forecast_text(none, {}, OutputForm::Table, WithSummary::No));
  const auto endless =
      forecast_text(fine, {.horizon = hours(24 * 365 * 50)}, OutputForm::Table, WithSummary::No);
  ASSERT_FALSE(endless);
  EXPECT_NE(endless.error().message.find("more than 100000; give a shorter --horizon"),
            std::string::npos);
}

TEST(AnomalyVerb, PrintsEachRowAsItStoodWithAScore) {
  std::string rows = "timestamp,value\r\n";
  for (int t = 0; t < 40; ++t)
    rows += fmt::format("2026-12-18 {:02}:{:02}:00,{}\r\n", t / 12, t % 12 * 5, 5 + t % 2);
  rows += "\r\n2026-12-18 03:20:00,\n2026-12-18 03:25:00,900.50\n";
  std::istringstream lines(scored(rows, RowForm::Csv));
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);) all.push_back(line);
  ASSERT_EQ(all.size(), 43u);
  EXPECT_EQ(all[0], "timestamp,value,anomaly_score");
  EXPECT_EQ(all[1], "2026-12-18 00:00:00,5,0.000000");
  EXPECT_EQ(all[41], "2026-12-18 03:20:00,,0.000000");
  EXPECT_TRUE(all[42].starts_with("2026-12-18 03:25:00,900.50,0.9")) << all[42];
}

TEST(AnomalyVerb, JsonIsALineARow) {
  EXPECT_EQ(scored("1,5\n2,\n", RowForm::JsonLines),
            "{\"timestamp\":\"1\",\"value\":5.0,\"anomaly_score\":0.0}\n"
            "{\"timestamp\":\"2\",\"value\":null,\"anomaly_score\":0.0}\n");
}

// Whoever reads along has had them.
TEST(AnomalyVerb, ARowThatIsRefusedLeavesTheScoresBeforeIt) {
  std::istringstream in("1,5\n2,6\n3,x\n");
  std::ostringstream out;
  const Status status = score_rows(in, out, hours(1), RowForm::Csv);
  ASSERT_FALSE(status);
  EXPECT_EQ(out.str(), "timestamp,value,anomaly_score\n1,5,0.000000\n2,6,0.000000\n");
  EXPECT_NE(status.error().message.find("line 3, column 3: 'x' is no number"), std::string::npos);
}

}  // namespace
}  // namespace showcaller
