// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/layers.h"

#include <gtest/gtest.h>

namespace showcaller {
namespace {

struct Event {
  std::string name;
  int priority = 0;
  std::vector<std::string> after;
  std::string flag = "door";
  std::optional<int> start_day, end_day;
};

Manifest make(const Event& event) {
  LiveEventSpec spec;
  spec.priority = event.priority;
  spec.after = event.after;
  spec.changes.push_back({FlagChange{event.flag, "open"}, false});
  if (event.start_day) {
    spec.schedule.start = ScheduledTime{instant_ms(0) + hours(24 * *event.start_day), {}};
    spec.rollout_begin_before_start = hours(24);
  }
  if (event.end_day)
    spec.schedule.end = ScheduledTime{instant_ms(0) + hours(24 * *event.end_day), {}};
  Manifest manifest;
  manifest.name = event.name;
  manifest.spec = std::move(spec);
  return manifest;
}

std::string conflicts(const std::vector<Event>& events) {
  std::vector<Manifest> manifests;
  for (const Event& event : events) manifests.push_back(make(event));
  std::vector<const Manifest*> pointers;
  for (const Manifest& manifest : manifests) pointers.push_back(&manifest);
  std::string out;
  for (const LayerConflict& c : find_layer_conflicts(pointers))
    out += c.event->name + "/" + c.other->name + ":" + c.path + " ";
  return out;
}

TEST(Layers, OnePathNeedsAnOrder) {
  EXPECT_EQ(conflicts({{"a"}, {"b"}}), "b/a:flag:door ");
  EXPECT_EQ(conflicts({{"a"}, {.name = "b", .flag = "window"}}), "");
  EXPECT_EQ(conflicts({{"a"}, {.name = "b", .priority = 1}}), "");
  EXPECT_EQ(conflicts({{"a"}, {.name = "b", .after = {"a"}}}), "");
  EXPECT_EQ(conflicts({{.name = "a", .after = {"b"}}, {"b"}}), "");
}

TEST(Layers, OrderGoesThroughOthers) {
  EXPECT_EQ(conflicts({{"a"}, {.name = "b", .after = {"a"}}, {.name = "c", .after = {"b"}}}), "");
  EXPECT_EQ(conflicts({{"a"}, {.name = "b", .after = {"a"}}, {.name = "c", .after = {"a"}}}),
            "c/b:flag:door ");
}

TEST(Layers, EventsThatNeverMeetDoNotClash) {
  EXPECT_EQ(conflicts({{.name = "a", .end_day = 10}, {.name = "b", .start_day = 11}}), "");
  EXPECT_EQ(conflicts({{.name = "b", .start_day = 11}, {.name = "a", .end_day = 10}}), "");
  // The rollout of b begins a day before its start, while a is still there.
  EXPECT_EQ(conflicts({{.name = "a", .end_day = 10}, {.name = "b", .start_day = 10}}),
            "b/a:flag:door ");
}

TEST(Layers, Circles) {
  std::vector<Manifest> manifests = {make({.name = "a", .after = {"b"}}),
                                     make({.name = "b", .after = {"a"}}),
                                     make({.name = "c", .after = {"a"}})};
  std::vector<const Manifest*> pointers;
  for (const Manifest& manifest : manifests) pointers.push_back(&manifest);
  EXPECT_EQ(find_after_cycles(pointers), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(lies_above(manifests[2], manifests[1], pointers));
  EXPECT_FALSE(lies_above(manifests[1], manifests[2], pointers));
}

TEST(Layers, AfterDoesNotLiftOverAHigherPriority) {
  const std::vector<Manifest> manifests = {make({.name = "a", .priority = 5}),
                                           make({.name = "b", .after = {"a"}}),
                                           make({.name = "c", .priority = 5, .after = {"a"}})};
  std::vector<const Manifest*> pointers;
  for (const Manifest& manifest : manifests) pointers.push_back(&manifest);
  const auto found = find_order_contradictions(pointers);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].upper->name, "b");
  EXPECT_EQ(found[0].lower->name, "a");
}

TEST(Layers, ManyEventsOnOnePathStayOrdered) {
  std::vector<Event> events;
  for (int i = 0; i < 200; ++i) events.push_back({.name = "e" + std::to_string(i), .priority = i});
  EXPECT_EQ(conflicts(events), "");
}

}  // namespace
}  // namespace showcaller
