// SPDX-License-Identifier: Apache-2.0
// JSONLogic operation by operation, with JavaScript's conversions.
#include "flag/logic.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/json.h"

namespace showcaller {
namespace {

struct Row {
  const char* rule;
  const char* data;
  const char* result;
};

std::string outcome(const char* rule, const char* data) {
  auto parsed_rule = parse_json(rule);
  auto parsed_data = parse_json(data);
  if (!parsed_rule || !parsed_data) return "bad test row";
  const auto logic = Logic::compile(*std::move(parsed_rule));
  if (!logic) return "refused";
  const auto result = logic->apply(*parsed_data);
  return result ? to_canonical_json_text(*result) : "failed";
}

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const auto wanted = parse_json(row.result);
    EXPECT_EQ(outcome(row.rule, row.data), wanted ? to_canonical_json_text(*wanted) : row.result)
        << row.rule << " over " << row.data;
  }
}

TEST(Logic, DataIsItsOwnResult) {
  check({{"true", "{}", "true"},
         {"17", "{}", "17"},
         {"3.5", "{}", "3.5"},
         {"\"pear\"", "{}", "\"pear\""},
         {"null", "{}", "null"},
         {"[\"a\",\"b\"]", "{}", "[\"a\",\"b\"]"},
         {"{}", "null", "{}"},
         {R"({"a":1,"b":2})", "null", R"({"a":1,"b":2})"},
         {R"([1,{"var":"x"},[{"var":"x"}]])", R"({"x":2})", "[1,2,[2]]"}});
}

TEST(Logic, Equality) {
  check({{R"({"==":[1,1]})", "{}", "true"},
         {R"({"==":[1,"1"]})", "{}", "true"},
         {R"({"==":[1,2]})", "{}", "false"},
         {R"({"==":[0,false]})", "{}", "true"},
         {R"({"==":["",0]})", "{}", "true"},
         {R"({"==":[" 7\n",7]})", "{}", "true"},
         {R"({"==":["0x1F",31]})", "{}", "true"},
         {R"({"==":["1e2",100]})", "{}", "true"},
         {R"({"==":[null,0]})", "{}", "false"},
         {R"({"==":[null,null]})", "{}", "true"},
         {R"({"==":[null,false]})", "{}", "false"},
         {R"({"==":[null,{"var":"x"}]})", "{}", "true"},
         {R"({"==":["1","01"]})", "{}", "false"},
         {R"({"==":[true,"1"]})", "{}", "true"},
         {R"({"==":[true,"true"]})", "{}", "false"},
         {R"({"==":[[1],1]})", "{}", "true"},
         {R"({"==":[[1,2],"1,2"]})", "{}", "true"},
         {R"({"==":[[],""]})", "{}", "true"},
         {R"({"==":[[],0]})", "{}", "true"},
         {R"({"==":[[1],[1]]})", "{}", "false"},
         {R"({"==":[{"var":"a"},{"var":"a"}]})", R"({"a":[1]})", "true"},
         {R"({"==":[{"var":"a"},"[object Object]"]})", R"({"a":{"b":1}})", "true"},
         {R"({"==":["nan","nan"]})", "{}", "true"},
         {R"({"==":["inf",{"/":[1,0]}]})", "{}", "false"},
         {R"({"==":["Infinity",{"/":[1,0]}]})", "{}", "true"},
         {R"({"===":[1,1]})", "{}", "true"},
         {R"({"===":[1,"1"]})", "{}", "false"},
         {R"({"===":[1,1.0]})", "{}", "true"},
         {R"({"===":[null,null]})", "{}", "true"},
         {R"({"!=":[1,2]})", "{}", "true"},
         {R"({"!=":[1,"1"]})", "{}", "false"},
         {R"({"!==":[1,"1"]})", "{}", "true"},
         {R"({"!==":[1,1]})", "{}", "false"},
         {R"({"==":[1]})", "{}", "false"},
         {R"({"==":[null]})", "{}", "true"}});
}

