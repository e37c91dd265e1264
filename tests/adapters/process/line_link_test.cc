// SPDX-License-Identifier: Apache-2.0
#include "adapters/process/line_link.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "adapters/process/shim_protocol.h"
#include "codec/agones_sidecar_state.h"

namespace showcaller {
namespace {

struct Pair {
  Pair() {
    int fds[2];
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds);
    a.emplace(FileHandle(fds[0]));
    b.emplace(FileHandle(fds[1]));
  }
  std::optional<LineLink> a, b;
};

TEST(LineLink, ASlowReaderGetsTheLastWord) {
  Pair pair;
  const std::string filler(1000, 'x');
  for (int i = 0; i < 5000; ++i) pair.a->send(filler + std::to_string(i));
  std::vector<std::string> seen;
  while (true) {
    const std::size_t before = seen.size();
    EXPECT_TRUE(
        pair.b->receive([&](std::string_view line) { seen.emplace_back(line.substr(1000)); }));
    EXPECT_TRUE(pair.a->flush());
    if (seen.size() == before) break;
  }
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.back(), "4999");
  EXPECT_LT(seen.size(), 5000u) << "a slow reader must not make the writer keep all";
}

TEST(LineLink, ALineWithoutEndIsCutOff) {
  Pair pair;
  const std::string chunk(100'000, 'x');
  bool open = true;
  for (int i = 0; i < 100 && open; ++i) {
    ::send(pair.a->fd(), chunk.data(), chunk.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    open = pair.b->receive([](std::string_view) {});
  }
  EXPECT_FALSE(open);
}

TEST(ShimProtocol, EveryCommandComesBackAsItWas) {
  for (const ShimCommand& command :
       {ShimCommand(AdoptCommand{7}), ShimCommand(StopCommand{7, seconds(3), "a \"reason\"\n"}),
        ShimCommand(AllocateCommand{
            7, {.session = "s", .labels = {{"a", "b"}}, .annotations = {{"c", "d"}}}})}) {
    const std::string text = to_text(command);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    const auto back = parse_command(text);
    ASSERT_TRUE(back);
    EXPECT_EQ(to_text(*back), text);
  }
  EXPECT_FALSE(parse_command("{\"do\":\"dance\"}"));
  EXPECT_FALSE(parse_command("[]"));
}

// A report that the driver cannot read blinds it to the instance, which then gets a second session.
TEST(ShimProtocol, AReportWithAllTheMetadataThatFitsPassesTheLink) {
  ShimReport report;
  report.instance = {.id = "raid-1", .state = InstanceState::Allocated, .session = "s-1"};
  report.instance.annotations["a"] = std::string(agones::kMetadataBytesMax, '\x01');
  const std::string text = to_text(report);
  Pair pair;
  pair.a->send(text);
  std::string seen;
  while (pair.a->has_output() || seen.empty()) {
    ASSERT_TRUE(pair.b->receive([&](std::string_view line) { seen = line; }));
    ASSERT_TRUE(pair.a->flush());
  }
  const auto back = parse_report(seen);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->instance.session, "s-1");
  EXPECT_EQ(back->instance.annotations, report.instance.annotations);
}

}  // namespace
}  // namespace showcaller
