// SPDX-License-Identifier: Apache-2.0
// Ids of traces and spans: of the form that the standard wants, and each one thing's alone.
#include "model/revision_trace.h"

#include <set>

#include <gtest/gtest.h>

#include "base/trace_context.h"

namespace showcaller {
namespace {

const std::string kCallers(32, 'c');

TEST(RevisionTrace, IsOneRevisionsAlone) {
  const std::string trace = revision_trace_id("raid", 7, "hash", kCallers);
  EXPECT_EQ(trace, revision_trace_id("raid", 7, "hash", kCallers));
  std::set<std::string> others{trace};
  EXPECT_TRUE(others.insert(revision_trace_id("raid", 8, "hash", kCallers)).second);
  EXPECT_TRUE(others.insert(revision_trace_id("raids", 7, "hash", kCallers)).second);
  EXPECT_TRUE(others.insert(revision_trace_id("raid", 7, "other", kCallers)).second);
  // Another server, with the same event: what its request's trace was tells them apart.
  EXPECT_TRUE(others.insert(revision_trace_id("raid", 7, "hash", std::string(32, 'd'))).second);
  EXPECT_EQ(revision_trace_id("raid", 7, "hash", ""), "") << "a rehearsal has no trace";
}

TEST(RevisionTrace, ItsSpansHaveIdsOfTheirOwn) {
  const std::string trace = revision_trace_id("raid", 7, "hash", kCallers);
  std::set<std::string> ids;
  for (int step = 0; step < 20; ++step) {
    for (std::int64_t attempt = 1; attempt < 20; ++attempt) {
      for (const auto direction : {StepDirection::Do, StepDirection::Undo})
        EXPECT_TRUE(ids.insert(step_span_id(trace, step, direction, attempt)).second);
    }
    EXPECT_TRUE(ids.insert(instance_span_id(trace, std::to_string(step))).second);
  }
  for (const std::string& id : ids)
    EXPECT_TRUE(parse_traceparent(format_traceparent(trace, id, true))) << id;
}

}  // namespace
}  // namespace showcaller
