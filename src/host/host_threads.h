// SPDX-License-Identifier: Apache-2.0
// Runs a host on real threads: one for the engine, one for the reconcilers.
#pragma once

#include <thread>

#include "host/host.h"

namespace showcaller {

class HostThreads {
 public:
  // on_stop is called, on the engine's thread, when the journal can't be written any more.
  HostThreads(Host* host, Duration pass_every, std::function<void(const Error&)> on_stop);
  ~HostThreads() { stop(); }
  // Ends the passes, decides what waits, writes a snapshot.
  void stop();

 private:
  Host* host_;
  std::jthread reconcilers_;
  std::jthread engine_;
};

}  // namespace showcaller
