// SPDX-License-Identifier: Apache-2.0
#include "net/accept_loop.h"

#include <chrono>
#include <utility>

#include <boost/asio.hpp>
#include <sys/socket.h>

namespace showcaller {
namespace {

namespace accept_asio = boost::asio;
using AcceptExecutor = accept_asio::io_context::executor_type;
using ListeningSocket = accept_asio::posix::basic_stream_descriptor<AcceptExecutor>;
using AcceptClock = std::chrono::steady_clock;
using AcceptTimer =
    accept_asio::basic_waitable_timer<AcceptClock, accept_asio::wait_traits<AcceptClock>,
                                      AcceptExecutor>;

}  // namespace

struct AcceptLoop::State {
  State(boost::asio::io_context* context, int descriptor, SocketSink taken)
      : listening(*context, descriptor), pause(*context), sink(std::move(taken)) {}

  ListeningSocket listening;
  AcceptTimer pause;
  const SocketSink sink;

  void wait() {
    listening.async_wait(ListeningSocket::wait_read, [this](boost::system::error_code error) {
      if (!error && listening.is_open()) accept_all();
    });
  }

  void accept_all() {
    while (true) {
      const int descriptor =
          ::accept4(listening.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (descriptor >= 0) {
        sink(descriptor);
      } else if (errno != ECONNABORTED && errno != EINTR) {
        break;
      }
    }
    const bool exhausted =
        errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (!exhausted) return wait();
    pause.expires_after(std::chrono::milliseconds(50));
    pause.async_wait([this](boost::system::error_code error) {
      if (!error) wait();
    });
  }
};

AcceptLoop::AcceptLoop(boost::asio::io_context* context, int descriptor, SocketSink sink)
    : state_(std::make_unique<State>(context, descriptor, std::move(sink))) {
  state_->wait();
}

AcceptLoop::~AcceptLoop() = default;

void AcceptLoop::close() {
  boost::system::error_code error;
  state_->listening.close(error);
  state_->pause.cancel();
}

}  // namespace showcaller
