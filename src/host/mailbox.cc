// SPDX-License-Identifier: Apache-2.0
#include "host/mailbox.h"

#include <fmt/format.h>

namespace showcaller {
namespace {

constexpr std::size_t kSafetyRoom = 1'000;

bool has_right_of_way(const Input& input) {
  const Command* command = std::get_if<Command>(&input);
  return !command || is_toward_safety(command->body);
}

}  // namespace

Status Mailbox::put(Letter letter) {
  {
    std::lock_guard lock(mutex_);
    const std::size_t room = letters_max_ + (has_right_of_way(letter.input) ? kSafetyRoom : 0);
    if (letters_.size() >= room) {
      return fail(ErrorCode::Limit,
                  fmt::format("{} commands wait already; try again in a second", letters_.size()));
    }
    letters_.push_back(std::move(letter));
  }
  arrived_.notify_one();
  return {};
}

void Mailbox::wait(Duration most) {
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, most, [this] { return !letters_.empty() || woken_; });
  woken_ = false;
}

std::vector<Letter> Mailbox::take(std::size_t letters_max) {
  std::lock_guard lock(mutex_);
  std::vector<Letter> out;
  out.reserve(std::min(letters_max, letters_.size()));
  while (!letters_.empty() && out.size() < letters_max) {
    out.push_back(std::move(letters_.front()));
    letters_.pop_front();
  }
  return out;
}

std::size_t Mailbox::size() const {
  std::lock_guard lock(mutex_);
  return letters_.size();
}

void Mailbox::wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  arrived_.notify_one();
}

}  // namespace showcaller
