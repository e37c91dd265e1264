// SPDX-License-Identifier: Apache-2.0
// Records: what is on disk stays readable, for every kind and version ever written.
#include "model/record.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "model/lifecycle.h"

namespace showcaller {
namespace {

const std::filesystem::path kSamples =
    std::filesystem::path(SHOWCALLER_SOURCE_DIR) / "tests/model/samples";

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

template <std::size_t... I>
std::vector<Payload> one_of_each(std::index_sequence<I...>) {
  return {Payload(std::in_place_index<I>)...};
}

Record record_of(Payload payload) {
  Record record;
  record.seq = 7;
  record.time = parse_instant("2026-12-18T18:00:00.250Z").value();
  record.epoch = 3;
  record.actor = "ann \"the\" op";
  record.cause = 6;
  record.key = "ann/k1";
  record.command = 0xfedcba9876543210;
  record.trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  record.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  record.tracestate = "congo=1";
  record.payload = std::move(payload);
  return record;
}

TEST(Record, EveryKindRoundTrips) {
  for (Payload& payload :
       one_of_each(std::make_index_sequence<std::variant_size_v<Payload::variant>>())) {
    const std::string bytes = encode_record(record_of(std::move(payload)));
    const auto decoded = decode_record(bytes);
    ASSERT_TRUE(decoded) << bytes << " " << decoded.error().message;
    EXPECT_EQ(encode_record(*decoded), bytes);
    EXPECT_EQ(bytes.find('\n'), std::string::npos);
  }
}

TEST(Record, WithoutACallersTraceHasNoWordOfIt) {
  const std::string bytes = encode_record({.seq = 1, .payload = EventRevised{.event = "raid"}});
  EXPECT_EQ(bytes.find("trace"), std::string::npos) << bytes;
}

// As deep as a manifest may be.
TEST(Record, WhatWasAcceptedIsReadAgainHoweverDeep) {
  json::value nested = 1;
  for (int depth = 0; depth < 64; ++depth) nested = json::array{nested};
  ManifestApplied applied{"Flag", "deep", 1, "hash", {{"spec", nested}}};
  const std::string bytes = encode_record(record_of(applied));
  const auto read = decode_record(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(encode_record(*read), bytes);
}

TEST(Record, NumbersAndNamesAreUnique) {
  std::set<int> numbers;
  std::set<std::string_view> names;
  for (const RecordKindRow& row : kRecordKinds) {
    EXPECT_TRUE(numbers.insert(row.number).second) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
  }
}

// Each file holds one line as some version wrote it; it must be read for ever.
TEST(Record, StoredSamplesOfEveryKindAndVersionAreRead) {
  std::set<std::string> seen;
  for (const auto& entry : std::filesystem::directory_iterator(kSamples)) {
    std::string line = text_of(entry.path());
    while (!line.empty() && line.back() == '\n') line.pop_back();
    const auto record = decode_record(line);
    ASSERT_TRUE(record) << entry.path() << ": " << record.error().message;
    seen.insert(entry.path().stem());
  }
  for (const RecordKindRow& row : kRecordKinds) {
    for (int version = 1; version <= row.version; ++version) {
      EXPECT_TRUE(seen.contains(std::string(row.name) + ".v" + std::to_string(version)))
          << "store a sample: tests/model/samples/" << row.name << ".v" << version << ".json";
    }
  }
}

TEST(Record, ANewerProgramsRecordIsRefusedByName) {
  std::string bytes =
      encode_record(record_of(HoldSet{"winter-raid", HoldCause::Operator, "lunch"}));
  bytes.replace(bytes.find("\"version\":1"), 11, "\"version\":9");
  EXPECT_EQ(decode_record(bytes).error().code, ErrorCode::Unsupported);
  EXPECT_NE(decode_record(bytes).error().message.find("newer showcaller"), std::string::npos);
}

TEST(Record, BrokenBytesAreCorrupt) {
  const std::string bytes =
      encode_record(record_of(HoldSet{"winter-raid", HoldCause::Operator, "lunch"}));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const auto decoded = decode_record(std::string_view(bytes).substr(0, cut));
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code, ErrorCode::Corrupt);
  }
  std::string wrong = bytes;
  wrong.replace(wrong.find("\"by\":\"operator\""), 15, "\"by\":\"somebody\"");
  EXPECT_EQ(decode_record(wrong).error().code, ErrorCode::Corrupt);
}

TEST(Lifecycle, ThePageInDocsIsPrintedFromTheTable) {
  const auto path = std::filesystem::path(SHOWCALLER_SOURCE_DIR) / "docs/lifecycle.md";
  if (std::getenv("SHOWCALLER_REWRITE")) std::ofstream(path) << lifecycle_page();
  EXPECT_EQ(text_of(path), lifecycle_page())
      << "print it again: SHOWCALLER_REWRITE=1 build/release/test_model";
}

// The table's promises, said apart from the table.
TEST(Lifecycle, SafetyIsAlwaysReachableOnceSomethingWasDone) {
  for (int phase = 0; phase < kPhases; ++phase) {
    if (layer_is_active(Phase(phase)) && Phase(phase) != Phase::Deprecated) {
      EXPECT_TRUE(outcome_of(Phase(phase), PhaseInput::Rollback).allowed)
          << enum_name(Phase(phase));
    }
    EXPECT_EQ(outcome_of(Phase(phase), PhaseInput::Admit).allowed, Phase(phase) == Phase::Ready);
    for (int input = 0; input < kPhaseInputs; ++input) {
      const Outcome outcome = outcome_of(Phase(phase), PhaseInput(input));
      EXPECT_TRUE(outcome.allowed || !outcome.refusal.empty());
    }
  }
}

}  // namespace
}  // namespace showcaller
