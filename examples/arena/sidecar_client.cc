// SPDX-License-Identifier: Apache-2.0
#include "sidecar_client.h"

#include <cerrno>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace arena {

SidecarClient::~SidecarClient() {
  if (fd_ >= 0) ::close(fd_);
  if (watch_fd_ >= 0) ::close(watch_fd_);
}

int SidecarClient::connect() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(std::uint16_t(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{2, 0};
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

std::optional<std::string> SidecarClient::exchange(const std::string& request) {
  if (fd_ < 0) fd_ = connect();
  if (fd_ < 0) return std::nullopt;
  HttpReplyReader reader;
  if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) == ssize_t(request.size())) {
    char buffer[4096];
    ssize_t n = 0;
    while ((n = ::recv(fd_, buffer, sizeof buffer, 0)) > 0) {
      const auto state = reader.feed({buffer, std::size_t(n)});
      if (state == HttpReplyReader::State::Broken) break;
      if (state == HttpReplyReader::State::More) continue;
      if (!reader.reply().keep) {
        ::close(fd_);
        fd_ = -1;
      }
      if (reader.reply().status != 200) return std::nullopt;
      return std::move(reader.reply().body);
    }
  }
  ::close(fd_);
  fd_ = -1;
  return std::nullopt;
}

std::optional<std::string> SidecarClient::call(std::string_view method, std::string_view path,
                                               std::string_view body) {
  const std::string request = http_request(method, path, "localhost", "", body);
  const bool was_open = fd_ >= 0;
  auto reply = exchange(request);
  // A kept connection may have been closed since the last call.
  if (!reply && was_open && fd_ < 0) reply = exchange(request);
  return reply;
}

bool SidecarClient::open_watch() {
  if (watch_fd_ >= 0) ::close(watch_fd_);
  watch_reader_ = {};
  watch_fd_ = connect();
  if (watch_fd_ < 0) return false;
  const std::string request = http_request("GET", "/watch/gameserver", "localhost", "", "");
  if (::send(watch_fd_, request.data(), request.size(), MSG_NOSIGNAL) != ssize_t(request.size()))
    return false;
  ::fcntl(watch_fd_, F_SETFL, O_NONBLOCK);
  return true;
}

std::vector<showcaller::json::object> SidecarClient::read_watch() {
  std::vector<showcaller::json::object> out;
  bool over = false;
  while (!over) {
    char buffer[8192];
    const ssize_t n = ::recv(watch_fd_, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    over = n <= 0 || watch_reader_.feed({buffer, std::size_t(n)}) != HttpReplyReader::State::More;
    while (const auto line = watch_reader_.take_line()) {
      auto value = showcaller::parse_json(*line);
      if (!value || !value->is_object()) continue;
      const auto* result = showcaller::get_if(value->get_object(), "result");
      if (result && result->is_object()) out.push_back(result->get_object());
    }
  }
  if (over) open_watch();
  return out;
}

}  // namespace arena
