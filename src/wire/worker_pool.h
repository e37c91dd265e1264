// SPDX-License-Identifier: Apache-2.0
// A few threads for requests that read disks or parse large texts, so that the sockets' threads
// never wait.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace showcaller {

class WorkerPool {
 public:
  // `after_task` runs after each task, on its thread.
  WorkerPool(int threads, std::size_t tasks_max, std::function<void()> after_task = [] {});
  // Runs what was accepted, then ends.
  ~WorkerPool();

  // False: too many wait already.
  bool post(std::move_only_function<void()> task);
  std::size_t waiting() const;

 private:
  void run();

  const std::size_t tasks_max_;
  const std::function<void()> after_task_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::move_only_function<void()>> tasks_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace showcaller
