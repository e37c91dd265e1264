// SPDX-License-Identifier: Apache-2.0
// One thread of an HTTP server with the connections that are its own: reads requests, calls the
// handler, writes answers, keeps every time limit.
//
// Threads: the methods may be called by any; the handler is called on the loop's thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "net/accept_loop.h"
#include "net/http_server.h"
#include "net/tls_context.h"

namespace showcaller {

// Shared by all loops of a server; outlives them.
struct ServerCore {
  HttpLimits limits;
  HttpHandler handler;
  HttpAdmission admission;
  HttpRefusal refusal = [](const HttpRequest&, int status, const std::string& reason) {
    return protocol_problem(status, reason);
  };
  std::function<void()> after_round;
  TlsContext tls;
  std::atomic<std::uint64_t> accepted{0}, requests{0}, refused{0}, timed_out{0}, dropped{0};
  std::atomic<std::size_t> bodies_bytes{0};  // read and not answered yet
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::condition_variable all_gone;
  std::uint64_t open = 0;  // under mutex

  void connection_gone() {
    std::lock_guard lock(mutex);
    if (--open == 0) all_gone.notify_all();
  }
};

class ConnectionLoop {
 public:
  explicit ConnectionLoop(ServerCore* core);
  ~ConnectionLoop();

  // Starts the thread.
  void start();
  // Accepts on this socket, which is the loop's from now on, until stop_listening().
  void listen(int descriptor, SocketSink sink);
  void stop_listening();
  // Serves this socket, which is the loop's from now on; counted in core.open already.
  void adopt(int descriptor, std::string peer);
  // Closes what is idle and ends streams; requests under way may answer.
  void stop_gently();
  void close_all();
  // Ends the thread, when every connection is gone.
  void join();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace showcaller
