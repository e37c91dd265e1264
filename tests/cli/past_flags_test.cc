// SPDX-License-Identifier: Apache-2.0
// What a flag gave, gives and will give: by the journal, by the world and by its schedule.
#include <fstream>

#include <gtest/gtest.h>

#include "cli/flag/flag_files.h"
#include "cli/serve/host_backend.h"
#include "flow/flag_explanation.h"
#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

std::string door(const std::string& by_default, const std::string& more = "") {
  return R"(
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: door, owner: team-raids }
spec:
  variants: { open: open, ajar: ajar, shut: shut }
  defaultVariant: )" +
         by_default + "\n" + more;
}

constexpr const char* kSchedule = R"(
  schedule:
    changes: [ { at: "2026-12-05T00:00:00Z", defaultVariant: open } ]
)";

class PastFlagsTest : public testing::Test {
 protected:
  json::object ask(json::object request) {
    const auto told = backend_.evaluate_flag("door", request);
    EXPECT_TRUE(told) << told.error().message;
    return told ? told->as_object() : json::object();
  }
  std::string variant(json::object request) {
    return get_string(ask(std::move(request)), "variant");
  }
  std::string now() { return format_instant(theatre_.clock.wall()); }

  Theatre theatre_;
  MemoryJournal journal_{theatre_.disk};
  HostBackend backend_{&theatre_.host(), &journal_, {"test", "test"}};
};

TEST_F(PastFlagsTest, ThePastIsAsItWasAndTheFutureAsItIsScheduled) {
  ASSERT_TRUE(theatre_.apply("a.yaml", door("shut")));
  theatre_.advance(minutes(10));
  const std::string then = now();
  theatre_.advance(minutes(10));
  ASSERT_TRUE(theatre_.apply("b.yaml", door("ajar", kSchedule)));
  theatre_.advance(seconds(5));
  EXPECT_EQ(variant({}), "ajar");
  EXPECT_EQ(variant({{"at", then}}), "shut");
  EXPECT_EQ(variant({{"at", "2026-12-05T00:00:01Z"}}), "open");
  EXPECT_EQ(variant({{"revision", 1}}), "shut");
  EXPECT_EQ(get_int(ask({{"at", then}}), "revision"), 1);
  EXPECT_EQ(get_string(ask({{"at", "2027-01-01T00:00:00Z"}}), "decided_by"), "default");
  ASSERT_TRUE(theatre_.command(FlagCommand{false, "door"}));
  EXPECT_EQ(get_string(ask({}), "decided_by"), "kill_switch");
  EXPECT_EQ(variant({{"at", then}}), "shut");
}

TEST_F(PastFlagsTest, WhatCannotBeAnsweredSaysWhy) {
  ASSERT_TRUE(theatre_.apply("a.yaml", door("shut")));
  const auto refused = [&](json::object request, std::string_view flag = "door") {
    const auto told = backend_.evaluate_flag(flag, request);
    return told ? "answered" : told.error().message;
  };
  EXPECT_EQ(refused({}, "dor"), "there is no flag 'dor'; did you mean 'door'?");
  EXPECT_NE(refused({{"revision", 9}}).find("has no revision 9"), std::string::npos);
  EXPECT_NE(refused({{"at", "2020-01-01T00:00:00Z"}}).find("the journal begins after"),
            std::string::npos);
  EXPECT_NE(refused({{"contex", json::object()}}).find("did you mean 'context'"),
            std::string::npos);
  EXPECT_NE(refused({{"context", 3}}).find("'context'"), std::string::npos);
}

TEST_F(PastFlagsTest, ADocumentCanBeHadOfAnyTime) {
  ASSERT_TRUE(theatre_.apply("a.yaml", door("shut")));
  theatre_.advance(minutes(1));
  const std::string then = now();
  theatre_.advance(minutes(1));
  ASSERT_TRUE(theatre_.apply("b.yaml", door("ajar")));
  const auto default_of = [](const json::value& document) {
    return std::string(document.at("flags").at("door").at("defaultVariant").as_string());
  };
  EXPECT_EQ(default_of(backend_.flag_document(then).value()), "shut");
  EXPECT_EQ(default_of(backend_.flag_document("").value()), "ajar");
}

// Files are asked without a server: manifests, or flags in flagd's language.
TEST(FlagFiles, ManifestsAndFlagdDocumentsAreReadAlike) {
  const std::string folder = testing::TempDir();
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder + name) << text;
    return std::vector<std::string>{folder + name};
  };
  const auto gives = [](const FlagFiles& files) {
    const auto salt_of = [](const std::string&) { return std::string("none"); };
    return explain_flag(files.world, salt_of, "door", {{"group", "staff"}}, {}).value().variant;
  };
  const auto manifests = read_flag_files(write("door.yaml", door("shut")));
  ASSERT_TRUE(manifests) << manifests.error().message;
  EXPECT_EQ(gives(*manifests), "shut");
  const auto flagd = read_flag_files(write("door.json", R"({
    "$evaluators": {"staff": {"==": [{"var": "group"}, "staff"]}},
    "flags": {"door": {"state": "ENABLED", "variants": {"open": 1, "shut": 0}, "defaultVariant": "shut",
                       "targeting": {"if": [{"$ref": "staff"}, "open", null]}}}})"));
  ASSERT_TRUE(flagd) << flagd.error().message;
  EXPECT_EQ(gives(*flagd), "open");
  const auto bad = read_flag_files(write("bad.yaml", door("shutt")));
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("did you mean 'shut'"), std::string::npos);
}

TEST(FlagFiles, ContextsAreAListOrALineEach) {
  const std::string path = testing::TempDir() + "contexts.jsonl";
  std::ofstream(path) << "{\"targetingKey\": \"a\"}\n\n{\"targetingKey\": \"b\"}\n";
  EXPECT_EQ(read_contexts(path)->size(), 2u);
  std::ofstream(path) << R"([{"targetingKey": "a"}, {}, {}])";
  EXPECT_EQ(read_contexts(path)->size(), 3u);
  std::ofstream(path) << "{\"targetingKey\": \"a\"}\n3\n";
  EXPECT_FALSE(read_contexts(path));
}

}  // namespace
}  // namespace showcaller::test
