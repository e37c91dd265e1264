// SPDX-License-Identifier: Apache-2.0
#include "adapters/process/line_link.h"

#include <cerrno>

#include <poll.h>
#include <sys/socket.h>

#include "adapters/process/shim_protocol.h"

namespace showcaller {
namespace {

constexpr std::size_t kWaitingBytesMax = kLineBytesMax;

}  // namespace

void LineLink::send(std::string_view report) {
  if (sending_.empty()) {
    sending_.assign(report);
    sending_ += '\n';
    flush();
  } else {
    next_.assign(report);
    next_ += '\n';
  }
}

bool LineLink::send_command(std::string_view command) {
  if (sending_.size() + command.size() > kWaitingBytesMax) return false;
  sending_ += command;
  sending_ += '\n';
  return flush();
}

bool LineLink::flush() {
  while (true) {
    if (sending_.empty()) sending_.swap(next_);
    if (sending_.empty()) return true;
    const ssize_t n =
        ::send(socket_.get(), sending_.data(), sending_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    sending_.erase(0, std::size_t(n));
  }
}

bool LineLink::receive(const std::function<void(std::string_view line)>& on_line) {
  char buffer[16384];
  bool open = true;
  while (open) {
    const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      open = errno == EAGAIN || errno == EWOULDBLOCK;
      break;
    }
    if (n == 0) {
      open = false;
      break;
    }
    received_.append(buffer, std::size_t(n));
  }
  std::size_t at = 0;
  for (std::size_t end = 0; (end = received_.find('\n', at)) != std::string::npos; at = end + 1) {
    on_line(std::string_view(received_).substr(at, end - at));
  }
  received_.erase(0, at);
  return open && received_.size() <= kLineBytesMax;
}

void LineLink::drain(int timeout_ms) {
  while (has_output() && flush() && has_output()) {
    pollfd polled{socket_.get(), POLLOUT, 0};
    if (::poll(&polled, 1, timeout_ms) <= 0) return;
  }
}

}  // namespace showcaller
