// SPDX-License-Identifier: Apache-2.0
#include "cli/signals.h"

#include <signal.h>

namespace showcaller {
namespace {

sigset_t end_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

void block_end_signals() {
  const sigset_t signals = end_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

void wait_for_end_signal() {
  const sigset_t signals = end_signals();
  int signal = 0;
  sigwait(&signals, &signal);
}

}  // namespace showcaller
