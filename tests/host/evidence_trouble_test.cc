// SPDX-License-Identifier: Apache-2.0
// What becomes of a judged tick when the evidence store fails half way, and of what the store
// tells.
#include <gtest/gtest.h>

#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

// Fails to flush as often as told; what was appended stays.
class FailingStore final : public EvidenceStore {
 public:
  Result<EvidenceMark> append(std::string_view stream, std::string_view line) override {
    return store_.append(stream, line);
  }
  Status flush() override {
    if (failures > 0) {
      --failures;
      return fail(ErrorCode::Unavailable, "the disk did not answer");
    }
    return store_.flush();
  }
  Status read(std::string_view stream,
              const std::function<bool(std::string_view, const EvidenceMark&)>& sink) override {
    return store_.read(stream, sink);
  }
  void close(std::string_view stream) override { closed.push_back(std::string(stream)); }
  Result<std::size_t> remove_older(Instant) override { return std::size_t(0); }
  std::vector<Error> take_notes() override { return std::exchange(notes, {}); }

  int failures = 0;
  std::vector<std::string> closed;
  std::vector<Error> notes;

 private:
  MemoryEvidenceStore store_;
};

constexpr const char* kTroubleHouse = R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: ops }
spec: { members: [ann] }
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: entrance, owner: ops }
spec:
  state: ENABLED
  variants: { open: true, closed: false }
  defaultVariant: closed
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: gala, owner: ops }
spec:
  changes: [ { flag: { key: entrance, to: open } } ]
  rollout:
    stages:
      - { name: canary, exposure: 10%, bake: { min: 20m, max: 30m } }
      - { name: world, exposure: 100%, bake: 1m }
  analysis: { tick: 10s, warmup: 10s, profile: C }
  gates: [ { metric: session.crashed, worse_by_at_most: 0%, must_detect: 2x, on_fail: rollback } ]
)";

TEST(EvidenceTrouble, ATickThatWasAppendedAndNotFlushedIsStoredOnce) {
  FailingStore store;
  Theatre theatre(1, &store);
  const auto applied = theatre.apply("house.yaml", kTroubleHouse);
  ASSERT_TRUE(applied) << applied.error().message;
  theatre.advance(seconds(15));
  store.failures = 3;
  store.notes.push_back({ErrorCode::Corrupt, "an end was set aside"});
  theatre.advance(seconds(45));
  EXPECT_EQ(store.failures, 0);
  std::set<std::int64_t> times;
  int ticks = 0;
  ASSERT_TRUE(store.read("gala/r1/v1", [&](std::string_view line, const EvidenceMark&) {
    const auto value = parse_json(line);
    if (!value->as_object().contains("t")) return true;
    ++ticks;
    times.insert(get_int(value->as_object(), "t"));
    return true;
  }));
  EXPECT_GE(ticks, 4);
  EXPECT_EQ(times.size(), std::size_t(ticks));
  bool told = false;
  for (const Error& error : theatre.errors) told |= error.message == "an end was set aside";
  EXPECT_TRUE(told);
  ASSERT_TRUE(theatre.command(EventCommand{"gala", EventVerb::Rollback}));
  theatre.advance(seconds(3));
  EXPECT_EQ(store.closed, std::vector<std::string>{"gala/r1/v1"});
}

}  // namespace
}  // namespace showcaller::test