TEST(Logic, Order) {
  check({{R"({">":[2,1]})", "{}", "true"},
         {R"({">":[1,1]})", "{}", "false"},
         {R"({">":["2",1]})", "{}", "true"},
         {R"({">=":[1,1]})", "{}", "true"},
         {R"({">=":[1,2]})", "{}", "false"},
         {R"({"<":[2,1]})", "{}", "false"},
         {R"({"<":["1",2]})", "{}", "true"},
         {R"({"<":[1,2,3]})", "{}", "true"},
         {R"({"<":[1,1,3]})", "{}", "false"},
         {R"({"<":[1,4,3]})", "{}", "false"},
         {R"({"<=":[1,1,3]})", "{}", "true"},
         {R"({"<=":[1,4,3]})", "{}", "false"},
         {R"({"<":["10","9"]})", "{}", "true"},
         {R"({"<":["10",9]})", "{}", "false"},
         {R"({"<":["apple","pear"]})", "{}", "true"},
         {R"({"<":["apple",1]})", "{}", "false"},
         {R"({">":["apple",1]})", "{}", "false"},
         {R"({"<":[null,1]})", "{}", "true"},
         {R"({">=":[null,0]})", "{}", "true"},
         {R"({"<":[{"var":"x"},1]})", "{}", "true"},
         {R"({"<":[false,true]})", "{}", "true"},
         {R"({"<":[[1],2]})", "{}", "true"}});
}

TEST(Logic, TruthAndChoice) {
  check({{R"({"!":[false]})", "{}", "true"},
         {R"({"!":true})", "{}", "false"},
         {R"({"!":0})", "{}", "true"},
         {R"({"!":[[]]})", "{}", "true"},
         {R"({"!":[]})", "{}", "true"},
         {R"({"!!":["0"]})", "{}", "true"},
         {R"({"!!":[""]})", "{}", "false"},
         {R"({"!!":[[0]]})", "{}", "true"},
         {R"({"!!":[{"var":"o"}]})", R"({"o":{}})", "true"},
         {R"({"!!":[{"-":["x",1]}]})", "{}", "false"},
         {R"({"and":[1,3]})", "{}", "3"},
         {R"({"and":[3,false]})", "{}", "false"},
         {R"({"and":["",3]})", "{}", "\"\""},
         {R"({"and":[[],true]})", "{}", "[]"},
         {R"({"or":[1,3]})", "{}", "1"},
         {R"({"or":[0,[],"last"]})", "{}", "\"last\""},
         {R"({"or":[false,0]})", "{}", "0"},
         {R"({"if":[]})", "null", "null"},
         {R"({"if":[true]})", "null", "true"},
         {R"({"if":["pear"]})", "null", "\"pear\""},
         {R"({"if":[false,"a"]})", "null", "null"},
         {R"({"if":[true,"a","b"]})", "null", "\"a\""},
         {R"({"if":[[],"a","b"]})", "null", "\"b\""},
         {R"({"if":["0","a","b"]})", "null", "\"a\""},
         {R"({"if":[0,"a",0,"b","c"]})", "null", "\"c\""},
         {R"({"if":[0,"a",1,"b","c"]})", "null", "\"b\""},
         {R"({"if":[0,"a",0,"b",0,"c"]})", "null", "null"},
         {R"({"?:":[{">":[3,1]},"yes","no"]})", "{}", "\"yes\""},
         {R"({"if":[{"missing":"a"},"missed","found"]})", R"({"a":1})", "\"found\""},
         {R"({"log":["note"]})", "{}", "\"note\""}});
}

TEST(Logic, Arithmetic) {
  check({{R"({"+":[1,2]})", "{}", "3"},
         {R"({"+":[]})", "{}", "0"},
         {R"({"+":["1",1]})", "{}", "2"},
         {R"({"+":"3.5 apples"})", "{}", "3.5"},
         {R"({"+":[null,1]})", "{}", "null"},
         {R"({"+":[true,1]})", "{}", "null"},
         {R"({"+":[[3],1]})", "{}", "4"},
         {R"({"+":["0x10"]})", "{}", "0"},
         {R"({"*":[2,2,2]})", "{}", "8"},
         {R"({"*":["3"]})", "{}", "\"3\""},
         {R"({"*":["3",2]})", "{}", "6"},
         {R"({"-":[2,3]})", "{}", "-1"},
         {R"({"-":[3]})", "{}", "-3"},
         {R"({"-":["1",1]})", "{}", "0"},
         {R"({"-":[null,1]})", "{}", "-1"},
         {R"({"-":["x",1]})", "{}", "null"},
         {R"({"/":[2,4]})", "{}", "0.5"},
         {R"({"/":[1,0]})", "{}", "null"},
         {R"({"%":[7,4]})", "{}", "3"},
         {R"({"%":[-7,4]})", "{}", "-3"},
         {R"({"%":[1.5,1]})", "{}", "0.5"},
         {R"({"max":[1,3,2]})", "{}", "3"},
         {R"({"max":["5",2]})", "{}", "5"},
         {R"({"min":[3,1,2]})", "{}", "1"},
         {R"({"min":[1,"x"]})", "{}", "null"},
         {R"({"max":[]})", "{}", "null"},
         {R"({"min":{"var":"n"}})", R"({"n":4})", "4"}});
}

