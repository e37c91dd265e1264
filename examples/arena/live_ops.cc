// SPDX-License-Identifier: Apache-2.0
#include "live_ops.h"

#include <fmt/format.h>

#include "showcaller/client.h"

namespace arena {

using showcaller::sdk::Client;
using showcaller::sdk::Context;

struct LiveOps::State {
  explicit State(showcaller::sdk::Options options) : client(std::move(options)) {}
  Client client;
};

LiveOps::LiveOps(const Options& options) {
  if (options.url.empty()) return;
  Context context;
  context.set("fleet", options.fleet).set("build", options.build).set("region", options.region);
  state_ =
      std::make_unique<State>(showcaller::sdk::Options{.url = options.url,
                                                       .token = options.token,
                                                       .state_file = "flags.json",
                                                       .trust = "server",
                                                       .instance = options.instance,
                                                       .context = std::move(context),
                                                       .poll_every = std::chrono::seconds(2),
                                                       .flush_every = std::chrono::seconds(1)});
}

LiveOps::~LiveOps() = default;

MatchRules LiveOps::rules_for(const Session& session) {
  if (!state_) return {};
  // Flags are asked with the party's id, so that a share of parties sees the change, whole.
  Context context(session.party);
  context.set("party", session.party).set("session", session.id);
  return {.double_score = state_->client.boolean("double-score", false, context),
          .gravity = state_->client.number("arena-gravity", 0, context)};
}

void LiveOps::session_started(const Session&, int players) {
  if (!state_) return;
  state_->client.session_started();
  state_->client.count("match.players", players);
}

void LiveOps::step_took(const Session&, double ms) {
  if (state_) state_->client.latency("server.step", ms);
}

void LiveOps::session_ended(const Session&, bool completed, double, int falls) {
  if (!state_) return;
  // Crashes are not ours to report: who crashed cannot, and the server sees them by itself.
  state_->client.count("match.completed", 1, completed ? 1 : 0);
  state_->client.count("match.falls", falls, falls);
}

}  // namespace arena
