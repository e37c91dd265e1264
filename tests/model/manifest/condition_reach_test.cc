// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "flag/validate.h"
#include "model/manifest/targeting_words.h"

namespace showcaller::manifest {
namespace {

Reach reach(std::string_view text) {
  return fold_condition(*parse_json(text)).reach;
}

TEST(ConditionReach, NobodyIsCertain) {
  for (const char* condition : {
           R"(false)",
           R"({"in":[{"var":"g"},[]]})",
           R"({"in":["x",["a","b"]]})",
           R"({"==":[1,2]})",
           R"({"<":[3,2]})",
           R"({"!":[true]})",
           R"({"!":{"in":["a",["a"]]}})",
           R"({"or":[]})",
           R"({"or":[false,{"in":[{"var":"g"},[]]}]})",
           R"({"and":[{"==":[{"var":"g"},"a"]},{"==":[{"var":"g"},"b"]}]})",
           R"({"and":[{"==":["a",{"var":"g"}]},{"in":[{"var":"g"},["b","c"]]}]})",
           R"({"and":[{"==":[{"var":"g"},"a"]},{"!=":[{"var":"g"},"a"]}]})",
           R"({"and":[{">":[{"var":"level"},50]},{"<":[{"var":"level"},50]}]})",
           R"({"and":[{">=":[{"var":"level"},51]},{"<=":[{"var":"level"},50]}]})",
           R"({"and":[{"and":[{"<":[{"var":["level"]},10]}]},{"<":[20,{"var":"level"}]}]})",
           R"({"<=":[50,{"var":"level"},40]})",
           R"({"and":[{"==":[{"var":"level"},7]},{">":[{"var":"level"},10]}]})",
           R"({"and":[{"var":"x"},false]})",
       }) {
    EXPECT_EQ(reach(condition), Reach::Nobody) << condition;
    EXPECT_FALSE(fold_condition(*parse_json(condition)).why.empty()) << condition;
  }
}

TEST(ConditionReach, EveryoneIsCertain) {
  for (const char* condition : {R"(true)", R"({"==":["a","a"]})", R"({"!":[{"==":[1,2]}]})",
                                R"({"or":[{"var":"x"},true]})", R"({"and":[true,{"<=":[2,2]}]})"}) {
    EXPECT_EQ(reach(condition), Reach::Everyone) << condition;
  }
}

TEST(ConditionReach, DoubtIsSome) {
  for (const char* condition : {
           R"({"in":[{"var":"g"},["a"]]})",
           R"({"in":["a",{"var":"tags"}]})",
           R"({"==":["1",1]})",
           R"({"and":[{"==":[{"var":"g"},"1"]},{"==":[{"var":"g"},1]}]})",
           R"({"and":[{">=":[{"var":"level"},50]},{"<=":[{"var":"level"},50]}]})",
           R"({"and":[{"==":[{"var":"a"},"x"]},{"==":[{"var":"b"},"y"]}]})",
           R"({"or":[{"==":[{"var":"g"},"a"]},{"==":[{"var":"g"},"b"]}]})",
           R"({"!":[{"var":"x"}]})",
           R"({"sem_ver":[{"var":"v"},">=","1.0.0"]})",
           R"({"if":[{"var":"x"},true,false]})",
           R"({"==":[{"var":"a"},{"var":"b"}]})",
       }) {
    EXPECT_EQ(reach(condition), Reach::Some) << condition;
  }
}

}  // namespace
}  // namespace showcaller::manifest
