// SPDX-License-Identifier: Apache-2.0
// What older versions stored is read for ever: manifests that would be refused today, payloads of
// older shapes, and a whole journal as the first version wrote it.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "model/manifest/manifest.h"
#include "model/world.h"

namespace showcaller {
namespace {

json::object document(std::string_view text) {
  return parse_json(text).value().as_object();
}

TEST(StoredManifest, KeysAndValuesThatWouldBeRefusedTodayAreRead) {
  const auto manifest = manifest_from_json(document(R"({
    "apiVersion": "showcaller.dev/v1", "kind": "LiveEvent", "metadata": {"name": "gala", "owner": "ops", "mood": "good"},
    "elsewhere": 1,
    "spec": {"sparkle": {"deep": [1]}, "priority": 123456789,
             "changes": [{"flag": {"key": "a", "to": "b", "why": "once"}}],
             "rollout": {"stages": [{"name": "Not A Name", "exposure": "100%", "bake": "0s", "glitter": true}]}}})"));
  ASSERT_TRUE(manifest) << manifest.error().message;
  const auto& spec = manifest->as<LiveEventSpec>();
  EXPECT_EQ(spec.priority, 123456789);
  ASSERT_EQ(spec.stages.size(), 1u);
  EXPECT_EQ(spec.stages[0].name, "Not A Name");
  EXPECT_TRUE(manifest->document.contains("elsewhere"));
}

TEST(StoredManifest, WhatCannotBeUnderstoodIsCorrupt) {
  const auto manifest = manifest_from_json(document(R"({
    "apiVersion": "showcaller.dev/v1", "kind": "LiveEvent", "metadata": {"name": "gala", "owner": "ops"},
    "spec": {"changes": "none"}})"));
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().code, ErrorCode::Corrupt);
}

TEST(Upcast, ASampleIsLiftedVersionByVersion) {
  const RecordKindRow third{12, "stage_entered", 3};
  const Upcaster table[] = {
      {12, 1, [](json::object* p) { (*p)["name"] = p->at("stage_name"); }},
      {13, 1, [](json::object* p) { (*p)["name"] = "of another kind"; }},
      {12, 2, [](json::object* p) { p->erase("stage_name"); }},
  };
  const auto lifted = upcast(third, 1, {{"stage_name", "canary"}}, table);
  ASSERT_TRUE(lifted);
  EXPECT_EQ(to_json_text(*lifted), R"({"name":"canary"})");
  const auto stuck = upcast(third, 1, {{"stage_name", "canary"}}, std::span(table).first(2));
  ASSERT_FALSE(stuck);
  EXPECT_NE(stuck.error().message.find("stage_entered from version 2"), std::string::npos);
}

// tests/model/journals/v1.jsonl: the records of a real server, an event rolled back and one live,
// a fleet, tokens. The world beside it is rewritten by SHOWCALLER_REWRITE=1 when its text changes,
// which must be understood; the journal is never edited.
TEST(StoredJournal, TheFirstVersionsJournalFoldsToTheSameWorld) {
  const auto folder = std::filesystem::path(SHOWCALLER_SOURCE_DIR) / "tests/model/journals";
  std::ifstream file(folder / "v1.jsonl");
  World world;
  std::string line;
  while (std::getline(file, line)) {
    const auto record = decode_record(line);
    ASSERT_TRUE(record) << line << ": " << record.error().message;
    const Status folded = evolve(&world, *record);
    ASSERT_TRUE(folded) << folded.error().message;
  }
  EXPECT_GT(world.seq, 50u);
  EXPECT_GE(world.events.size(), 2u);
  if (std::getenv("SHOWCALLER_REWRITE") != nullptr)
    std::ofstream(folder / "v1.world") << world_to_text(world) << "\n";
  std::ifstream expected(folder / "v1.world");
  const std::string text(std::istreambuf_iterator<char>(expected), {});
  EXPECT_EQ(world_to_text(world) + "\n", text);
}

// An error of a fold says which record it met.
TEST(StoredJournal, AnErrorNamesTheRecordAndItsKind) {
  World world;
  Record record;
  record.seq = 1;
  record.payload = HoldLifted{"nobody", "why"};
  const Status folded = evolve(&world, record);
  ASSERT_FALSE(folded);
  EXPECT_NE(folded.error().message.find("record 1 (hold_lifted)"), std::string::npos)
      << folded.error().message;
}

}  // namespace
}  // namespace showcaller