TEST(Logic, Text) {
  check({{R"({"cat":"ice"})", "{}", "\"ice\""},
         {R"({"cat":["ice","cream"]})", "{}", "\"icecream\""},
         {R"({"cat":[1,2]})", "{}", "\"12\""},
         {R"({"cat":["a",null,true,1.5,[1,[2,null,3]]]})", "{}", "\"atrue1.51,2,,3\""},
         {R"({"cat":[1e21," ",0.000001," ",1e-7," ",-0.5," ",1e20]})", "{}",
          "\"1e+21 0.000001 1e-7 -0.5 100000000000000000000\""},
         {R"({"cat":["a","b","c","d","e","f","g","h","i",9]})", "{}", "\"abcdefghi9\""},
         {R"({"cat":[]})", "{}", "\"\""},
         {R"({"in":["Spring","Springfield"]})", "{}", "true"},
         {R"({"in":["i","team"]})", "{}", "false"},
         {R"({"in":["",""]})", "{}", "false"},
         {R"({"in":["","x"]})", "{}", "true"},
         {R"({"in":[1,"x1"]})", "{}", "true"},
         {R"({"in":["Ann",["Bob","Ann"]]})", "{}", "true"},
         {R"({"in":["1",[1]]})", "{}", "false"},
         {R"({"in":["x",null]})", "{}", "false"},
         {R"({"in":["x",{"var":"o"}]})", R"({"o":{"x":1}})", "false"},
         {R"({"substr":["jsonlogic",4]})", "null", "\"logic\""},
         {R"({"substr":["jsonlogic",-5]})", "null", "\"logic\""},
         {R"({"substr":["jsonlogic",0,1]})", "null", "\"j\""},
         {R"({"substr":["jsonlogic",-1,1]})", "null", "\"c\""},
         {R"({"substr":["jsonlogic",4,5]})", "null", "\"logic\""},
         {R"({"substr":["jsonlogic",-5,5]})", "null", "\"logic\""},
         {R"({"substr":["jsonlogic",-5,-2]})", "null", "\"log\""},
         {R"({"substr":["jsonlogic",1,-5]})", "null", "\"son\""},
         {R"({"substr":["jsonlogic",99]})", "null", "\"\""},
         {R"({"substr":["jsonlogic",-99,2]})", "null", "\"js\""},
         {R"({"substr":[12345,1,2]})", "null", "\"23\""},
         {"{\"substr\":[\"h\xC3\xA9llo \xE2\x82\xAC\",1,4]}", "null", "\"\xC3\xA9llo\""},
         {"{\"substr\":[\"a\xF0\x9F\x98\x80z\",3]}", "null", "\"z\""},
         {"{\"substr\":[\"a\xF0\x9F\x98\x80z\",1,2]}", "null", "\"\xF0\x9F\x98\x80\""}});
}

TEST(Logic, Variables) {
  check({{R"({"var":["a"]})", R"({"a":1})", "1"},
         {R"({"var":"b"})", R"({"a":1})", "null"},
         {R"({"var":["b",2]})", R"({"a":1})", "2"},
         {R"({"var":["a",2]})", R"({"a":null})", "null"},
         {R"({"var":["a.b",2]})", R"({"a":null})", "2"},
         {R"({"var":"a.b"})", R"({"a":{"b":"c"}})", "\"c\""},
         {R"({"var":["a.q",9]})", R"({"a":{"b":"c"}})", "9"},
         {R"({"var":1})", R"(["apple","pear"])", "\"pear\""},
         {R"({"var":"1.1"})", R"(["apple",["pear","beer"]])", "\"beer\""},
         {R"({"var":"01"})", R"(["apple","pear"])", "null"},
         {R"({"var":"a.length"})", R"({"a":[1,2,3]})", "3"},
         {R"({"var":"a.1"})", R"({"a":"xyz"})", "\"y\""},
         {R"({"var":""})", "1", "1"},
         {R"({"var":null})", "1", "1"},
         {R"({"var":[]})", "1", "1"},
         {R"({"var":"a.b.c"})", "null", "null"},
         {R"({"var":[{"if":[true,"a.b"]}]})", R"({"a":{"b":7}})", "7"},
         {R"({"var":["x",{"var":"y"}]})", R"({"y":5})", "5"},
         {R"({"missing":["a","b"]})", R"({"a":"x"})", R"(["b"])"},
         {R"({"missing":"a"})", "null", R"(["a"])"},
         {R"({"missing":["a"]})", R"({"a":""})", R"(["a"])"},
         {R"({"missing":["a"]})", R"({"a":0})", "[]"},
         {R"({"missing":[]})", "null", "[]"},
         {R"({"missing":["a.b","a.c"]})", R"({"a":{"b":1}})", R"(["a.c"])"},
         {R"({"missing":{"merge":["vin",{"if":[{"var":"f"},["apr"],[]]}]}})", R"({"f":true})",
          R"(["vin","apr"])"},
         {R"({"missing_some":[1,["a","b"]]})", R"({"a":1})", "[]"},
         {R"({"missing_some":[2,["a","b","c"]]})", R"({"a":1})", R"(["b","c"])"},
         {R"({"missing_some":[1,null]})", "{}", "failed"}});
}

