// SPDX-License-Identifier: Apache-2.0
// Work for the thread of an io_context from other threads. Outlives the context, because those who
// answer requests do: what is posted to one that is gone is dropped.
//
// Threads: any.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace showcaller {

class IoMailbox {
 public:
  explicit IoMailbox(boost::asio::io_context* context) : context_(context) {}

  void post(std::move_only_function<void()> task);
  void close();

 private:
  void drain();

  std::mutex mutex_;
  boost::asio::io_context* context_;
  std::vector<std::move_only_function<void()>> tasks_;
};

}  // namespace showcaller
