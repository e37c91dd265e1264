// SPDX-License-Identifier: Apache-2.0
// Calls in their order, at most so many, and each told whether its turn came.
#include "net/call_queue.h"

#include <future>
#include <string>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace showcaller {
namespace {

using Turn = CallQueue::Turn;
using Put = CallQueue::Put;

TEST(CallQueue, MakesCallsInTheirOrderAndRefusesWhatHasNoRoom) {
  std::string made;
  std::promise<void> begun, go_on;
  {
    CallQueue queue(2, 1);
    ASSERT_EQ(queue.put([&](Turn) {
      begun.set_value();
      go_on.get_future().wait();
      made += 'a';
    }),
              Put::Taken);
    begun.get_future().wait();
    std::promise<void> last;
    EXPECT_EQ(queue.put([&](Turn) { made += 'b'; }), Put::Taken);
    EXPECT_EQ(queue.put([&](Turn) {
      made += 'c';
      last.set_value();
    }),
              Put::Taken);
    EXPECT_EQ(queue.put([&](Turn) { made += 'd'; }), Put::Full);
    go_on.set_value();
    last.get_future().wait();
  }
  EXPECT_EQ(made, "abc");
}

// A server that takes connections and never answers.
class DeafServer {
 public:
  DeafServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 4);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~DeafServer() { ::close(listener_); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  int listener_;
  int port_ = 0;
};

TEST(CallQueue, EndsWhatIsUnderWayAndTellsWhatWaits) {
  const DeafServer server;
  CallQueue queue(8, 1);
  std::promise<void> begun;
  bool answered = true;
  Turn second = Turn::Now;
  ASSERT_EQ(queue.put([&](Turn) {
    HttpClient client({.base_url = server.url(), .timeout = seconds(60)});
    begun.set_value();
    answered = queue.exchange(&client, {}).has_value();
  }),
            Put::Taken);
  ASSERT_EQ(queue.put([&](Turn turn) { second = turn; }), Put::Taken);
  begun.get_future().wait();
  queue.end();
  EXPECT_FALSE(answered);
  EXPECT_EQ(second, Turn::Never);
  EXPECT_EQ(queue.put([](Turn) {}), Put::Ending);
}

}  // namespace
}  // namespace showcaller
