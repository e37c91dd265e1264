// SPDX-License-Identifier: Apache-2.0
// The engine's mailbox: bounded, many senders, one receiver. A full mailbox pushes back, but moves
// toward safety have room of their own.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.h"
#include "engine/input.h"

namespace showcaller {

using Reply = std::move_only_function<void(Result<Receipt>)>;

struct Letter {
  Input input;
  Reply reply;  // may be empty
};

class Mailbox {
 public:
  explicit Mailbox(std::size_t letters_max) : letters_max_(letters_max) {}

  // Limit when full: try again later, and the letter is still the caller's. Nobody is woken before
  // ring().
  Status put(Letter* letter);
  // All at once, so that the receiver sees them together. Those for which there was no room come
  // back.
  std::vector<Letter> put_all(std::vector<Letter> letters);
  // Wakes a receiver that waits.
  void ring();
  // Until it rings or `most` has passed; not at all while there are letters.
  void wait(Duration most);
  // Up to letters_max letters, in order. What *letters held is gone; its room is used again.
  void take(std::size_t letters_max, std::vector<Letter>* letters);
  std::size_t size() const;
  // Some letters wait, all of them commands about single events, and no more than `most`.
  bool is_light(std::size_t most) const;
  Error full() const;

 private:
  bool has_room_for(const Letter& letter) const;
  void add(Letter* letter);
  std::size_t waiting() const { return letters_.size() - taken_; }

  const std::size_t letters_max_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Letter> letters_;
  std::size_t taken_ = 0;  // of the letters, from the front
  std::size_t heavy_ = 0;  // of those that wait
  bool rung_ = false;
};

}  // namespace showcaller
