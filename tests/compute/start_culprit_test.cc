// SPDX-License-Identifier: Apache-2.0
// Who is blamed, as a table: what fails, what runs, who is named.
#include "compute/start_culprit.h"

#include <gtest/gtest.h>

#include "base/fields.h"

namespace showcaller {
namespace {

struct Case {
  const char* name;
  std::vector<FailingStart> failing;
  std::vector<StartPlace> running;
  std::vector<std::string> named;  // "scope/subject"
};

TEST(StartCulprit, Table) {
  const std::vector<Case> cases{
      {"too few failures", {{{"2", "eu", "a"}, 4}}, {}, {}},
      {"one build, nothing else known", {{{"2", "eu", "a"}, 5}}, {}, {"build/2"}},
      {"one build on two hosts",
       {{{"2", "eu", "a"}, 3}, {{"2", "eu", "b"}, 2}},
       {{"1", "eu", "a"}},
       {"build/2"}},
      {"one build, the base runs on that host",
       {{{"2", "eu", "a"}, 5}},
       {{"1", "eu", "a"}},
       {"build/2"}},
      {"a build that runs elsewhere, on a host where nothing runs",
       {{{"2", "eu", "a"}, 5}},
       {{"2", "eu", "b"}},
       {"host/a"}},
      {"two builds on one host",
       {{{"1", "eu", "a"}, 3}, {{"2", "eu", "a"}, 2}},
       {{"1", "eu", "b"}},
       {"host/a"}},
      {"a whole region",
       {{{"1", "eu", "a"}, 3}, {{"2", "eu", "b"}, 3}},
       {{"1", "us", "c"}, {"2", "us", "c"}},
       {"region/eu"}},
      {"the build and the host together",
       {{{"2", "eu", "a"}, 5}},
       {{"2", "eu", "b"}, {"1", "eu", "a"}},
       {"build/2@a"}},
      {"a pair that also runs is not blamed", {{{"2", "eu", "a"}, 9}}, {{"2", "eu", "a"}}, {}},
      {"two culprits at once",
       {{{"2", "eu", "a"}, 5}, {{"3", "us", "c"}, 5}},
       {{"1", "eu", "a"}, {"1", "us", "c"}},
       {"build/2", "build/3"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    std::vector<std::string> named;
    for (const Culprit& culprit : name_culprits(c.failing, c.running, 5)) {
      named.push_back(std::string(enum_name(culprit.scope)) + "/" + culprit.subject);
      EXPECT_NE(culprit.reason.find(culprit.subject.substr(0, culprit.subject.find('@'))),
                std::string::npos);
    }
    EXPECT_EQ(named, c.named);
  }
}

}  // namespace
}  // namespace showcaller
