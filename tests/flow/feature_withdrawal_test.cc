// SPDX-License-Identifier: Apache-2.0
// A feature that its service does without: what its flag gives meanwhile, and to whom it says so.
#include <gtest/gtest.h>

#include "flow/flag_snapshot.h"

namespace showcaller {
namespace {

const FlagSaltOf kNoSalt = [](const std::string&) { return std::string("salt"); };

void put_flag(World* world, const std::string& key, bool client_visible = false) {
  Manifest manifest;
  manifest.name = key;
  manifest.spec = FlagSpec{.definition = {{"state", "DISABLED"},
                                          {"variants", {{"live", 1}, {"cached", 2}, {"off", 3}}},
                                          {"defaultVariant", "live"},
                                          {"targeting", json::object{{"if", json::array()}}},
                                          {"metadata", json::object{{"team", "raids"}}}},
                           .client_visible = client_visible,
                           .off_variant = "off"};
  world->manifests["Flag/" + key] = {std::make_shared<const Manifest>(std::move(manifest)), 1};
}

void withdraw(World* world, const std::string& service, const std::string& flag,
              const std::string& variant, Instant since) {
  world->services[service].withdrawn.push_back(
      {"boards", flag, variant, "A little behind.", "raid is full", since});
}

json::object served(const World& world, const std::string& flag,
                    FlagVisibility visibility = FlagVisibility::Server) {
  const FlagSnapshot snapshot = flag_snapshot(world, kNoSalt, visibility);
  return snapshot.document.at("flags").as_object().at(flag).as_object();
}

TEST(FeatureWithdrawal, EverybodyGetsTheFallbackAndAMessage) {
  World world;
  put_flag(&world, "boards", true);
  const json::object before = served(world, "boards");
  withdraw(&world, "matchmaking", "boards", "cached", instant_ms(1'000));
  const json::object flag = served(world, "boards", FlagVisibility::Client);
  EXPECT_EQ(get_string(flag, "state"), "ENABLED");
  EXPECT_EQ(get_string(flag, "defaultVariant"), "cached");
  EXPECT_FALSE(flag.contains("targeting"));
  EXPECT_EQ(to_json_text(flag.at("metadata")),
            R"({"team":"raids","withdrawn":true,"withdrawnService":"matchmaking",)"
            R"("withdrawnFeature":"boards","withdrawnSince":"1970-01-01T00:00:01Z",)"
            R"("message":"A little behind."})");
  world.services["matchmaking"].withdrawn.clear();
  EXPECT_EQ(served(world, "boards"), before) << "it is as it was, to the last key";
}

TEST(FeatureWithdrawal, AKillLiesAboveIt) {
  World world;
  put_flag(&world, "boards");
  withdraw(&world, "matchmaking", "boards", "cached", instant_ms(1'000));
  world.flags["boards"].kill.off = true;
  EXPECT_EQ(get_string(served(world, "boards"), "defaultVariant"), "off");
}

TEST(FeatureWithdrawal, OfTwoServicesTheFirstDecides) {
  World world;
  put_flag(&world, "boards");
  withdraw(&world, "a", "boards", "off", instant_ms(2'000));
  withdraw(&world, "b", "boards", "cached", instant_ms(1'000));
  EXPECT_EQ(get_string(served(world, "boards"), "defaultVariant"), "cached");
  EXPECT_EQ(withdrawal_of(world, "boards").service, "b");
}

TEST(FeatureWithdrawal, AFlagThatHasNoSuchVariantIsLetBe) {
  World world;
  put_flag(&world, "boards");
  withdraw(&world, "matchmaking", "boards", "gone", instant_ms(1'000));
  withdraw(&world, "matchmaking", "nobody", "x", instant_ms(1'000));
  const FlagSnapshot snapshot = flag_snapshot(world, kNoSalt);
  EXPECT_EQ(snapshot.problems,
            (std::vector<std::string>{
                "feature 'boards' of matchmaking is not withdrawn: flag 'boards' has no variant "
                "'gone'",
                "feature 'boards' of matchmaking is not withdrawn: flag 'nobody' is not there"}));
  EXPECT_EQ(get_string(served(world, "boards"), "defaultVariant"), "live");
}

}  // namespace
}  // namespace showcaller
