// SPDX-License-Identifier: Apache-2.0
#include "base/shared.h"

#include <string>

#include <gtest/gtest.h>

namespace showcaller::test {
namespace {

TEST(Shared, CopiesAreOneValueUntilOneOfThemChanges) {
  Shared<std::string> first(std::string("a"));
  Shared<std::string> second = first;
  EXPECT_EQ(&*first, &*second);
  second.change() += "b";
  EXPECT_EQ(*first, "a");
  EXPECT_EQ(*second, "ab");
  const std::string* own = &*second;
  second.change() += "c";
  EXPECT_EQ(&*second, own);
}

TEST(Shared, OneThatNobodyFilledIsEmptyAndCanBeFilled) {
  Shared<std::string> nothing, copy = nothing;
  EXPECT_TRUE(nothing->empty());
  nothing.change() = "a";
  EXPECT_EQ(*nothing, "a");
  EXPECT_TRUE(copy->empty());
}

}  // namespace
}  // namespace showcaller::test
