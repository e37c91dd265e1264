// SPDX-License-Identifier: Apache-2.0
// Laws of the idempotency keys: a key is found while it is kept, copies never see what comes after
// them, and the oldest goes first.
#include "model/done_keys.h"

#include <deque>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "model/world.h"

namespace showcaller {
namespace {

struct Model {
  std::deque<std::pair<std::string, std::uint64_t>> order;

  std::uint64_t seq_of(const std::string& key) const {
    std::uint64_t seq = 0;
    for (const auto& [name, at] : order) seq = name == key ? at : seq;
    return seq;
  }
};

void expect_equal(const DoneKeys& keys, const Model& model) {
  ASSERT_EQ(keys.size(), model.order.size());
  std::size_t at = 0;
  keys.each([&](const DoneKey& key) {
    EXPECT_EQ(key.digest, DoneKeys::digest_of(model.order[at].first));
    EXPECT_EQ(key.command, model.order[at].second + 7);
    EXPECT_EQ(key.seq, model.order[at++].second);
  });
  ASSERT_EQ(keys.oldest() == nullptr, model.order.empty());
  if (keys.oldest()) {
    EXPECT_EQ(keys.oldest()->seq, model.order.front().second);
  }
}

TEST(DoneKeys, AreAQueueThatIsSearchedAndCopiesAreFrozen) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Random random(seed);
    DoneKeys keys;
    Model model;
    std::vector<std::pair<DoneKeys, Model>> copies;
    const double dropping = 0.2 + 0.1 * double(seed % 6);
    for (std::uint64_t seq = 1; seq <= 3'000; ++seq) {
      // Some come again after they were dropped, some while they are kept.
      const std::string key = fmt::format("ops/{}", random.below(4'000));
      keys.add({DoneKeys::digest_of(key), seq, seq + 7, instant_ms(std::int64_t(seq))});
      model.order.emplace_back(key, seq);
      while (keys.size() > 0 && random.chance(dropping)) {
        keys.drop_oldest();
        model.order.pop_front();
      }
      const std::string asked = fmt::format("ops/{}", random.below(4'000));
      const DoneKey* found = keys.find(asked);
      EXPECT_EQ(found ? found->seq : 0, model.seq_of(asked)) << "seed " << seed << " seq " << seq;
      if (random.chance(0.002)) copies.emplace_back(keys, model);
    }
    expect_equal(keys, model);
    for (const auto& [copy, then] : copies) expect_equal(copy, then);
  }
}

TEST(DoneKeys, SurviveTheWorldsText) {
  World world;
  for (std::uint64_t seq = 1; seq <= 700; ++seq) {
    world.keys.add({DoneKeys::digest_of(fmt::format("ops/{}", seq)), seq, seq + 7, instant_ms(5)});
  }
  for (int i = 0; i < 100; ++i) world.keys.drop_oldest();
  const auto back = world_from_text(world_to_text(world));
  ASSERT_TRUE(back);
  EXPECT_EQ(world_hash(*back), world_hash(world));
  EXPECT_EQ(back->keys.find("ops/100"), nullptr);
  ASSERT_NE(back->keys.find("ops/101"), nullptr);
  EXPECT_EQ(back->keys.find("ops/101")->seq, 101u);
}

}  // namespace
}  // namespace showcaller
