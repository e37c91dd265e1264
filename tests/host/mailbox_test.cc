// SPDX-License-Identifier: Apache-2.0
#include "host/mailbox.h"

#include <gtest/gtest.h>

namespace showcaller::test {
namespace {

Letter hold(const std::string& event) {
  return {Command{EventCommand{event, EventVerb::Hold}, {"ann", {}}, {}, {}, {}}, {}};
}
Letter resume(const std::string& event) {
  return {Command{EventCommand{event, EventVerb::Resume}, {"ann", {}}, {}, {}, {}}, {}};
}

std::string event_of(const Letter& letter) {
  return std::get<EventCommand>(std::get<Command>(letter.input).body).event;
}

TEST(Mailbox, LettersComeOutInTheOrderTheyCameHoweverManyAreTakenAtOnce) {
  Mailbox mailbox(1'000);
  std::vector<Letter> taken;
  int put = 0, got = 0;
  for (const std::size_t most : {3u, 1u, 100u, 2u, 7u, 4u, 100u, 100u}) {
    for (int i = 0; i < 5; ++i) {
      Letter letter = hold(std::to_string(put++));
      ASSERT_TRUE(mailbox.put(&letter));
    }
    mailbox.take(most, &taken);
    EXPECT_LE(taken.size(), most);
    for (const Letter& letter : taken) EXPECT_EQ(event_of(letter), std::to_string(got++));
    EXPECT_EQ(mailbox.size(), std::size_t(put - got));
  }
  EXPECT_EQ(got, put);
}

TEST(Mailbox, WhatIsRefusedIsStillTheCallersAndMovesTowardSafetyHaveRoom) {
  Mailbox mailbox(1);
  Letter first = resume("a"), second = resume("b"), safe = hold("c");
  ASSERT_TRUE(mailbox.put(&first));
  const Status refused = mailbox.put(&second);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Limit);
  EXPECT_EQ(event_of(second), "b");
  EXPECT_TRUE(mailbox.put(&safe));
}

TEST(Mailbox, IsLightAgainWhenWhatTakesLongIsTaken) {
  Mailbox mailbox(10);
  std::vector<Letter> taken;
  Letter slow{TimePassed{}, {}}, quick = hold("a"), later = hold("b");
  ASSERT_TRUE(mailbox.put(&slow));
  ASSERT_TRUE(mailbox.put(&quick));
  ASSERT_TRUE(mailbox.put(&later));
  EXPECT_FALSE(mailbox.is_light(8));
  mailbox.take(1, &taken);
  EXPECT_TRUE(mailbox.is_light(8));
  EXPECT_FALSE(mailbox.is_light(1));
  mailbox.take(8, &taken);
  EXPECT_FALSE(mailbox.is_light(8));
}

}  // namespace
}  // namespace showcaller::test
