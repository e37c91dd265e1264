// SPDX-License-Identifier: Apache-2.0
#include "wire/ofrep.h"

#include <gtest/gtest.h>

namespace showcaller {
namespace {

const FlagSet& flags() {
  static const FlagSet set = *FlagSet::parse(
      R"({"flags":{"f":{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on"}}})");
  return set;
}

HttpRequest request(std::string_view method, std::string_view path) {
  return {.method = std::string(method), .target = std::string(path), .path = std::string(path)};
}

TEST(OfrepRoute, HeadersOfEachAnswer) {
  HttpRequest bulk = request("POST", "/ofrep/v1/evaluate/flags");
  const HttpResponse first = handle_ofrep(bulk, flags(), instant_ms(0));
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.headers.get("content-type"), "application/json");
  EXPECT_EQ(first.headers.get("cache-control"), "private, no-cache");
  bulk.headers.add("If-None-Match", first.headers.get("etag"));
  const HttpResponse second = handle_ofrep(bulk, flags(), instant_ms(0));
  EXPECT_EQ(second.status, 304);
  EXPECT_EQ(second.body, "");
  EXPECT_EQ(second.headers.get("etag"), first.headers.get("etag"));
  EXPECT_EQ(second.headers.count("content-type"), 0u);

  const HttpResponse one =
      handle_ofrep(request("POST", "/ofrep/v1/evaluate/flags/f"), flags(), instant_ms(0));
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.headers.count("etag"), 0u);
  const HttpResponse wrong =
      handle_ofrep(request("DELETE", "/ofrep/v1/evaluate/flags/f"), flags(), instant_ms(0));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.get("allow"), "POST");
}

TEST(OfrepRoute, TheSnapshotIsTheDocument) {
  HttpRequest get = request("GET", "/api/v1/flags/snapshot");
  const HttpResponse first = handle_flag_snapshot(get, flags());
  EXPECT_EQ(first.status, 200);
  const auto again = FlagSet::parse(first.body);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->fingerprint(), flags().fingerprint());
  get.headers.add("If-None-Match", first.headers.get("etag"));
  EXPECT_EQ(handle_flag_snapshot(get, flags()).status, 304);
}

}  // namespace
}  // namespace showcaller
