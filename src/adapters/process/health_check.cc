// SPDX-License-Identifier: Apache-2.0
#include "adapters/process/health_check.h"

#include <cerrno>
#include <cstring>
#include <string_view>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

namespace showcaller {
namespace {

constexpr std::string_view kDatagram = "showcaller probe";
constexpr std::size_t kStatusLineMax = 12;  // "HTTP/1.1 200"

// Without a value: the answer is good.
std::optional<std::string> refusal(std::string_view status_line) {
  const bool is_http = status_line.starts_with("HTTP/1.") && status_line.size() == kStatusLineMax;
  if (!is_http) return "its answer is no HTTP";
  const std::string_view status = status_line.substr(9);
  if (status[0] == '2' || status[0] == '3') return std::nullopt;
  return fmt::format("it answered with status {}", status);
}

}  // namespace

void HealthCheck::turn(Instant now) {
  if (stage_ == Stage::Waiting) {
    if (now >= next_) ask(now);
    return;
  }
  if (stage_ == Stage::Connecting) connected();
  if (stage_ == Stage::Asked) hear();
  if (stage_ != Stage::Waiting && now >= give_up_)
    done(fmt::format("no answer within {}", format_duration(probe_.timeout)));
}

void HealthCheck::ask(Instant now) {
  next_ = now + probe_.period;
  give_up_ = now + probe_.timeout;
  heard_.clear();
  const int type = probe_.kind == ProbeKind::Udp ? SOCK_DGRAM : SOCK_STREAM;
  socket_ = FileHandle(::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  stage_ = Stage::Connecting;
  const auto* where = reinterpret_cast<const sockaddr*>(&address_);
  if (!socket_ || (::connect(socket_.get(), where, sizeof address_) != 0 && errno != EINPROGRESS))
    return done(std::strerror(errno));
  if (probe_.kind == ProbeKind::Udp) connected();
}

void HealthCheck::connected() {
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(socket_.get(), reinterpret_cast<sockaddr*>(&peer), &size) != 0) {
    int error = 0;
    size = sizeof error;
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) done(std::strerror(error));
    return;
  }
  if (probe_.kind == ProbeKind::Tcp) return done(std::nullopt);
  const std::string question =
      probe_.kind == ProbeKind::Udp
          ? std::string(kDatagram)
          : fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                        probe_.path);
  if (::send(socket_.get(), question.data(), question.size(), MSG_NOSIGNAL) !=
      ssize_t(question.size()))
    return done(std::strerror(errno));
  stage_ = Stage::Asked;
}

void HealthCheck::hear() {
  char buffer[2048];
  const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, 0);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
  if (n < 0) return done(std::strerror(errno));
  if (probe_.kind == ProbeKind::Udp) return done(std::nullopt);
  heard_.append(buffer, std::size_t(n));
  if (heard_.size() >= kStatusLineMax || n == 0)
    done(refusal(std::string_view(heard_).substr(0, kStatusLineMax)));
}

void HealthCheck::done(std::optional<std::string> failure) {
  socket_.reset();
  stage_ = Stage::Waiting;
  failures_ = failure ? failures_ + 1 : 0;
  if (failure) reason_ = *std::move(failure);
}

}  // namespace showcaller
