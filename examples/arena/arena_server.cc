// SPDX-License-Identifier: Apache-2.0
#include "arena_server.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace arena {
namespace {

using showcaller::json::object;
constexpr auto kTick = std::chrono::microseconds(1'000'000 / kTicksPerSecond);
constexpr int kTicksPerSnapshot = 3;
constexpr auto kSilenceMax = std::chrono::seconds(5);

std::chrono::milliseconds span(double seconds) {
  return std::chrono::milliseconds(std::int64_t(seconds * 1000));
}

const object* child(const object& parent, std::string_view key) {
  const auto* value = showcaller::get_if(parent, key);
  return value && value->is_object() ? &value->get_object() : nullptr;
}

std::uint64_t packed(const sockaddr_in& address) {
  return (std::uint64_t(address.sin_addr.s_addr) << 16) | address.sin_port;
}

sockaddr_in unpacked(std::uint64_t address) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = std::uint32_t(address >> 16);
  out.sin_port = std::uint16_t(address & 0xffff);
  return out;
}

template <class... Arguments>
void log(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  fmt::print("arena: {}\n", fmt::format(text, std::forward<Arguments>(arguments)...));
  std::fflush(stdout);
}

}  // namespace

ArenaServer::ArenaServer(ServerOptions options, SidecarClient* sidecar, LiveOps* live_ops)
    : options_(options), sidecar_(sidecar), live_ops_(live_ops), random_(options.seed) {}

ArenaServer::~ArenaServer() {
  if (socket_ >= 0) ::close(socket_);
  if (signals_ >= 0) ::close(signals_);
}

