// SPDX-License-Identifier: Apache-2.0
// The parser without sockets: tables of messages and the status each deserves, and the law of split
// points.
#include "net/http_parser.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "net/http_message.h"

namespace showcaller {
namespace {

struct Outcome {
  int status = 0;  // 0: a request came
  std::string method, path, body, headers;
  std::size_t left = 0;

  friend bool operator==(const Outcome&, const Outcome&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Outcome& o) {
    return out << o.status << ' ' << o.method << ' ' << o.path << " [" << o.body << "] "
               << o.headers << " left " << o.left;
  }
};

const HttpParserLimits kLimits{
    .target_bytes = 64, .header_bytes = 512, .header_count = 8, .body_bytes = 64};

// Feeds `bytes` as a connection would, new bytes arriving at each cut. Status -1: more is needed.
Outcome parse(std::string_view bytes, const std::vector<std::size_t>& cuts = {}) {
  HttpRequestParser parser(kLimits);
  std::string pending;
  std::size_t at = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t to = i < cuts.size() ? cuts[i] : bytes.size();
    if (to < at) continue;
    pending += bytes.substr(at, to - at);
    at = to;
    while (true) {
      std::size_t consumed = 0;
      const auto progress = parser.feed(pending, &consumed);
      pending.erase(0, consumed);
      if (progress == ParseProgress::NeedMore) break;
      if (progress == ParseProgress::Failed) return {.status = parser.failure().status};
      if (progress == ParseProgress::HeaderDone) continue;
      const auto& request = parser.request();
      Outcome outcome{
          0, request.method, request.path, request.body, "", pending.size() + bytes.size() - at};
      for (std::size_t h = 0; h < request.headers.size(); ++h) {
        outcome.headers += std::string(request.headers.name(h)) + "=" +
                           std::string(request.headers.value(h)) + ";";
      }
      return outcome;
    }
  }
  return {.status = -1};
}

std::string get(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}
std::string post(std::string_view rest) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(rest);
}

struct Case {
  std::string name;
  std::string bytes;
  int status;
};

