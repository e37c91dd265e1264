// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/game_server_access.h"

namespace showcaller {

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1";
}

std::string_view clear_text_warning(std::string_view address, bool has_tls) {
  if (has_tls || is_loopback(address)) return {};
  return "others can reach this server, and tokens pass in clear text; give it a certificate by "
         "--tls-cert and --tls-key";
}

std::string url_on_this_machine(std::string url) {
  for (const auto& [any, own] :
       {std::pair<std::string_view, std::string_view>{"://0.0.0.0:", "://127.0.0.1:"},
        {"://[::]:", "://[::1]:"}}) {
    if (const auto at = url.find(any); at != url.npos) url.replace(at, any.size(), own);
  }
  return url;
}

Status GameServerAccess::apply(std::uint64_t epoch, std::span<const FleetAction> actions) {
  std::vector<FleetAction> with_access(actions.begin(), actions.end());
  for (FleetAction& action : with_access) {
    auto* start = std::get_if<StartInstance>(&action);
    if (start == nullptr) continue;
    auto& environment = start->spec.env;
    environment.try_emplace("SHOWCALLER_URL", access_.url);
    environment.try_emplace("SHOWCALLER_TOKEN", access_.token);
    if (!access_.ca_file.empty()) environment.try_emplace("SHOWCALLER_CA", access_.ca_file);
  }
  return driver_.apply(epoch, with_access);
}

}  // namespace showcaller
