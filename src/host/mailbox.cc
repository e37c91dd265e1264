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

// What takes microseconds to decide, whatever the world's size.
bool is_light(const Input& input) {
  const Command* command = std::get_if<Command>(&input);
  return command && (std::holds_alternative<EventCommand>(command->body) ||
                     std::holds_alternative<ReadyCommand>(command->body) ||
                     std::holds_alternative<ApproveCommand>(command->body));
}

}  // namespace

Status Mailbox::put(Letter letter) {
  std::lock_guard lock(mutex_);
  if (!has_room_for(letter)) return std::unexpected(full());
  add(std::move(letter));
  return {};
}

std::vector<Letter> Mailbox::put_all(std::vector<Letter> letters) {
  std::vector<Letter> refused;
  std::lock_guard lock(mutex_);
  for (Letter& letter : letters) {
    if (has_room_for(letter)) {
      add(std::move(letter));
    } else {
      refused.push_back(std::move(letter));
    }
  }
  return refused;
}

void Mailbox::add(Letter letter) {
  heavy_ += showcaller::is_light(letter.input) ? 0 : 1;
  letters_.push_back(std::move(letter));
}

bool Mailbox::has_room_for(const Letter& letter) const {
  return letters_.size() < letters_max_ + (has_right_of_way(letter.input) ? kSafetyRoom : 0);
}

Error Mailbox::full() const {
  return {ErrorCode::Limit,
          fmt::format("{} or more commands wait already; try again in a second", letters_max_)};
}

void Mailbox::wait(Duration most) {
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, most, [this] { return !letters_.empty() || rung_; });
  rung_ = false;
}

std::vector<Letter> Mailbox::take(std::size_t letters_max) {
  std::lock_guard lock(mutex_);
  std::vector<Letter> out;
  out.reserve(std::min(letters_max, letters_.size()));
  while (!letters_.empty() && out.size() < letters_max) {
    heavy_ -= showcaller::is_light(letters_.front().input) ? 0 : 1;
    out.push_back(std::move(letters_.front()));
    letters_.pop_front();
  }
  return out;
}

std::size_t Mailbox::size() const {
  std::lock_guard lock(mutex_);
  return letters_.size();
}

bool Mailbox::is_light(std::size_t most) const {
  std::lock_guard lock(mutex_);
  return !letters_.empty() && heavy_ == 0 && letters_.size() <= most;
}

void Mailbox::ring() {
  {
    std::lock_guard lock(mutex_);
    rung_ = true;
  }
  arrived_.notify_one();
}

}  // namespace showcaller
