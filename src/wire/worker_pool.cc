// SPDX-License-Identifier: Apache-2.0
#include "wire/worker_pool.h"

namespace showcaller {

WorkerPool::WorkerPool(int threads, std::size_t tasks_max, std::function<void()> after_task)
    : tasks_max_(tasks_max), after_task_(std::move(after_task)) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

WorkerPool::~WorkerPool() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  arrived_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool WorkerPool::post(std::move_only_function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    if (tasks_.size() >= tasks_max_ || ending_) return false;
    tasks_.push_back(std::move(task));
  }
  arrived_.notify_one();
  return true;
}

std::size_t WorkerPool::waiting() const {
  std::lock_guard lock(mutex_);
  return tasks_.size();
}

void WorkerPool::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    arrived_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    after_task_();
    lock.lock();
  }
}

}  // namespace showcaller