TEST(Logic, Lists) {
  check({{R"({"merge":[]})", "null", "[]"},
         {R"({"merge":[[1,2],3,[[4]]]})", "null", "[1,2,3,[4]]"},
         {R"({"merge":1})", "null", "[1]"},
         {R"({"filter":[{"var":"n"},{">=":[{"var":""},2]}]})", R"({"n":[1,2,3]})", "[2,3]"},
         {R"({"filter":[{"var":"n"},{"%":[{"var":""},2]}]})", R"({"n":[1,2,3]})", "[1,3]"},
         {R"({"filter":[{"var":"absent"},true]})", "{}", "[]"},
         {R"({"map":[{"var":"n"},{"*":[{"var":""},2]}]})", R"({"n":[1,2,3]})", "[2,4,6]"},
         {R"({"map":[{"var":"n"},{"*":[{"var":""},2]}]})", "null", "[]"},
         {R"({"map":[{"var":"d"},{"var":"q"}]})", R"({"d":[{"q":1},{"q":2},{}]})", "[1,2,null]"},
         {R"({"map":[[1,2],{"var":"outer"}]})", R"({"outer":1})", "[null,null]"},
         {R"({"reduce":[{"var":"n"},{"+":[{"var":"current"},{"var":"accumulator"}]},0]})",
          R"({"n":[1,2,3,4]})", "10"},
         {R"({"reduce":[{"var":"n"},{"+":[{"var":"current"},{"var":"accumulator"}]},7]})", "null",
          "7"},
         {R"({"reduce":[{"var":"d"},{"+":[{"var":"accumulator"},{"var":"current.q"}]},0]})",
          R"({"d":[{"q":1},{"q":2}]})", "3"},
         {R"({"reduce":[[5],{"var":""},0]})", "{}", R"({"current":5,"accumulator":0})"},
         {R"({"reduce":[[1,2],[{"var":""}],0]})", "{}",
          R"([{"current":2,"accumulator":[{"current":1,"accumulator":0}]}])"},
         {R"({"all":[{"var":"n"},{">=":[{"var":""},1]}]})", R"({"n":[1,2]})", "true"},
         {R"({"all":[{"var":"n"},{">=":[{"var":""},2]}]})", R"({"n":[1,2]})", "false"},
         {R"({"all":[{"var":"n"},true]})", R"({"n":[]})", "false"},
         {R"({"some":[{"var":"n"},{"==":[{"var":""},2]}]})", R"({"n":[1,2]})", "true"},
         {R"({"some":[{"var":"n"},true]})", R"({"n":[]})", "false"},
         {R"({"none":[{"var":"n"},{"==":[{"var":""},3]}]})", R"({"n":[1,2]})", "true"},
         {R"({"none":[{"var":"n"},{"==":[{"var":""},2]}]})", R"({"n":[1,2]})", "false"},
         {R"({"none":[{"var":"n"},true]})", "{}", "true"},
         {R"({"some":[{"var":"items"},{"in":[{"var":"sku"},["apple","pear"]]}]})",
          R"({"items":[{"sku":"plum"},{"sku":"pear"}]})", "true"}});
}

TEST(Logic, WhatDoesNotCompileSaysWhere) {
  const auto refused = [](const char* rule) {
    const auto logic = Logic::compile(*parse_json(rule));
    return logic ? std::string("compiled") : logic.error().message;
  };
  EXPECT_EQ(refused(R"({"if":[true,{"sqrt":[4]}]})"), "/if/1/sqrt: there is no operation 'sqrt'");
  EXPECT_EQ(refused(R"({"and":[{"$ref":"a/b"}]})"),
            "/and/0/$ref: there is no evaluator \"a/b\"; define it under $evaluators");
  EXPECT_EQ(refused(R"({"map":[[1]]})"),
            "/map: the operation needs a list and what to do with each item");
}

