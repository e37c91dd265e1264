// SPDX-License-Identifier: Apache-2.0
#include "host/host_threads.h"

#include <condition_variable>
#include <mutex>

namespace showcaller {

HostThreads::HostThreads(Host* host, Duration pass_every, std::function<void(const Error&)> on_stop)
    : host_(host) {
  for (std::jthread& thread : engine_) {
    thread = std::jthread([host, on_stop](std::stop_token stop) {
      while (true) {
        const bool last = stop.stop_requested();
        const auto ran = host->engine().run_batch(last ? Duration{} : Duration(200));
        if (!ran) return on_stop(ran.error());
        if (last && !*ran) break;
      }
    });
  }
  reconcilers_ = std::jthread([host, pass_every](std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      host->pass();
      wake.wait_for(lock, stop, pass_every, [] { return false; });
    }
  });
}

void HostThreads::stop() {
  if (!reconcilers_.joinable()) return;
  reconcilers_.request_stop();
  reconcilers_.join();
  host_->finish();
  for (std::jthread& thread : engine_) thread.request_stop();
  host_->engine().wake();
  for (std::jthread& thread : engine_) thread.join();
  (void)host_->engine().write_snapshot();
}

}  // namespace showcaller
