// SPDX-License-Identifier: Apache-2.0
// Runs a host on real threads: two for the engine, so that it decides while the disk is busy, and
// one for the reconcilers.
#pragma once

#include <array>
#include <thread>

#include "host/host.h"

namespace showcaller {

class HostThreads {
 public:
  // on_stop is called, on an engine thread, when the journal can't be written any more.
  HostThreads(Host* host, Duration pass_every, std::function<void(const Error&)> on_stop);
  ~HostThreads() { stop(); }
  // Ends the passes, decides what waits, writes a snapshot.
  void stop();

 private:
  Host* host_;
  std::jthread reconcilers_;
  std::array<std::jthread, 2> engine_;
};

}  // namespace showcaller
