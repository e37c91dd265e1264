// SPDX-License-Identifier: Apache-2.0
// Requests of any game server to the REST face of the sidecar: no crash, no state outside of what
// Agones knows, and whatever is answered is JSON. The input is requests, a line each: METHOD TARGET
// BODY.
//
// Links: sc_codec
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "codec/agones_manifest.h"
#include "codec/agones_rest.h"
#include "codec/agones_sidecar_state.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace showcaller;
  using namespace showcaller::agones;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  SidecarState state(local_game_server(7),
                     {.start_timeout = seconds(9), .health_period = seconds(3)},
                     SidecarPhase::Scheduled, Instant{});
  Instant now{};
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t first = line.find(' ');
    if (first == std::string_view::npos) continue;
    const std::size_t second = std::min(line.find(' ', first + 1), line.size());
    const std::string_view body = line.substr(std::min(second + 1, line.size()));
    const auto parsed =
        parse_rest({line.substr(0, first), line.substr(first + 1, second - first - 1), body});
    std::string reply;
    if (!parsed) {
      if (parsed.error().status < 400) std::abort();
      reply = parsed.error().body;
    } else if (const auto* call = std::get_if<SdkCall>(&*parsed)) {
      (void)describe(*call);
      reply = to_rest(state.apply(*call, now)).body;
    } else {
      reply = watch_line(state.game_server());
    }
    if (!parse_json(reply, {.depth_max = 64})) std::abort();
    now += seconds(1);
    state.tick(now);
    if (state.game_server().labels.size() > kMetadataEntriesMax + 1) std::abort();
    for (const auto& [name, counter] : state.game_server().counters) {
      if (counter.count < 0 || counter.count > counter.capacity) std::abort();
    }
    for (const auto& [name, list] : state.game_server().lists) {
      if (std::int64_t(list.values.size()) > list.capacity) std::abort();
    }
    if (const auto manifest = parse_json(body)) (void)game_server_from_manifest(*manifest, {});
  }
  return 0;
}
