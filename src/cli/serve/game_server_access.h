// SPDX-License-Identifier: Apache-2.0
// Lets game servers speak to the server that started them: SHOWCALLER_URL, SHOWCALLER_TOKEN and
// SHOWCALLER_CA in their environment, a token of the role game-server. A manifest that sets one of
// them itself keeps its own.
//
// Threads: as the driver behind it; give() before the first pass.
#pragma once

#include <string>
#include <string_view>

#include "compute/port/fleet_driver.h"

namespace showcaller {

struct ServerAccess {
  std::string url, token;
  std::string ca_file;  // PEM; empty: the server speaks no TLS
};

// An address that only this machine reaches.
bool is_loopback(std::string_view address);
// What whoever starts a server at this address has to be told of; empty: nothing.
std::string_view clear_text_warning(std::string_view address, bool has_tls);
// "http://0.0.0.0:8700" is every address of the server; from here it is "http://127.0.0.1:8700".
std::string url_on_this_machine(std::string url);

class GameServerAccess final : public FleetDriver {
 public:
  explicit GameServerAccess(FleetDriver* driver) : driver_(*driver) {}

  void give(ServerAccess access) { access_ = std::move(access); }

  Result<std::vector<ObservedInstance>> observe() override { return driver_.observe(); }
  std::uint64_t epoch() const override { return driver_.epoch(); }
  Status apply(std::uint64_t epoch, std::span<const FleetAction> actions) override;
  Status may_disturb(Disturbance what) override { return driver_.may_disturb(what); }
  Status disturb(std::uint64_t epoch, const DisturbInstance& disturbance) override {
    return driver_.disturb(epoch, disturbance);
  }
  void allocate(const AllocateInstance& allocation) override { driver_.allocate(allocation); }

 private:
  FleetDriver& driver_;
  ServerAccess access_;
};

}  // namespace showcaller
