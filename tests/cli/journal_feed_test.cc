// SPDX-License-Identifier: Apache-2.0
// What flagd's protocols get of the journal's flags: by token, by selector, and as it changes.
#include "cli/serve/journal_feed.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "cli/serve/host_backend.h"
#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

std::string flag(std::string_view name, std::string_view more) {
  return fmt::format(
      "apiVersion: showcaller.dev/v1\nkind: Flag\nmetadata: {{ name: {}, owner: team-raids }}\n"
      "spec: {{ variants: {{ open: true }}, defaultVariant: open{} }}\n---\n",
      name, more);
}

class JournalFlags : public testing::Test {
 protected:
  JournalFlags() {
    apply(flag("door", ", visibility: client") + flag("gate", ", metadata: { flagSetId: shop }"));
    for (const auto& [token, role] :
         {std::pair("phone", "client"), std::pair("server", "game-server")})
      EXPECT_TRUE(
          theatre_.command(CreateTokenCommand{token, token, to_hex(sha256(token)), {role}, {}}));
  }
  void apply(const std::string& manifests) {
    const auto applied = theatre_.apply("flags.yaml", manifests);
    EXPECT_TRUE(applied) << applied.error().message;
  }

  // "door gate", or an error's code.
  static std::string keys(const Result<SharedFlags>& flags) {
    if (!flags) return std::string(to_string(flags.error().code));
    std::string out;
    for (std::size_t i = 0; i < (*flags)->size(); ++i)
      out += (i > 0 ? " " : "") + std::string((*flags)->key(i));
    return out;
  }

  Theatre theatre_;
  MemoryJournal journal_{theatre_.disk};
  HostBackend backend_{&theatre_.host(), &journal_, {"test", "test"}};
};

TEST_F(JournalFlags, ByWhoAsks) {
  const JournalFeed feed(&backend_, false);
  EXPECT_EQ(keys(feed.flags({"server", ""})), "door gate");
  EXPECT_EQ(keys(feed.flags({"phone", ""})), "door");
  EXPECT_EQ(keys(feed.flags({"", ""})), "unauthenticated");
  EXPECT_EQ(keys(feed.flags({"wrong", ""})), "unauthenticated");
  EXPECT_EQ(keys(feed.rules({"server", ""})), "door gate");
  EXPECT_EQ(keys(feed.rules({"phone", ""})), "forbidden");
}

TEST_F(JournalFlags, OpenToWhoShowsNoToken) {
  const JournalFeed feed(&backend_, true);
  EXPECT_EQ(keys(feed.flags({"", ""})), "door");
  EXPECT_EQ(keys(feed.rules({"", ""})), "forbidden");
  EXPECT_EQ(keys(feed.flags({"wrong", ""})), "unauthenticated");
}

TEST_F(JournalFlags, BySelector) {
  const JournalFeed feed(&backend_, false);
  EXPECT_EQ(keys(feed.flags({"server", "flagSetId=shop"})), "gate");
  EXPECT_EQ(keys(feed.flags({"server", "journal"})), "door gate");
  EXPECT_EQ(keys(feed.flags({"phone", "flagSetId=shop"})), "");
  EXPECT_EQ(keys(feed.flags({"server", "app=x"})), "invalid");
  // The same is compiled once, and again when the flags are others.
  EXPECT_EQ(*feed.flags({"server", "flagSetId=shop"}), *feed.flags({"server", "flagSetId=shop"}));
  apply(flag("hall", ", metadata: { flagSetId: shop }"));
  EXPECT_EQ(keys(feed.flags({"server", "flagSetId=shop"})), "gate hall");
}

}  // namespace
}  // namespace showcaller::test
