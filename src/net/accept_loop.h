// SPDX-License-Identifier: Apache-2.0
// Accepts on a listening socket, and hands each new socket to who serves it. Where the process has
// no descriptors left, it waits a moment: those of others that close are waited for.
//
// Threads: the io_context's, but for the constructor.
#pragma once

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace showcaller {

// Takes over a new socket.
using SocketSink = std::function<void(int descriptor)>;

class AcceptLoop {
 public:
  // The descriptor is this loop's from now on.
  AcceptLoop(boost::asio::io_context* context, int descriptor, SocketSink sink);
  ~AcceptLoop();

  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace showcaller