TEST(Logic, DeepAndLargeRulesAreRefused) {
  std::string deep = "1";
  for (int i = 0; i < 70; ++i) deep = R"({"!":[)" + deep + "]}";
  const auto rule = parse_json(deep, {.depth_max = 400});
  ASSERT_TRUE(rule);
  const auto logic = Logic::compile(*rule);
  ASSERT_FALSE(logic);
  EXPECT_EQ(logic.error().code, ErrorCode::Limit);

  json::array many(30'000, json::value(json::object{{"var", "x"}}));
  const auto wide = Logic::compile(json::object{{"and", many}});
  ASSERT_FALSE(wide);
  EXPECT_EQ(wide.error().code, ErrorCode::Limit);
  // A long list of constants is not work.
  json::array words(100'000, json::value("word"));
  EXPECT_TRUE(Logic::compile(json::object{{"in", {json::object{{"var", "x"}}, words}}}));
}

// Evaluators that each use the one before twice: 2^40 nodes if spelled out.
TEST(Logic, ReferencesCannotExplode) {
  json::object evaluators;
  evaluators.emplace("e0", json::object{{"var", "x"}});
  for (int i = 1; i <= 40; ++i) {
    const json::value before = json::object{{"$ref", "e" + std::to_string(i - 1)}};
    evaluators.emplace("e" + std::to_string(i), json::object{{"and", {before, before}}});
  }
  const auto logic = Logic::compile(json::object{{"$ref", "e40"}}, evaluators);
  ASSERT_FALSE(logic);
  EXPECT_EQ(logic.error().code, ErrorCode::Limit);
}

TEST(Logic, ReferencesToOneselfAreRefused) {
  const auto logic = Logic::compile(
      *parse_json(R"({"$ref":"a"})"),
      parse_json(R"({"a":{"!":{"$ref":"b"}},"b":{"!":{"$ref":"a"}}})")->get_object());
  ASSERT_FALSE(logic);
  EXPECT_NE(logic.error().message.find("refers to itself"), std::string::npos);
}

// Each step doubles what it holds; shared parts make it cheap to hold and costly to print.
TEST(Logic, GrowthWithoutEndRunsOutOfBudget) {
  const char* numbers = R"({"n":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,
                            26,27,28,29,30,31,32,33,34,35,36,37,38,39,40]})";
  EXPECT_EQ(outcome(R"({"reduce":[{"var":"n"},
      {"cat":[{"var":"accumulator"},{"var":"accumulator"}]},"x"]})",
                    numbers),
            "failed");
  EXPECT_EQ(outcome(R"({"reduce":[{"var":"n"},
      {"merge":[{"var":"accumulator"},{"var":"accumulator"}]},[1]]})",
                    numbers),
            "failed");
  EXPECT_EQ(outcome(R"({"reduce":[{"var":"n"},
      [{"var":"accumulator"},{"var":"accumulator"}],1]})",
                    numbers),
            "failed");
  EXPECT_EQ(outcome(R"({"cat":[{"reduce":[{"var":"n"},
      [{"var":"accumulator"},{"var":"accumulator"}],1]}]})",
                    numbers),
            "failed");
}

TEST(Logic, TheContextIsReadLayerByLayer) {
  const json::value nested = {{"group", "staff"}};
  EvaluationContext global, client, call;
  global.set("region", "eu").set("tier", "free");
  client.set("tier", "paid").set("account", nested);
  client.set_parent(&global);
  call.set("level", 7.0).set("beta", true).set_targeting_key("p-1");
  call.set_parent(&client);
  const auto logic = Logic::compile(*parse_json(
      R"([{"var":"region"},{"var":"tier"},{"var":"account.group"},{"var":"level"},{"var":"beta"},
          {"var":"targetingKey"},{"var":["absent","fallback"]},{"var":"$flagd.flagKey"},
          {"var":"$flagd.timestamp"},{"var":"$flagd.other"}])"));
  ASSERT_TRUE(logic);
  const auto result = logic->apply(call, instant_ms(1'700'000'000'900), "a-flag");
  ASSERT_TRUE(result);
  EXPECT_EQ(to_json_text(*result),
            R"(["eu","paid","staff",7,true,"p-1","fallback","a-flag",1700000000,null])");
  EXPECT_EQ(
      to_canonical_json_text(call.to_json()),
      R"({"account":{"group":"staff"},"beta":true,"level":7,"region":"eu","targetingKey":"p-1","tier":"paid"})");
}

}  // namespace
}  // namespace showcaller
