// SPDX-License-Identifier: Apache-2.0
#include "base/base64url.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace showcaller {
namespace {

TEST(Base64Url, HasOneFormForEachText) {
  EXPECT_EQ(to_base64url(""), "");
  EXPECT_EQ(to_base64url("f"), "Zg");
  EXPECT_EQ(to_base64url("fo"), "Zm8");
  EXPECT_EQ(to_base64url("foo"), "Zm9v");
  EXPECT_EQ(to_base64url("\xfb\xff"), "-_8");
  for (const char* wrong : {"Zg==", "Zh", "Z", "Zg ", "+/8", "Zm9v\n", "Z\xc3\xa9"})
    EXPECT_FALSE(from_base64url(wrong)) << wrong;
}

RC_GTEST_PROP(Base64Url, ReadsWhatItWrites, (const std::string& bytes)) {
  RC_ASSERT(from_base64url(to_base64url(bytes)).value() == bytes);
}

}  // namespace
}  // namespace showcaller
