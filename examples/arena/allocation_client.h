// SPDX-License-Identifier: Apache-2.0
// Asks the allocation API for places, over a few kept connections, without blocking.
//
// Threads: one, which polls fds() and calls ready(). A request that gets no answer in time is asked
// again with the same session id: the answer is the same.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "http_text.h"

namespace arena {

struct Place {
  std::string instance;
  std::string address;
  int port = 0;
  std::string build;
};

struct AllocationAnswer {
  std::optional<Place> place;
  int status = 0;  // 0: no answer
  double retry_after_s = 1;
};

class AllocationClient {
 public:
  using Clock = std::chrono::steady_clock;
  using OnAnswer = std::function<void(const AllocationAnswer&)>;

  // The url is "http://host:port", IPv4 or localhost.
  AllocationClient(const std::string& url, std::string token, int connections);
  ~AllocationClient();
  AllocationClient(const AllocationClient&) = delete;
  AllocationClient& operator=(const AllocationClient&) = delete;

  bool usable() const { return port_ > 0; }
  void ask(std::string body, OnAnswer on_answer);
  std::vector<int> fds() const;
  void ready(int fd);
  // Gives up on answers that are overdue and sends what waits.
  void turn(Clock::time_point now);
  std::size_t waiting() const { return queue_.size(); }

 private:
  struct Request {
    std::string body;
    OnAnswer on_answer;
    int tries = 0;
  };
  struct Connection {
    int fd = -1;
    std::optional<Request> request;
    HttpReplyReader reader;
    Clock::time_point asked;
  };
  bool open(Connection* connection);
  void begin(Connection* connection, Request request, Clock::time_point now);
  void fail(Connection* connection);
  void finish(Connection* connection);

  std::string host_;
  std::uint32_t ip_ = 0;
  int port_ = 0;
  std::string token_;
  std::vector<Connection> connections_;
  std::deque<Request> queue_;
};

}  // namespace arena
