// SPDX-License-Identifier: Apache-2.0
// Golden exchanges of the OpenFeature Remote Evaluation Protocol.
#include "codec/ofrep.h"

#include <string>

#include <gtest/gtest.h>

namespace showcaller {
namespace {

constexpr Instant kNow = instant_ms(1'760'000'000'000);

FlagSet flags() {
  return *FlagSet::parse(R"({"metadata":{"set":"raid"},"flags":{
    "door":{"state":"ENABLED","variants":{"open":true,"shut":false},"defaultVariant":"shut",
      "metadata":{"visibility":"client"},"targeting":{"if":[{"==":[{"var":"group"},"staff"]},"open",null]}},
    "level":{"state":"ENABLED","variants":{"high":42,"low":0.5},"defaultVariant":"high"},
    "code-default":{"state":"ENABLED","variants":{"a":"x"}},
    "disabled":{"state":"DISABLED","variants":{"a":"x"},"defaultVariant":"a"},
    "broken":{"state":"ENABLED","variants":{"a":"x"},"defaultVariant":"a","targeting":{"sqrt":[1]}},
    "lost":{"state":"ENABLED","variants":{"a":"x"},"defaultVariant":"a","targeting":{"if":[true,"gone"]}},
    "odd/key ü":{"state":"ENABLED","variants":{"a":{"n":[1]}},"defaultVariant":"a"}}})");
}

std::string ask(std::string_view path, std::string_view body, std::string_view method = "POST",
                const OfrepOptions& options = {}, std::string_view if_none_match = "") {
  const OfrepReply reply =
      answer_ofrep({.method = method, .path = path, .if_none_match = if_none_match, .body = body},
                   flags(), kNow, options);
  return std::to_string(reply.status) + " " + reply.body;
}

std::string one(std::string_view key, std::string_view body = "{}") {
  return ask("/ofrep/v1/evaluate/flags/" + std::string(key), body);
}

TEST(Ofrep, OneFlag) {
  EXPECT_EQ(
      one("door", R"({"context":{"targetingKey":"p","group":"staff"}})"),
      R"(200 {"key":"door","reason":"TARGETING_MATCH","value":true,"variant":"open","metadata":{"set":"raid","visibility":"client"}})");
  EXPECT_EQ(
      one("door"),
      R"(200 {"key":"door","reason":"DEFAULT","value":false,"variant":"shut","metadata":{"set":"raid","visibility":"client"}})");
  EXPECT_EQ(
      one("level"),
      R"(200 {"key":"level","reason":"STATIC","value":42,"variant":"high","metadata":{"set":"raid"}})");
  EXPECT_EQ(
      one("odd/key ü"),
      R"(200 {"key":"odd/key ü","reason":"STATIC","value":{"n":[1]},"variant":"a","metadata":{"set":"raid"}})");
}

TEST(Ofrep, ValuesLeftToTheCaller) {
  EXPECT_EQ(one("code-default"),
            R"(200 {"key":"code-default","reason":"DEFAULT","metadata":{"set":"raid"}})");
  EXPECT_EQ(one("disabled"),
            R"(200 {"key":"disabled","reason":"DISABLED","metadata":{"set":"raid"}})");
}

