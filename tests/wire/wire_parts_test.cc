// SPDX-License-Identifier: Apache-2.0
// The parts of the wire that need no socket: the OpenAPI document, metrics, traces, log lines,
// content negotiation.
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "wire/api_routes.h"
#include "wire/log.h"
#include "wire/metric_table.h"
#include "wire/openapi.h"
#include "wire/trace_context.h"

namespace showcaller {
namespace {

void collect_refs(const json::value& value, std::set<std::string>* refs) {
  if (value.is_array()) {
    for (const auto& item : value.as_array()) collect_refs(item, refs);
  } else if (value.is_object()) {
    for (const auto& [key, item] : value.as_object()) {
      if (key == "$ref") refs->insert(std::string(item.as_string()));
      collect_refs(item, refs);
    }
  }
}

TEST(OpenApi, TellsEveryRouteAndOnlyThose) {
  Router router({});
  add_api_routes(&router, {});
  const auto document = openapi_document(router, "1");
  std::size_t operations = 0;
  for (const auto& path : document.at("paths").as_object())
    operations += path.value().as_object().size();
  EXPECT_EQ(operations, router.routes().size());
  std::set<std::string> ids;
  for (const auto& route : router.routes()) {
    EXPECT_TRUE(ids.insert(route->id).second) << route->id;
    EXPECT_FALSE(route->summary.empty()) << route->pattern;
    EXPECT_FALSE(route->tag.empty()) << route->pattern;
  }
}

TEST(OpenApi, EveryReferenceHasItsTarget) {
  const json::value document = openapi_document("1");
  std::set<std::string> refs;
  collect_refs(document, &refs);
  EXPECT_GT(refs.size(), 10u);
  for (const auto& ref : refs) {
    boost::system::error_code error;
    EXPECT_NE(document.find_pointer(ref.substr(1), error), nullptr) << ref;
  }
  for (const auto& schema : api_schemas()) {
    EXPECT_TRUE(refs.contains("#/components/schemas/" + std::string(schema.key()))) << schema.key();
  }
}

// A schema of one name was there twice, and the document kept either.
TEST(OpenApi, SaysWhatEachRouteAnswers) {
  const json::value document = openapi_document("1");
  const auto answer = [&](std::string_view pointer) {
    boost::system::error_code error;
    const auto* found = document.find_pointer(std::string("/paths/") + std::string(pointer), error);
    return found != nullptr ? to_json_text(*found) : std::string("none");
  };
  EXPECT_NE(answer("~1readyz/get/responses/503").find("schemas/Readiness\""), std::string::npos);
  EXPECT_NE(answer("~1api~1v1~1events~1{event}~1ready/post/requestBody").find("ReadinessReport"),
            std::string::npos);
  EXPECT_NE(answer("~1ofrep~1v1~1evaluate~1flags~1{key}/post/responses/404").find("OfrepError"),
            std::string::npos);
  EXPECT_EQ(answer("~1ofrep~1v1~1evaluate~1flags/post/responses/304"),
            R"({"description":"Not changed since the ETag of If-None-Match."})");
  EXPECT_NE(answer("~1api~1v1~1events~1{event}~1promote/post/responses/409").find("Problem"),
            std::string::npos);
  EXPECT_NE(answer("~1api~1v1~1manifests/post/responses/422").find("Problem"), std::string::npos);
}

// What OpenAPI 3.1 asks of a document, as far as ours could break it.
TEST(OpenApi, IsConsistentInItself) {
  const auto document = openapi_document("1");
  for (const auto& path : document.at("paths").as_object()) {
    std::set<std::string> in_path;
    const std::string pattern(path.key());
    for (auto open = pattern.find('{'); open != pattern.npos; open = pattern.find('{', open + 1))
      in_path.insert(pattern.substr(open + 1, pattern.find('}', open) - open - 1));
    for (const auto& [method, value] : path.value().as_object()) {
      const auto& operation = value.as_object();
      std::set<std::string> told, all;
      const auto* params = operation.if_contains("parameters");
      for (const auto& param : params != nullptr ? params->as_array() : json::array()) {
        const auto& row = param.as_object();
        const auto name = get_string(row, "name");
        EXPECT_TRUE(all.insert(get_string(row, "in") + name).second) << pattern << name;
        if (get_string(row, "in") == "path") told.insert(name);
      }
      EXPECT_EQ(told, in_path) << pattern;
      const auto& answers = operation.at("responses").as_object();
      EXPECT_TRUE(answers.contains("default")) << pattern;
      for (const auto& [status, answer] : answers) {
        const bool known =
            status == "default" ||
            (status.size() == 3 && reason_phrase(std::stoi(std::string(status))) != "Status");
        EXPECT_TRUE(known) << pattern << status;
      }
    }
  }
}

TEST(OpenApi, OnlyHealthAndSigningInAreOpen) {
  Router router({});
  add_api_routes(&router, {});
  for (const auto& route : router.routes()) {
    const bool open = route->pattern == "/livez" || route->pattern == "/readyz" ||
                      route->pattern == "/api/v1/session" ||
                      route->pattern.starts_with("/api/v1/session/oidc/");
    EXPECT_EQ(route->access == kPublic, open) << route->pattern;
  }
}

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// SHOWCALLER_REWRITE=1 writes the page; read the difference before it is committed.
TEST(Metrics, ThePageIsPrintedFromTheTable) {
  const std::string path = std::string(SHOWCALLER_SOURCE_DIR) + "/docs/metrics.md";
  const auto page = metrics_page(kMetricTable);
  if (std::getenv("SHOWCALLER_REWRITE") != nullptr) std::ofstream(path) << page;
  EXPECT_EQ(read_file(path), page);
}

TEST(Metrics, TextIsExact) {
  constexpr MetricRow kRows[] = {{"b_requests", SeriesType::Counter, "Requests.", "path"},
                                 {"a_level", SeriesType::Gauge, "A \"level\".", ""},
                                 {"c_seconds", SeriesType::Histogram, "Time.", ""}};
  MetricsRegistry registry(kRows);
  registry.counter("b_requests", {"/a\"b\n"}).add(3);
  registry.histogram("c_seconds").observe(0.003);
  registry.histogram("c_seconds").observe(20);
  const int scrape = registry.on_scrape([](MetricsRegistry& r) { r.gauge("a_level").set(1.5); });
  const auto text = registry.text(false);
  EXPECT_TRUE(
      text.starts_with("# HELP a_level A \\\"level\\\".\n# TYPE a_level gauge\na_level 1.5\n"
                       "# HELP b_requests_total Requests.\n# TYPE b_requests_total counter\n"
                       "b_requests_total{path=\"/a\\\"b\\n\"} 3\n"))
      << text;
  EXPECT_NE(text.find("c_seconds_bucket{le=\"0.0025\"} 0\nc_seconds_bucket{le=\"0.005\"} 1\n"),
            text.npos);
  EXPECT_TRUE(
      text.ends_with("c_seconds_bucket{le=\"+Inf\"} 2\nc_seconds_sum 20.003\nc_seconds_count 2\n"))
      << text;
  registry.end_scrape(scrape);
  registry.gauge("a_level").set(2);
  EXPECT_NE(registry.text(true).find("a_level 2\n"), std::string::npos);
  EXPECT_NE(registry.text(true).find("# TYPE b_requests counter\n"), std::string::npos);
}

TEST(Metrics, LabelsAreBounded) {
  constexpr MetricRow kRows[] = {{"x", SeriesType::Counter, "X.", "id"}};
  MetricsRegistry registry(kRows);
  for (std::size_t i = 0; i < MetricsRegistry::kChildrenMax + 500; ++i)
    registry.counter("x", {std::to_string(i)}).add();
  EXPECT_EQ(registry.counter("x", {"other"}).value(), 500u);
}

TEST(Trace, ReadsOnlyWhatTheStandardAllows) {
  const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
  ASSERT_TRUE(parse_traceparent(good));
  EXPECT_FALSE(parse_traceparent(good)->sampled);
  EXPECT_EQ(parse_traceparent(good)->parent_id, "b7ad6b7169203331");
  EXPECT_TRUE(parse_traceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"));
  for (const auto& bad :
       {std::string(), good + "-more", "ff" + good.substr(2), "0x" + good.substr(2),
        std::string("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
        std::string("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"),
        std::string("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")}) {
    EXPECT_FALSE(parse_traceparent(bad)) << bad;
  }
  const auto made = continue_trace({{"traceparent", "nonsense"}, {"tracestate", "a=1"}});
  EXPECT_TRUE(parse_traceparent(made.traceparent()));
  EXPECT_FALSE(made.sampled) << "nobody asked to have it recorded";
  EXPECT_EQ(made.state, "") << "a state without its trace is nobody's";
  EXPECT_EQ(made.callers_traceparent(), "");
  EXPECT_NE(made.trace_id, continue_trace({}).trace_id);
  const auto continued =
      continue_trace({{"traceparent", good}, {"tracestate", "a=1"}, {"TraceState", "b@c=2, d=3"}});
  EXPECT_EQ(continued.trace_id, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(continued.callers_traceparent(), good);
  EXPECT_EQ(continued.state, "a=1,b@c=2, d=3");
  EXPECT_EQ(continue_trace({{"traceparent", good}, {"traceparent", good}}).parent_id, "");
}

TEST(LogLine, IsOneLineOfJson) {
  EXPECT_EQ(format_log_line(LogFormat::Json, LogLevel::Warning, instant_ms(1'500), "a\nb",
                            {"t1", "s1"}, {{"n", 0.5}, {"s", "\""}}),
            "{\"time\":\"1970-01-01T00:00:01.500Z\",\"level\":\"warning\",\"message\":\"a\\nb\","
            "\"trace_id\":\"t1\",\"span_id\":\"s1\",\"n\":0.5,"
            "\"s\":\"\\\"\"}\n");
  EXPECT_EQ(format_log_line(LogFormat::Text, LogLevel::Warning, instant_ms(1'500), "all is well",
                            {"t1", ""}, {{"n", 0.5}, {"who", "ann"}, {"why", "a b"}}),
            "1970-01-01T00:00:01.500Z warning all is well trace_id=t1 n=0.5 who=ann why=\"a b\"\n");
}

// A player's name in a message must not paint the screen of who reads the log.
TEST(LogLine, OfTextMovesNoCursor) {
  EXPECT_EQ(format_log_line(LogFormat::Text, LogLevel::Info, instant_ms(0), "a\nb\x1b[2J\xc2\x9b",
                            {}, {{"name", "x\r\x7f"}, {"bad", json::array{"\x1b"}}}),
            "1970-01-01T00:00:00Z info    a\\u000ab\\u001b[2J\\u009b name=\"x\\r\\u007f\" "
            "bad=[\"\\u001b\"]\n");
  EXPECT_EQ(parse_log_level("error"), LogLevel::Error);
  EXPECT_EQ(parse_log_level("loud"), std::nullopt);
}

TEST(Negotiation, AcceptHeadersAreRead) {
  EXPECT_TRUE(accepts("", "application/json"));
  EXPECT_TRUE(accepts("text/html, application/*;q=0.5", "application/json"));
  EXPECT_TRUE(accepts("APPLICATION/JSON", "application/json"));
  EXPECT_FALSE(accepts("text/html", "application/json"));
  EXPECT_FALSE(accepts("application/json;q=0", "application/json"));
  EXPECT_TRUE(accepts("application/json;q=0.001", "application/json"));
}

TEST(Negotiation, BearerTokensAreFound) {
  EXPECT_EQ(token_of({{"authorization", "bearer  abc "}}), "abc");
  EXPECT_EQ(token_of({{"Authorization", "Basic abc"}}), "");
  EXPECT_EQ(token_of({}), "");
  EXPECT_EQ(token_of({{"X-API-Key", "abc"}}), "abc");  // the other scheme of OFREP
  EXPECT_EQ(token_of({{"X-API-Key", "abc"}, {"Authorization", "Bearer def"}}), "def");
}

}  // namespace
}  // namespace showcaller