bool ArenaServer::open() {
  socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(std::uint16_t(options_.port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return false;
  ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  signals_ = ::signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
  return signals_ >= 0;
}

int ArenaServer::run() {
  if (sidecar_) {
    if (const auto text = sidecar_->call("GET", "/gameserver")) {
      const auto known = showcaller::parse_json(*text);
      const object* spec =
          known && known->is_object() ? child(known->get_object(), "spec") : nullptr;
      const object* health = spec ? child(*spec, "health") : nullptr;
      if (health) {
        const std::int64_t period_s = showcaller::get_int(*health, "period_seconds", 1);
        ping_period_ =
            std::chrono::milliseconds(std::clamp<std::int64_t>(period_s * 1000 / 4, 50, 1000));
      }
    }
    sidecar_->call("PUT", "/alpha/player/capacity",
                   fmt::format(R"({{"count":"{}"}})", options_.players_max));
    sidecar_->open_watch();
    if (!sidecar_->post("/ready")) {
      log("the sidecar does not answer");
      return 1;
    }
  } else {
    begin_session({.id = "local"});
  }
  while (!ending_) {
    pollfd polled[3] = {{socket_, POLLIN, 0},
                        {signals_, POLLIN, 0},
                        {sidecar_ ? sidecar_->watch_fd() : -1, POLLIN, 0}};
    ::poll(polled, 3, wait_ms(Clock::now()));
    if (polled[1].revents != 0) ending_ = true;
    if (polled[2].revents != 0) watch_sidecar();
    if (polled[0].revents != 0) receive();
    turn(Clock::now());
  }
  if (stage_ == Stage::Playing) send_all(match_->end());
  log("ends");
  return 0;
}

int ArenaServer::wait_ms(Clock::time_point now) const {
  auto until = sidecar_ ? next_ping_ : now + std::chrono::seconds(1);
  if (stage_ == Stage::Playing) until = std::min(until, next_tick_);
  if (stage_ == Stage::Gathering) until = std::min(until, now + std::chrono::milliseconds(50));
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
  return int(std::clamp<std::int64_t>(left, 0, 1000));
}

void ArenaServer::watch_sidecar() {
  for (const object& game_server : sidecar_->read_watch()) {
    const object* meta = child(game_server, "object_meta");
    const object* status = child(game_server, "status");
    if (!meta || !status) continue;
    const std::string state = showcaller::get_string(*status, "state");
    const object* annotations = child(*meta, "annotations");
    if (state != "Allocated" || !annotations || stage_ != Stage::Waiting) continue;
    Session session{.id = showcaller::get_string(*annotations, "showcaller.dev/session"),
                    .party = showcaller::get_string(*annotations, "showcaller.dev/party"),
                    .arms = showcaller::get_string(*annotations, "showcaller.dev/arms")};
    if (!session.id.empty() && session.id != last_session_) begin_session(std::move(session));
  }
}

void ArenaServer::begin_session(Session session) {
  log("session {} begins", session.id);
  stage_ = Stage::Gathering;
  stage_began_ = Clock::now();
  last_session_ = session.id;
  session_ = std::move(session);
  first_join_.reset();
  match_ = std::make_unique<Match>(random_.next(), live_ops_->rules_for(*session_));
  clients_.clear();
}

void ArenaServer::receive() {
  const Clock::time_point now = Clock::now();
  for (int i = 0; i < 256; ++i) {
    char buffer[2048];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t n =
        ::recvfrom(socket_, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 0) return;
    if (const auto packet = decode({buffer, std::size_t(n)})) handle(packed(from), *packet, now);
  }
}

void ArenaServer::handle(std::uint64_t from, const Packet& packet, Clock::time_point now) {
  if (const auto* join = std::get_if<Join>(&packet)) {
    welcome(from, *join, now);
    return;
  }
  const auto client = clients_.find(from);
  if (client == clients_.end()) {
    if (std::holds_alternative<Input>(packet)) send(from, Refuse{RefuseReason::NoMatch});
    return;
  }
  client->second.heard = now;
  if (const auto* input = std::get_if<Input>(&packet))
    match_->set_input(client->second.slot, *input);
  if (std::holds_alternative<Leave>(packet)) {
    match_->leave(client->second.slot);
    clients_.erase(client);
  }
}

void ArenaServer::welcome(std::uint64_t from, const Join& join, Clock::time_point now) {
  if (join.protocol != options_.protocol) {
    send(from, Refuse{RefuseReason::WrongProtocol});
    return;
  }
  if (!session_ || (sidecar_ && join.session != session_->id)) {
    // The session may be on its way here: the client asks again for a while.
    if (stage_ != Stage::Waiting) send(from, Refuse{RefuseReason::WrongSession});
    return;
  }
  const bool known = clients_.contains(from);
  const bool full = !known && int(clients_.size()) >= options_.players_max;
  const int slot = full ? -1 : match_->join(join.player);
  if (slot < 0) {
    send(from, Refuse{RefuseReason::Full});
    return;
  }
  clients_[from] = {from, slot, join.player, now};
  send(from, Welcome{std::uint8_t(slot)});
  if (known) return;
  if (!first_join_) first_join_ = now;
  if (sidecar_) {
    showcaller::json::object body{{"playerID", join.player}};
    sidecar_->post("/alpha/player/connect", showcaller::to_json_text(body));
  }
}

void ArenaServer::send(std::uint64_t to, const Packet& packet) {
  const std::string bytes = encode(packet);
  const sockaddr_in address = unpacked(to);
  ::sendto(socket_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&address),
           sizeof address);
}

void ArenaServer::send_all(const Packet& packet) {
  for (const auto& [address, client] : clients_) send(address, packet);
}

void ArenaServer::turn(Clock::time_point now) {
  if (sidecar_ && now >= next_ping_) ping(now);
  if (stage_ == Stage::Gathering) {
    const bool all = int(clients_.size()) >= options_.players_max;
    if (first_join_ && (all || now - *first_join_ >= span(options_.gather_seconds))) {
      begin_match(now);
    } else if (!first_join_ && sidecar_ && now - stage_began_ >= span(options_.claim_seconds)) {
      log("nobody came to session {}", session_->id);
      end_session(false, now);
    }
  }
  while (stage_ == Stage::Playing && now >= next_tick_) step(now);
}

void ArenaServer::ping(Clock::time_point now) {
  sidecar_->post("/health");
  next_ping_ = now + ping_period_;
}

void ArenaServer::begin_match(Clock::time_point now) {
  stage_ = Stage::Playing;
  stage_began_ = now;
  next_tick_ = now + kTick;
  last_tick_ = std::uint32_t(options_.match_seconds * kTicksPerSecond);
  defect_ = random_.chance(options_.crash_rate)   ? Defect::Crash
            : random_.chance(options_.stall_rate) ? Defect::Stall
                                                  : Defect::None;
  defect_tick_ = std::uint32_t(random_.below(std::max<std::uint32_t>(last_tick_, 1)));
  live_ops_->session_started(*session_, int(clients_.size()));
}

void ArenaServer::step(Clock::time_point now) {
  const auto began = Clock::now();
  match_->step();
  if (defect_ != Defect::None && match_->tick() > defect_tick_) show_defect();
  if (match_->tick() % kTicksPerSnapshot == 0) send_all(match_->snapshot());
  live_ops_->step_took(*session_,
                       std::chrono::duration<double, std::milli>(Clock::now() - began).count());
  // A server that was held up drops the steps it missed rather than hurry through them.
  next_tick_ = std::max(next_tick_ + kTick, now - kTick);
  std::erase_if(clients_, [&](const auto& one) { return now - one.second.heard > kSilenceMax; });
  if (match_->tick() >= last_tick_ || clients_.empty())
    end_session(match_->tick() >= last_tick_, now);
}

void ArenaServer::show_defect() {
  if (defect_ == Defect::Crash) {
    log("loot table: row count does not match the checksum");
    std::abort();
  }
  log("loot table: waiting for its lock");
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable given_back;
  // SIGTERM is blocked and nobody reads it now: as a real stall, it ends only by SIGKILL.
  while (true) given_back.wait(lock);
}

void ArenaServer::end_session(bool completed, Clock::time_point now) {
  if (match_->tick() > 0) {
    send_all(match_->end());
    const double seconds = std::chrono::duration<double>(now - stage_began_).count();
    log("session {} {} after {:.1f} s: {} players, {} shots, {} falls", session_->id,
        completed ? "completed" : "was left", seconds, match_->players().size(), match_->shots(),
        match_->falls());
    live_ops_->session_ended(*session_, completed, seconds, match_->falls());
  }
  if (!sidecar_) {
    begin_session({.id = "local"});
    return;
  }
  for (const std::string& player : match_->players()) {
    showcaller::json::object body{{"playerID", player}};
    sidecar_->post("/alpha/player/disconnect", showcaller::to_json_text(body));
  }
  stage_ = Stage::Waiting;
  session_.reset();
  match_.reset();
  clients_.clear();
  if (!sidecar_->post("/ready")) log("the sidecar does not answer");
}

}  // namespace arena