TEST(Ofrep, Errors) {
  EXPECT_EQ(
      one("absent"),
      R"(404 {"key":"absent","errorCode":"FLAG_NOT_FOUND","errorDetails":"flag 'absent': there is no such flag","metadata":{"set":"raid"}})");
  EXPECT_EQ(
      one("broken"),
      R"(400 {"key":"broken","errorCode":"PARSE_ERROR","errorDetails":"flag 'broken': the flag's targeting cannot be understood","metadata":{"set":"raid"}})");
  EXPECT_EQ(
      one("lost"),
      R"(400 {"key":"lost","errorCode":"GENERAL","errorDetails":"flag 'lost': the flag's targeting gives no variant of it","metadata":{"set":"raid"}})");
  EXPECT_EQ(
      one("door", R"({"context":[1]})"),
      R"(400 {"key":"door","errorCode":"INVALID_CONTEXT","errorDetails":"`context` is not an object of attributes"})");
  EXPECT_TRUE(one("door", "{").starts_with(R"(400 {"key":"door","errorCode":"INVALID_CONTEXT")"));
  EXPECT_TRUE(one("door", "[1]").starts_with(R"(400 {"key":"door","errorCode":"INVALID_CONTEXT")"));
}

TEST(Ofrep, NoContextIsAContext) {
  for (const char* body :
       {"", " \n", "{}", R"({"context":null})", R"({"context":{}})", R"({"other":1})"}) {
    EXPECT_TRUE(one("door", body).starts_with("200 ")) << body;
  }
}

TEST(Ofrep, AllFlags) {
  EXPECT_EQ(
      ask("/ofrep/v1/evaluate/flags", R"({"context":{"group":"staff"}})"),
      R"(200 {"flags":[{"key":"door","reason":"TARGETING_MATCH","value":true,"variant":"open","metadata":{"set":"raid","visibility":"client"}},)"
      R"({"key":"level","reason":"STATIC","value":42,"variant":"high","metadata":{"set":"raid"}},)"
      R"({"key":"code-default","reason":"DEFAULT","metadata":{"set":"raid"}},)"
      R"({"key":"disabled","reason":"DISABLED","metadata":{"set":"raid"}},)"
      R"({"key":"broken","errorCode":"PARSE_ERROR","errorDetails":"flag 'broken': the flag's targeting cannot be understood","metadata":{"set":"raid"}},)"
      R"({"key":"lost","errorCode":"GENERAL","errorDetails":"flag 'lost': the flag's targeting gives no variant of it","metadata":{"set":"raid"}},)"
      R"({"key":"odd/key ü","reason":"STATIC","value":{"n":[1]},"variant":"a","metadata":{"set":"raid"}}],"metadata":{"set":"raid"}})");
  EXPECT_EQ(
      ask("/ofrep/v1/evaluate/flags", R"({"context":7})"),
      R"(400 {"errorCode":"INVALID_CONTEXT","errorDetails":"`context` is not an object of attributes"})");
}

TEST(Ofrep, UnchangedAnswersAreNotSentAgain) {
  const auto bulk = [](std::string_view body, std::string_view if_none_match) {
    return answer_ofrep({.method = "POST",
                         .path = "/ofrep/v1/evaluate/flags",
                         .if_none_match = if_none_match,
                         .body = body},
                        flags(), kNow);
  };
  const OfrepReply first = bulk("{}", "");
  ASSERT_EQ(first.status, 200);
  ASSERT_EQ(first.etag.size(), 18u);
  for (const std::string& header :
       {first.etag, "W/" + first.etag, "\"x\", " + first.etag + " ", std::string("*")}) {
    const OfrepReply again = bulk("{}", header);
    EXPECT_EQ(again.status, 304) << header;
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(again.etag, first.etag);
  }
  EXPECT_EQ(bulk("{}", "\"other\"").status, 200);
  // Another context, another answer, another tag.
  EXPECT_EQ(bulk(R"({"context":{"group":"staff"}})", first.etag).status, 200);
}

TEST(Ofrep, PathsAndMethods) {
  EXPECT_EQ(
      ask("/ofrep/v1/evaluate/flags/", "{}"),
      R"(404 {"key":"","errorCode":"FLAG_NOT_FOUND","errorDetails":"the flag's key is missing; POST /ofrep/v1/evaluate/flags evaluates all"})");
  EXPECT_TRUE(ask("/ofrep/v1/evaluate/flags", "", "GET").starts_with("405 "));
  EXPECT_TRUE(ask("/ofrep/v1/evaluate/flagship", "{}").starts_with("404 "));
  EXPECT_TRUE(ask("/ofrep/v1/other", "{}").starts_with("404 "));
  EXPECT_EQ(
      ask("/ofrep/v1/configuration", "", "GET"),
      R"(200 {"name":"showcaller","capabilities":{"cacheInvalidation":{"polling":{"enabled":true,"minPollingIntervalMs":5000}},)"
      R"("flagEvaluation":{"supportedTypes":["int","float","string","boolean","object"]},"caching":{"enabled":false}}})");
  EXPECT_TRUE(ask("/ofrep/v1/configuration", "", "POST").starts_with("405 "));
}

TEST(Ofrep, WhatAClientReads) {
  const auto ok = decode_ofrep_result(
      200, R"({"key":"k","value":5,"variant":"v","reason":"STATIC","metadata":{"a":1}})");
  ASSERT_TRUE(ok);
  EXPECT_EQ(ok->value, json::value(5));
  EXPECT_EQ(ok->error, FlagError::None);
  const auto code_default = decode_ofrep_result(200, R"({"key":"k","reason":"DISABLED"})");
  ASSERT_TRUE(code_default);
  EXPECT_FALSE(code_default->value);
  const auto missing = decode_ofrep_result(404, R"({"key":"k","errorCode":"FLAG_NOT_FOUND"})");
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->error, FlagError::FlagNotFound);
  EXPECT_EQ(missing->reason, "ERROR");
  EXPECT_EQ(decode_ofrep_result(500, R"({"errorDetails":"boom"})")->error, FlagError::General);
  EXPECT_FALSE(decode_ofrep_result(200, "<html>"));
  EXPECT_EQ(encode_ofrep_request({{"targetingKey", "p"}}), R"({"context":{"targetingKey":"p"}})");
}

}  // namespace
}  // namespace showcaller
