// SPDX-License-Identifier: Apache-2.0
// Laws of the persistent map: it is a map, and a copy never sees what comes after it.
#include "base/persistent_map.h"

#include <map>

#include <gtest/gtest.h>

#include "base/random.h"

namespace showcaller {
namespace {

using Map = PersistentMap<std::uint64_t, int>;

std::map<std::uint64_t, int> contents(const Map& map) {
  std::map<std::uint64_t, int> out;
  std::vector<std::uint64_t> order;
  map.each([&](std::uint64_t key, int value) {
    out[key] = value;
    order.push_back(key);
  });
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(order.size(), map.size());
  return out;
}

TEST(PersistentMap, IsAMapAndCopiesAreFrozen) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    Map map;
    std::map<std::uint64_t, int> model;
    std::vector<std::pair<Map, std::map<std::uint64_t, int>>> copies;
    for (int step = 0; step < 2000; ++step) {
      const std::uint64_t key = random.below(200);
      switch (random.below(5)) {
        case 0:
          EXPECT_EQ(map.erase(key), model.erase(key) == 1);
          break;
        case 1:
          if (random.chance(0.1)) copies.emplace_back(map, model);
          break;
        case 2:
          EXPECT_EQ(map.edit(key) != nullptr, model.contains(key));
          if (int* value = map.edit(key)) *value = model[key] = -step;
          break;
        default:
          map[key] = step;
          model[key] = step;
      }
      const int* found = map.find(key);
      EXPECT_EQ(found != nullptr, model.contains(key));
    }
    EXPECT_EQ(contents(map), model);
    for (const auto& [copy, then] : copies) EXPECT_EQ(contents(copy), then);
  }
}

TEST(PersistentMap, IteratesFromAKey) {
  PersistentMap<std::string, int> map;
  for (const char* key : {"a/1", "a/2", "b/1", "c/1"}) map[key] = 1;
  std::string seen;
  map.each_from(std::string_view("a/2"), [&](const std::string& key, int) {
    seen += key + " ";
    return key < "b/";
  });
  EXPECT_EQ(seen, "a/2 b/1 ");
}

}  // namespace
}  // namespace showcaller
