// SPDX-License-Identifier: Apache-2.0
// arena: a small authoritative game server for Agones-style fleets. See docs/game-servers.md.
#include <charconv>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>

#include <fmt/format.h>

#include "arena_server.h"
#include "base/hash.h"

namespace {

constexpr std::string_view kUsage = R"(usage: arena [--option VALUE ...]

One match at a time over UDP, 30 steps a second. With AGONES_SDK_HTTP_PORT set it is led by its sidecar: Ready, then a
match a session. Without, it plays one match after another with whoever joins.

  --players N          at most so many in a match (4)
  --match-seconds S    length of a match (20)
  --gather-seconds S   wait for the others after the first came (0.7)
  --claim-seconds S    wait for the first of an allocated session (15)
  --protocol N         the client protocol it speaks (47)
  --port N             UDP port; default SHOWCALLER_PORT, else the system's choice
  --seed N             seed of matches and defects (1), mixed with SHOWCALLER_INSTANCE
  --crash-rate P       share of matches in which the loot table is corrupt and the process aborts (0)
  --stall-rate P       share of matches in which a lock is never given back: no ticks, no health pings (0)
  --version            prints the build (SHOWCALLER_BUILD) and ends

Environment: SHOWCALLER_URL and SHOWCALLER_TOKEN let it ask flags (double-score, arena-gravity) and report measurements.
)";

std::string variable(const char* name, const char* fallback = "") {
  const char* value = std::getenv(name);
  return value ? value : fallback;
}

template <class T>
bool read(std::string_view text, T* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

// False: an option is not known or its value makes no sense.
bool parse(int argc, char** argv, arena::ServerOptions* options) {
  const std::map<std::string_view, std::function<bool(std::string_view)>> known{
      {"--players", [&](auto v) { return read(v, &options->players_max); }},
      {"--match-seconds", [&](auto v) { return read(v, &options->match_seconds); }},
      {"--gather-seconds", [&](auto v) { return read(v, &options->gather_seconds); }},
      {"--claim-seconds", [&](auto v) { return read(v, &options->claim_seconds); }},
      {"--protocol", [&](auto v) { return read(v, &options->protocol); }},
      {"--port", [&](auto v) { return read(v, &options->port); }},
      {"--seed", [&](auto v) { return read(v, &options->seed); }},
      {"--crash-rate", [&](auto v) { return read(v, &options->crash_rate); }},
      {"--stall-rate", [&](auto v) { return read(v, &options->stall_rate); }}};
  for (int i = 1; i < argc; i += 2) {
    const auto option = known.find(argv[i]);
    if (option == known.end() || i + 1 >= argc || !option->second(argv[i + 1])) {
      fmt::print(stderr, "arena: '{}' is not understood; --help lists the options\n", argv[i]);
      return false;
    }
  }
  return options->players_max >= 1 && options->players_max <= arena::kPlayersMax &&
         options->match_seconds > 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    fmt::print("{}", kUsage);
    return 0;
  }
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    fmt::print("arena {}\n", variable("SHOWCALLER_BUILD", "development"));
    return 0;
  }
  arena::ServerOptions options;
  options.port = std::atoi(variable("SHOWCALLER_PORT", "0").c_str());
  if (!parse(argc, argv, &options)) return 2;
  const std::string instance = variable("SHOWCALLER_INSTANCE");
  if (!instance.empty()) options.seed = showcaller::hash64(instance, options.seed);
  arena::LiveOps live_ops({.url = variable("SHOWCALLER_URL"),
                           .token = variable("SHOWCALLER_TOKEN"),
                           .instance = instance,
                           .fleet = variable("SHOWCALLER_FLEET"),
                           .build = variable("SHOWCALLER_BUILD"),
                           .region = variable("SHOWCALLER_REGION")});
  const int sdk_port = std::atoi(variable("AGONES_SDK_HTTP_PORT", "0").c_str());
  std::optional<arena::SidecarClient> sidecar;
  if (sdk_port > 0) sidecar.emplace(sdk_port);
  arena::ArenaServer server(options, sidecar ? &*sidecar : nullptr, &live_ops);
  if (!server.open()) {
    fmt::print(stderr, "arena: cannot have UDP port {}\n", options.port);
    return 1;
  }
  fmt::print("arena: {} on port {}, protocol {}\n", variable("SHOWCALLER_BUILD", "development"),
             server.port(), options.protocol);
  std::fflush(stdout);
  return server.run();
}
