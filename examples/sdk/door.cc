// SPDX-License-Identifier: Apache-2.0
// A game server that asks whether a door is open for a player, and says so whenever that changes.
//
//   door URL TOKEN [STATE_FILE]
//
// It ends when the door has been opened.
#include <chrono>
#include <iostream>
#include <memory>
#include <thread>

#include <showcaller/client.h>

namespace sdk = showcaller::sdk;

// Says what each evaluation gave.
class Telling : public sdk::Hook {
  void after(const sdk::HookContext& at, const sdk::Details<sdk::Value>& details) override {
    std::cout << at.flag << " is " << details.variant << " (" << sdk::to_string(details.reason)
              << ")" << std::endl;
  }
};

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "door URL TOKEN [STATE_FILE]\n";
    return 2;
  }
  sdk::Options options;
  options.name = "door";
  options.url = argv[1];
  options.token = argv[2];
  options.state_file = argc > 3 ? argv[3] : "";
  options.trust = "server";
  options.on_log = [](std::string_view line) { std::cerr << line << '\n'; };
  sdk::Client client(std::move(options));
  client.on(sdk::Event::ConfigurationChanged, [](const sdk::EventDetails& told) {
    std::cout << "changed:";
    for (const std::string& key : told.flags_changed) std::cout << ' ' << key;
    std::cout << std::endl;
  });
  if (!client.wait_until_ready(std::chrono::seconds(10))) {
    std::cerr << "there are no flags\n";
    return 1;
  }

  sdk::Context player("player-17");
  player.set("party", "party-4").set("version", "2.4.1");
  client.session_started({.event = "winter-raid", .arm = "canary"});
  const sdk::Call telling{.hooks = {std::make_shared<Telling>()}};
  client.boolean("door", false, player, telling);
  while (!client.boolean("door", false, player))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  client.boolean("door", false, player, telling);
  client.latency("join.latency", 41.7, {.event = "winter-raid", .arm = "canary"});
  client.session_ended(sdk::Outcome::Completed, {.event = "winter-raid", .arm = "canary"});
  client.shutdown();
}