std::vector<Case> cases() {
  return {
      {"simple", get(""), 0},
      {"empty_line_first", "\r\n" + get(""), 0},
      {"http_1_0_without_host", "GET / HTTP/1.0\r\n\r\n", 0},
      {"absolute_form", "GET http://h/x?y=1 HTTP/1.1\r\nHost: h\r\n\r\n", 0},
      {"options_star", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 0},
      {"body", post("Content-Length: 3\r\n\r\nabc"), 0},
      {"chunked", post("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), 0},
      {"chunked_empty", post("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 0},
      {"chunked_empty_long", post("Transfer-Encoding: chunked\r\n\r\n00\r\n\r\n"), 0},
      {"chunk_extension", post("Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n"), 0},
      {"header_unfinished", "GET / HTTP/1.1\r\nHost: a\r\n", -1},
      {"body_unfinished", post("Content-Length: 3\r\n\r\nab"), -1},
      {"no_host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two_hosts", get("Host: b\r\n"), 400},
      {"garbage", "\x16\x03\x01 hello\r\n", 400},
      {"no_version", "GET /\r\n", 400},
      {"bare_line_feed", "GET / HTTP/1.1\nHost: a\n\n", 400},
      {"space_before_colon", get("Name : x\r\n"), 400},
      {"space_in_target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"broken_escape", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"nul_in_target", "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"length_and_coding",
       post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
      {"coding_and_length",
       post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"), 400},
      {"two_lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), 400},
      {"two_equal_lengths", post("Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"), 400},
      {"list_of_lengths", post("Content-Length: 3, 3\r\n\r\nabc"), 400},
      {"signed_length", post("Content-Length: +3\r\n\r\nabc"), 400},
      {"length_no_number", post("Content-Length: x\r\n\r\nabc"), 400},
      {"huge_length", post("Content-Length: 99999999999999999999999\r\n\r\n"), 400},
      {"coding_twice",
       post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
      {"coding_in_http_1_0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"chunk_no_number", post("Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n"), 400},
      {"chunk_too_short", post("Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n"), 400},
      {"body_over_limit", post("Content-Length: 65\r\n\r\n"), 413},
      {"chunks_in_a_row",
       post("Transfer-Encoding: chunked\r\n\r\n3 ; a=\"b\"\r\nabc\r\nA\r\n0123456789\r\n0\r\n"
            "X: y\r\n\r\n"),
       0},
      {"chunk_quote_over_a_line",
       post("Transfer-Encoding: chunked\r\n\r\n1;x=\"a\r\nb\r\n0;y=\"\r\n\r\n"), 0},
      {"chunk_bare_line_feed", post("Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n"), 400},
      {"chunk_bare_return", post("Transfer-Encoding: chunked\r\n\r\n3\r\rabc\r\n0\r\n\r\n"), 400},
      {"chunk_size_and_more", post("Transfer-Encoding: chunked\r\n\r\n3 3\r\nabc"), 400},
      {"chunk_size_of_17_digits",
       post("Transfer-Encoding: chunked\r\n\r\n00000000000000003\r\nabc"), 400},
      {"chunk_size_at_its_most", post("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc"),
       413},
      {"chunks_over_limit", post("Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n40\r\n"), 413},
      {"chunk_extension_without_end",
       post("Transfer-Encoding: chunked\r\n\r\n3;" + std::string(5'000, 'x')), 400},
      {"trailer_that_is_none", post("Transfer-Encoding: chunked\r\n\r\n0\r\nxyz\r\n\r\n"), 400},
      {"trailers_over_limit",
       post("Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(300, 'x') +
            "\r\nY: " + std::string(300, 'x') + "\r\n\r\n"),
       431},
      {"chunk_over_limit", post("Transfer-Encoding: chunked\r\n\r\n41\r\n"), 413},
      {"target_over_limit", "GET /" + std::string(64, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"target_without_end", "GET /" + std::string(200, 'a'), 414},
      {"fields_over_limit", get("X: " + std::string(600, 'x') + "\r\n"), 431},
      {"fields_without_end", "GET / HTTP/1.1\r\nX: " + std::string(600, 'x'), 431},
      {"too_many_fields", get("A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\nF: 1\r\nG: 1\r\nH: 1\r\n"),
       431},
      {"unknown_method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"unknown_coding", post("Transfer-Encoding: gzip, chunked\r\n\r\n"), 501},
      {"bad_host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"host_with_a_path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"star_without_options", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"not_utf8", "GET /%ff HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"http_2", "PRI * HTTP/2.0\r\n\r\n", 505},
  };
}

TEST(HttpParser, EachMessageDeservesItsStatus) {
  for (const auto& c : cases()) EXPECT_EQ(parse(c.bytes).status, c.status) << c.name;
}

TEST(HttpParser, EveryCutGivesTheSameOutcome) {
  for (const auto& c : cases()) {
    const auto whole = parse(c.bytes);
    for (std::size_t cut = 0; cut <= c.bytes.size(); ++cut)
      EXPECT_EQ(parse(c.bytes, {cut}), whole) << c.name << cut;
    std::vector<std::size_t> each;
    for (std::size_t cut = 1; cut < c.bytes.size(); ++cut) each.push_back(cut);
    EXPECT_EQ(parse(c.bytes, each), whole) << c.name << " byte by byte";
  }
}

RC_GTEST_PROP(HttpParser, CutsAndNoiseNeverChangeTheOutcome, ()) {
  const auto all = cases();
  auto bytes = all[*rc::gen::inRange<std::size_t>(0, all.size())].bytes;
  const auto noise = *rc::gen::container<std::vector<std::pair<std::size_t, char>>>(
      *rc::gen::inRange(0, 3),
      rc::gen::pair(rc::gen::arbitrary<std::size_t>(), rc::gen::arbitrary<char>()));
  for (const auto& [at, c] : noise) bytes[at % bytes.size()] = c;
  auto cuts =
      *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, bytes.size()));
  std::sort(cuts.begin(), cuts.end());
  RC_ASSERT(parse(bytes, cuts) == parse(bytes));
}

TEST(HttpParser, TrailersAreNotHeaders) {
  const auto outcome =
      parse(post("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nAuthorization: x\r\n\r\n"));
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.headers, "Host=a;Transfer-Encoding=chunked;");
}

TEST(HttpParser, LeavesThePipelinedRequestAlone) {
  const auto outcome = parse(post("Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n"));
  EXPECT_EQ(outcome.body, "abc");
  EXPECT_EQ(outcome.left, 16u);
}

TEST(HttpParser, DecodesTargets) {
  HttpRequest request;
  request.target = "/a%20b/c%2Fd?x=1&y=a+b%26&flag&=z";
  ASSERT_TRUE(split_target(&request));
  EXPECT_EQ(request.path, "/a b/c/d");
  EXPECT_EQ(request.raw_path(), "/a%20b/c%2Fd");
  EXPECT_EQ(request.query_value("y"), "a b&");
  EXPECT_EQ(request.query_value("flag"), "");
  EXPECT_EQ(request.query_value("none"), std::nullopt);
}

TEST(HttpParser, ReadsResponsesToTheEnd) {
  HttpResponseParser parser({}, false);
  std::size_t consumed = 0;
  const std::string text = "HTTP/1.0 200 OK\r\nA: b\r\n\r\nhello";
  EXPECT_EQ(parser.feed(text, &consumed), ParseProgress::HeaderDone);
  EXPECT_EQ(parser.feed(std::string_view(text).substr(consumed), &consumed),
            ParseProgress::NeedMore);
  EXPECT_EQ(parser.feed_end(), ParseProgress::Done);
  EXPECT_EQ(parser.take_body(), "hello");
}

TEST(HttpMessage, HeadersCompareWithoutCaseAndNeverSplitALine) {
  HttpHeaders headers{{"Content-Type", "a"}, {"X", "1"}};
  headers.add("x", "2\r\nEvil: y");
  EXPECT_EQ(headers.get("CONTENT-TYPE"), "a");
  EXPECT_EQ(headers.count("X"), 2u);
  std::string head;
  append_response_head(&head, 404, headers);
  EXPECT_EQ(head, "HTTP/1.1 404 Not Found\r\nContent-Type: a\r\nX: 1\r\nx: 2  Evil: y\r\n\r\n");
}

TEST(HttpMessage, DatesAreOfTheRfc) {
  EXPECT_EQ(format_http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(HttpMessage, ReadsUrls) {
  EXPECT_EQ(parse_url("https://h/base/")->port, 443);
  EXPECT_EQ(parse_url("https://h/base/")->path, "/base");
  EXPECT_EQ(parse_url("http://[::1]:80")->host, "::1");
  EXPECT_EQ(parse_url("unix:/a/b")->unix_path, "/a/b");
  for (const auto* bad :
       {"", "h:80", "http://", "http://h:x", "http://h:99999", "http://a@b", "unix:"}) {
    EXPECT_FALSE(parse_url(bad)) << bad;
  }
}

}  // namespace
}  // namespace showcaller
