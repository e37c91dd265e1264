// SPDX-License-Identifier: Apache-2.0
// arena_bots: hundreds of players of the arena in one process and one thread. See
// docs/game-servers.md.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/json.h"
#include "bot_party.h"

namespace {

using arena::BotParty;
using Clock = BotParty::Clock;

constexpr std::string_view kUsage = R"(usage: arena_bots [--option VALUE ...]

Bots form parties of two to four who stay together, ask POST /api/v1/allocations for sessions and play them over UDP.

  --url URL            of the server (SHOWCALLER_URL, http://127.0.0.1:8080)
  --token TOKEN        bearer token (SHOWCALLER_TOKEN)
  --token-file FILE    where it stands
  --fleet NAME         fleet they play on (arena)
  --region NAME        their region; none: not told
  --players N          how many bots (200)
  --rate R             new sessions a second at most (20)
  --seconds S          how long; 0: until SIGTERM (0)
  --journeys N         end with 0 once so many sessions were played to their end, with 1 if --seconds are over before
  --seed N             seed of parties and play; none: a fresh one, so that no run asks for another's sessions
  --protocol N         the client protocol they speak (47)
  --staff SHARE        share of parties whose players are in the group "staff" (0.02)
  --status-every S     prints the totals every S seconds as a JSON line; SIGUSR1 prints them at once, the end always (0)
)";

struct Options {
  std::string url = "http://127.0.0.1:8080";
  std::string token;
  arena::BotRules rules{.fleet = "arena"};
  int players = 200;
  double rate = 20;
  double seconds = 0;
  std::int64_t journeys = 0;
  // Sessions' ids come from it, and a session that is asked for again is the one that was: a
  // journey made every few seconds must not ask for its last one.
  std::uint64_t seed = std::random_device{}();
  double staff = 0.02;
  double status_every = 0;
};

template <class T>
bool read(std::string_view text, T* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse(int argc, char** argv, Options* options) {
  const auto text = [](std::string* out) {
    return [out](std::string_view value) {
      *out = value;
      return true;
    };
  };
  const std::map<std::string_view, std::function<bool(std::string_view)>> known{
      {"--url", text(&options->url)},
      {"--token", text(&options->token)},
      {"--token-file",
       [&](auto v) {
         std::ifstream file{std::string(v)};
         return bool(std::getline(file, options->token));
       }},
      {"--fleet", text(&options->rules.fleet)},
      {"--region", text(&options->rules.region)},
      {"--players", [&](auto v) { return read(v, &options->players); }},
      {"--rate", [&](auto v) { return read(v, &options->rate); }},
      {"--seconds", [&](auto v) { return read(v, &options->seconds); }},
      {"--journeys", [&](auto v) { return read(v, &options->journeys); }},
      {"--seed", [&](auto v) { return read(v, &options->seed); }},
      {"--protocol", [&](auto v) { return read(v, &options->rules.protocol); }},
      {"--staff", [&](auto v) { return read(v, &options->staff); }},
      {"--status-every", [&](auto v) { return read(v, &options->status_every); }}};
  for (int i = 1; i < argc; i += 2) {
    const auto option = known.find(argv[i]);
    if (option == known.end() || i + 1 >= argc || !option->second(argv[i + 1])) {
      fmt::print(stderr, "arena_bots: '{}' is not understood; --help lists the options\n", argv[i]);
      return false;
    }
  }
  return options->players >= 2 && options->rate > 0;
}

class Crowd {
 public:
  explicit Crowd(const Options& options)
      : options_(options), random_(options.seed), client_(options.url, options.token, 8) {
    for (int made = 0; made + 1 < options_.players;) {
      const int size = std::min<int>(2 + int(random_.below(3)), options_.players - made);
      if (size < 2) break;
      const std::string id = fmt::format("party-{}-{}", options_.seed, parties_.size() + 1);
      const bool staff = random_.chance(options_.staff);
      std::vector<BotParty::Player> players;
      for (int i = 0; i < size; ++i, ++made) {
        players.push_back({.id = fmt::format("bot-{}-{}", options_.seed, made + 1),
                           .group = staff ? "staff" : ""});
      }
      parties_.push_back(std::make_unique<BotParty>(id, std::move(players), &options_.rules,
                                                    &totals_, random_.next()));
    }
  }

  bool usable() const { return client_.usable(); }
  bool has_made_its_journeys() const { return totals_.completed >= options_.journeys; }

  void run(int signals) {
    const auto began = Clock::now();
    auto next_status = began + period(options_.status_every);
    while (!ending_) {
      const auto now = Clock::now();
      if (options_.seconds > 0 && now - began >= period(options_.seconds)) break;
      if (options_.journeys > 0 && has_made_its_journeys()) break;
      if (options_.status_every > 0 && now >= next_status) {
        print_status(now - began);
        next_status += period(options_.status_every);
      }
      ask_for_sessions(now);
      client_.turn(now);
      for (const auto& party : parties_) party->turn(now);
      wait(signals, now - began);
    }
    print_status(Clock::now() - began);
  }

 private:
  static Clock::duration period(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  // Sessions are asked for at random moments, at most at the rate.
  void ask_for_sessions(Clock::time_point now) {
    if (next_ask_ == Clock::time_point{}) next_ask_ = now;
    while (next_ask_ <= now) {
      next_ask_ += period(random_.exponential(1 / options_.rate));
      const std::size_t first = random_.below(parties_.size());
      for (std::size_t i = 0; i < parties_.size(); ++i) {
        BotParty& party = *parties_[(first + i) % parties_.size()];
        if (!party.wants_session(now)) continue;
        party.ask(&client_);
        break;
      }
    }
  }

  void wait(int signals, Clock::duration elapsed) {
    struct Owner {
      BotParty* party;
      std::size_t player;
    };
    std::vector<pollfd> polled{{signals, POLLIN, 0}};
    std::vector<Owner> owners{{}};
    for (const int fd : client_.fds()) {
      polled.push_back({fd, POLLIN, 0});
      owners.push_back({});
    }
    for (const auto& party : parties_) {
      for (std::size_t i = 0; i < party->players().size(); ++i) {
        if (party->players()[i].fd < 0) continue;
        polled.push_back({party->players()[i].fd, POLLIN, 0});
        owners.push_back({party.get(), i});
      }
    }
    ::poll(polled.data(), polled.size(), 10);
    const auto now = Clock::now();
    for (std::size_t i = 1; i < polled.size(); ++i) {
      if (polled[i].revents == 0) continue;
      if (!owners[i].party)
        client_.ready(polled[i].fd);
      else if (owners[i].party->players()[owners[i].player].fd == polled[i].fd) {
        owners[i].party->receive(owners[i].player, now);
      }
    }
    if (polled[0].revents != 0) take_signal(signals, elapsed);
  }

  void take_signal(int signals, Clock::duration elapsed) {
    signalfd_siginfo info{};
    while (::read(signals, &info, sizeof info) == ssize_t(sizeof info)) {
      if (info.ssi_signo == SIGUSR1)
        print_status(elapsed);
      else
        ending_ = true;
    }
  }

  void print_status(Clock::duration elapsed) {
    std::int64_t playing = 0;
    std::int64_t asking = 0;
    for (const auto& party : parties_) {
      playing += party->stage() == BotParty::Stage::Playing;
      asking +=
          party->stage() == BotParty::Stage::Asking || party->stage() == BotParty::Stage::Joining;
    }
    const showcaller::json::object status{
        {"seconds", std::round(std::chrono::duration<double>(elapsed).count() * 10) / 10},
        {"parties", std::int64_t(parties_.size())},
        {"playing", playing},
        {"asking", asking},
        {"sessions", totals_.sessions},
        {"completed", totals_.completed},
        {"lost", totals_.lost},
        {"not_joined", totals_.not_joined},
        {"refused", totals_.refused},
        {"errors", totals_.errors},
        {"snapshots", totals_.snapshots}};
    fmt::print("{}\n", showcaller::to_json_text(status));
    std::fflush(stdout);
  }

  const Options& options_;
  showcaller::Random random_;
  arena::AllocationClient client_;
  arena::BotTotals totals_;
  std::vector<std::unique_ptr<BotParty>> parties_;
  Clock::time_point next_ask_{};
  bool ending_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    fmt::print("{}", kUsage);
    return 0;
  }
  Options options;
  if (const char* url = std::getenv("SHOWCALLER_URL")) options.url = url;
  if (const char* token = std::getenv("SHOWCALLER_TOKEN")) options.token = token;
  if (!parse(argc, argv, &options)) return 2;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&watched, signal);
  ::sigprocmask(SIG_BLOCK, &watched, nullptr);
  const int signals = ::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  Crowd crowd(options);
  if (!crowd.usable()) {
    fmt::print(stderr, "arena_bots: '{}' is no http://IPv4:PORT url\n", options.url);
    return 2;
  }
  crowd.run(signals);
  ::close(signals);
  return crowd.has_made_its_journeys() ? 0 : 1;
}
