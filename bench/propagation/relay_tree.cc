// SPDX-License-Identifier: Apache-2.0
#include "bench/propagation/relay_tree.h"

#include "base/random.h"

namespace showcaller::bench {

std::vector<double> simulate(const RelayTree& tree, const std::vector<std::vector<double>>& server,
                             const std::vector<std::vector<double>>& relay) {
  Random random(tree.seed);
  const auto any_of = [&](const auto& list) -> const auto& {
    return list[random.below(list.size())];
  };
  std::vector<double> out;
  out.reserve(std::size_t(tree.changes) * std::size_t(tree.relays) * std::size_t(tree.clients));
  for (int change = 0; change < tree.changes; ++change) {
    const auto& sent = any_of(server);
    for (int i = 0; i < tree.relays; ++i) {
      const double to_relay = any_of(sent);
      const auto& below = any_of(relay);
      for (int j = 0; j < tree.clients; ++j) out.push_back(to_relay + any_of(below));
    }
  }
  return out;
}

}  // namespace showcaller::bench
