// SPDX-License-Identifier: Apache-2.0
#include "allocation_client.h"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"

namespace arena {
namespace {

constexpr auto kPatience = std::chrono::seconds(3);
constexpr int kTriesMax = 3;

}  // namespace

AllocationClient::AllocationClient(const std::string& url, std::string token, int connections)
    : token_(std::move(token)), connections_(std::size_t(connections)) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return;
  const std::string_view authority =
      std::string_view(url).substr(kScheme.size(), url.find('/', kScheme.size()) - kScheme.size());
  const std::size_t colon = authority.rfind(':');
  std::string host(authority.substr(0, colon));
  if (host == "localhost") host = "127.0.0.1";
  in_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) != 1) return;
  int port = 80;
  if (colon != std::string_view::npos) {
    std::from_chars(authority.data() + colon + 1, authority.data() + authority.size(), port);
  }
  host_ = authority;
  ip_ = address.s_addr;
  port_ = port;
}

AllocationClient::~AllocationClient() {
  for (const Connection& connection : connections_) {
    if (connection.fd >= 0) ::close(connection.fd);
  }
}

bool AllocationClient::open(Connection* connection) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(std::uint16_t(port_));
  address.sin_addr.s_addr = ip_;
  const timeval patience{1, 0};
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return false;
  }
  connection->fd = fd;
  return true;
}

void AllocationClient::ask(std::string body, OnAnswer on_answer) {
  queue_.push_back({std::move(body), std::move(on_answer)});
}

std::vector<int> AllocationClient::fds() const {
  std::vector<int> out;
  for (const Connection& connection : connections_) {
    if (connection.fd >= 0) out.push_back(connection.fd);
  }
  return out;
}

void AllocationClient::begin(Connection* connection, Request request, Clock::time_point now) {
  connection->request = std::move(request);
  connection->reader = {};
  connection->asked = now;
  ++connection->request->tries;
  const std::string text =
      http_request("POST", "/api/v1/allocations", host_, token_, connection->request->body);
  if (::send(connection->fd, text.data(), text.size(), MSG_NOSIGNAL) != ssize_t(text.size()))
    fail(connection);
}

// The connection is of no more use; what was asked on it is asked again, or has no answer.
void AllocationClient::fail(Connection* connection) {
  if (connection->fd >= 0) ::close(connection->fd);
  connection->fd = -1;
  if (!connection->request) return;
  Request request = *std::move(connection->request);
  connection->request.reset();
  if (request.tries < kTriesMax) {
    queue_.push_front(std::move(request));
  } else {
    request.on_answer({});
  }
}

void AllocationClient::turn(Clock::time_point now) {
  for (Connection& connection : connections_) {
    if (connection.request && now - connection.asked > kPatience) fail(&connection);
    if (connection.request || queue_.empty()) continue;
    if (connection.fd < 0 && !open(&connection)) {
      Request request = std::move(queue_.front());
      queue_.pop_front();
      request.on_answer({});
      return;
    }
    Request request = std::move(queue_.front());
    queue_.pop_front();
    begin(&connection, std::move(request), now);
  }
}

void AllocationClient::ready(int fd) {
  const auto at = std::ranges::find(connections_, fd, &Connection::fd);
  if (at == connections_.end()) return;
  char buffer[8192];
  const ssize_t n = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0 || !at->request) {
    fail(&*at);
    return;
  }
  switch (at->reader.feed({buffer, std::size_t(n)})) {
    case HttpReplyReader::State::More:
      return;
    case HttpReplyReader::State::Broken:
      fail(&*at);
      return;
    case HttpReplyReader::State::Done:
      finish(&*at);
      return;
  }
}

void AllocationClient::finish(Connection* connection) {
  const HttpReply reply = std::move(connection->reader.reply());
  const Request request = *std::move(connection->request);
  connection->request.reset();
  if (!reply.keep) fail(connection);
  AllocationAnswer answer{.status = reply.status};
  if (reply.retry_after_s > 0) answer.retry_after_s = reply.retry_after_s;
  const auto body = showcaller::parse_json(reply.body);
  if (reply.status / 100 == 2 && body && body->is_object()) {
    const auto& object = body->get_object();
    Place place{.instance = showcaller::get_string(object, "instance"),
                .address = showcaller::get_string(object, "address"),
                .port = int(showcaller::get_int(object, "port")),
                .build = showcaller::get_string(object, "build")};
    if (place.port > 0) answer.place = std::move(place);
  }
  request.on_answer(answer);
}

}  // namespace arena
