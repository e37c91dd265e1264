// SPDX-License-Identifier: Apache-2.0
#include "bot_party.h"

#include <algorithm>
#include <cerrno>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"

namespace arena {
namespace {

std::chrono::milliseconds span(double seconds) {
  return std::chrono::milliseconds(std::int64_t(seconds * 1000));
}

}  // namespace

BotParty::BotParty(std::string id, std::vector<Player> players, const BotRules* rules,
                   BotTotals* totals, std::uint64_t seed)
    : id_(std::move(id)),
      players_(std::move(players)),
      rules_(rules),
      totals_(totals),
      random_(seed) {}

BotParty::~BotParty() {
  for (const Player& player : players_) {
    if (player.fd >= 0) ::close(player.fd);
  }
}

void BotParty::ask(AllocationClient* client) {
  // A session refused for want of a place is asked for again under its own id; a new match has a
  // new one.
  if (session_.empty())
    session_ = fmt::format("{}-{:x}-{}", id_, random_.next() >> 40, ++sessions_asked_);
  showcaller::json::array players;
  for (const Player& player : players_) {
    showcaller::json::object one{{"id", player.id}};
    if (!player.group.empty()) one["group"] = player.group;
    players.push_back(std::move(one));
  }
  showcaller::json::object body{{"session", session_},
                                {"fleet", rules_->fleet},
                                {"party", id_},
                                {"players", std::move(players)},
                                {"protocol", rules_->protocol}};
  if (!rules_->region.empty()) body["region"] = rules_->region;
  stage_ = Stage::Asking;
  client->ask(showcaller::to_json_text(body),
              [this](const AllocationAnswer& answer) { answered(answer); });
}

void BotParty::answered(const AllocationAnswer& answer) {
  const Clock::time_point now = Clock::now();
  if (!answer.place) {
    const bool full = answer.status == 503 || answer.status == 409 || answer.status == 429;
    ++(full ? totals_->refused : totals_->errors);
    if (!full) session_.clear();
    stage_ = Stage::Idle;
    idle_until_ = now + span(answer.retry_after_s * (0.8 + 0.4 * random_.uniform()));
    return;
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(std::uint16_t(answer.place->port));
  ::inet_pton(AF_INET, answer.place->address.c_str(), &address.sin_addr);
  for (Player& player : players_) {
    player.fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    player.welcomed = false;
    ::connect(player.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  ++generation_;
  stage_ = Stage::Joining;
  stage_began_ = heard_ = now;
  tick_ = 0;
  join(now);
}

void BotParty::send(std::size_t player, const Packet& packet) {
  const std::string bytes = encode(packet);
  // A refusal by the kernel (nobody listens there any more) shows as silence.
  [[maybe_unused]] const ssize_t n =
      ::send(players_[player].fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void BotParty::join(Clock::time_point now) {
  for (std::size_t i = 0; i < players_.size(); ++i) {
    if (players_[i].welcomed) continue;
    send(i, Join{std::uint16_t(rules_->protocol), session_, players_[i].id});
  }
  next_send_ = now + std::chrono::milliseconds(100);
}

void BotParty::receive(std::size_t player, Clock::time_point now) {
  while (players_[player].fd >= 0) {
    char buffer[2048];
    const ssize_t n = ::recv(players_[player].fd, buffer, sizeof buffer, 0);
    if (n < 0) return;  // Nothing more, or the kernel says that nobody listens there.
    const auto packet = decode({buffer, std::size_t(n)});
    if (!packet) continue;
    if (std::holds_alternative<Welcome>(*packet)) {
      players_[player].welcomed = true;
      heard_ = now;
      if (std::ranges::all_of(players_, &Player::welcomed) && stage_ == Stage::Joining) {
        stage_ = Stage::Playing;
        ++totals_->sessions;
      }
    } else if (const auto* snapshot = std::get_if<Snapshot>(&*packet)) {
      ++totals_->snapshots;
      tick_ = std::max(tick_, snapshot->tick);
      heard_ = now;
    } else if (std::holds_alternative<End>(*packet)) {
      if (stage_ == Stage::Playing) end(&BotTotals::completed, 0.2 + random_.exponential(1));
    } else if (const auto* refuse = std::get_if<Refuse>(&*packet)) {
      // The end of the match was lost on the way.
      if (stage_ == Stage::Playing && refuse->reason == RefuseReason::NoMatch)
        end(&BotTotals::completed, 1);
    }
  }
}

void BotParty::play(std::size_t player, Clock::time_point) {
  send(player, Input{.tick = tick_,
                     .move_x = std::int8_t(int(random_.below(255)) - 127),
                     .move_y = std::int8_t(int(random_.below(255)) - 127),
                     .aim = std::uint16_t(random_.below(65536)),
                     .fire = random_.chance(0.7)});
}

void BotParty::turn(Clock::time_point now) {
  if (stage_ == Stage::Joining) {
    if (now - stage_began_ > span(rules_->join_seconds)) {
      end(&BotTotals::not_joined, 0.5 + random_.uniform());
    } else if (now >= next_send_) {
      join(now);
    }
  } else if (stage_ == Stage::Playing) {
    if (now - heard_ > span(rules_->silence_seconds)) {
      end(&BotTotals::lost, 0.5 + random_.uniform());
    } else if (now >= next_send_) {
      for (std::size_t i = 0; i < players_.size(); ++i) play(i, now);
      next_send_ = now + span(1 / rules_->inputs_per_second);
    }
  }
}

void BotParty::end(std::int64_t BotTotals::* outcome, double rest_seconds) {
  ++(totals_->*outcome);
  for (std::size_t i = 0; i < players_.size(); ++i) {
    send(i, Leave{});
    ::close(players_[i].fd);
    players_[i].fd = -1;
  }
  ++generation_;
  session_.clear();
  stage_ = Stage::Idle;
  idle_until_ = Clock::now() + span(rest_seconds);
}

}  // namespace arena
