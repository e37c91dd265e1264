// SPDX-License-Identifier: Apache-2.0
// A socket that says exactly the bytes a test wants, for conversations with the server.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace showcaller {

class RawSocket {
 public:
  explicit RawSocket(std::uint16_t port, int receive_buffer = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0)
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  RawSocket(RawSocket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}
  RawSocket& operator=(RawSocket&&) = delete;
  ~RawSocket() { close(); }

  bool connected() const { return connected_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Until the text ends in `end`, the peer closes, or 10 seconds are over.
  std::string read_until(std::string_view end) {
    std::string text;
    while (end.empty() || text.find(end) == text.npos) {
      const std::string piece = read_some(64 << 10);
      if (piece.empty()) break;
      text += piece;
    }
    return text;
  }
  std::string read_all() { return read_until({}); }
  std::string read_some(std::size_t most) {
    pollfd fd{fd_, POLLIN, 0};
    if (::poll(&fd, 1, 10'000) <= 0) return {};
    std::string piece(most, '\0');
    const auto size = ::recv(fd_, piece.data(), piece.size(), 0);
    piece.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return piece;
  }

 private:
  int fd_;
  bool connected_ = false;
};

// Dates differ from run to run.
inline std::string without_date(std::string text) {
  for (auto at = text.find("Date: "); at != text.npos; at = text.find("Date: ", at)) {
    text.erase(at, text.find("\r\n", at) + 2 - at);
  }
  return text;
}

}  // namespace showcaller
