// SPDX-License-Identifier: Apache-2.0
// How a game server is asked from outside whether it is well.
#pragma once

#include <string>

#include "base/time.h"

namespace showcaller {

// In a shim's spec.json. Never renumber.
enum class ProbeKind {
  Tcp,   // it accepts a connection
  Udp,   // it sends a datagram back for one that says "showcaller probe"
  Http,  // it answers GET with a status below 400
};

struct HealthProbe {
  ProbeKind kind = ProbeKind::Tcp;
  std::string port;        // its name in the fleet; empty: the first
  std::string path = "/";  // Http
  Duration period = seconds(5);
  Duration timeout = seconds(1);
  int failures = 3;  // so many in a row make it unhealthy
};

}  // namespace showcaller
