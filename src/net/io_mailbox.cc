// SPDX-License-Identifier: Apache-2.0
#include "net/io_mailbox.h"

#include <boost/asio.hpp>

namespace showcaller {

void IoMailbox::post(std::move_only_function<void()> task) {
  std::lock_guard lock(mutex_);
  if (context_ == nullptr) return;
  tasks_.push_back(std::move(task));
  if (tasks_.size() == 1) boost::asio::post(*context_, [this] { drain(); });
}

void IoMailbox::close() {
  std::lock_guard lock(mutex_);
  context_ = nullptr;
  tasks_.clear();
}

void IoMailbox::drain() {
  std::vector<std::move_only_function<void()>> tasks;
  {
    std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (auto& task : tasks) task();
}

}  // namespace showcaller
