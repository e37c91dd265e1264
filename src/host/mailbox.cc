// SPDX-License-Identifier: Apache-2.0
#include "host/mailbox.h"

#include <algorithm>
#include <iterator>

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

Status Mailbox::put(Letter* letter) {
  std::lock_guard lock(mutex_);
  if (!has_room_for(*letter)) return std::unexpected(full());
  add(letter);
  return {};
}

std::vector<Letter> Mailbox::put_all(std::vector<Letter> letters) {
  std::vector<Letter> refused;
  std::lock_guard lock(mutex_);
  for (Letter& letter : letters) {
    if (has_room_for(letter)) {
      add(&letter);
    } else {
      refused.push_back(std::move(letter));
    }
  }
  return refused;
}

void Mailbox::add(Letter* letter) {
  heavy_ += showcaller::is_light(letter->input) ? 0 : 1;
  letters_.push_back(std::move(*letter));
}

bool Mailbox::has_room_for(const Letter& letter) const {
  return waiting() < letters_max_ + (has_right_of_way(letter.input) ? kSafetyRoom : 0);
}

Error Mailbox::full() const {
  return {ErrorCode::Limit,
          fmt::format("{} or more commands wait already; try again in a second", letters_max_)};
}

void Mailbox::wait(Duration most) {
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, most, [this] { return waiting() > 0 || rung_; });
  rung_ = false;
}

void Mailbox::take(std::size_t letters_max, std::vector<Letter>* letters) {
  letters->clear();
  std::lock_guard lock(mutex_);
  if (taken_ == 0 && letters_.size() <= letters_max) {
    heavy_ = 0;
    return letters_.swap(*letters);
  }
  const auto first = letters_.begin() + std::ptrdiff_t(taken_);
  const auto last = first + std::ptrdiff_t(std::min(letters_max, waiting()));
  heavy_ -= std::size_t(std::count_if(
      first, last, [](const Letter& letter) { return !showcaller::is_light(letter.input); }));
  letters->assign(std::move_iterator(first), std::move_iterator(last));
  taken_ += letters->size();
  // Each letter is moved up once at most, however many wait.
  if (2 * taken_ < letters_.size()) return;
  letters_.erase(letters_.begin(), last);
  taken_ = 0;
}

std::size_t Mailbox::size() const {
  std::lock_guard lock(mutex_);
  return waiting();
}

bool Mailbox::is_light(std::size_t most) const {
  std::lock_guard lock(mutex_);
  return waiting() > 0 && heavy_ == 0 && waiting() <= most;
}

void Mailbox::ring() {
  {
    std::lock_guard lock(mutex_);
    rung_ = true;
  }
  arrived_.notify_one();
}

}  // namespace showcaller
