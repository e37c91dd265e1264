// SPDX-License-Identifier: Apache-2.0
// A circuit breaker for something that the game depends on: when too many calls to it fail, calls
// are let be for a while, and then a few are tried before all go again.
//
//   sdk::Breaker friends_list;                       // one a dependency, for as long as the game
//   runs if (sdk::Breaker::Call call = friends_list.admit()) {
//     if (ask_friends_list()) call.succeed(); else call.fail();
//   } else {
//     show_friends_from_yesterday();
//   }
//
// Threads: any. It opens when of the calls of the last `window` at least `calls_min` have ended and
// at least `failure_share` of them failed; after `open_for` it is half open and lets `trials` calls
// go, and closes when all of those succeeded. A call that ends after the breaker has opened or
// closed since is forgotten. Memory is constant.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace showcaller::sdk {

struct BreakerOptions {
  double failure_share = 0.5;
  int calls_min = 10;
  std::chrono::milliseconds window{60'000};
  std::chrono::milliseconds open_for{30'000};
  int trials = 2;
  // What time is taken from; empty: the steady clock.
  std::function<std::chrono::milliseconds()> now;
};

enum class BreakerStanding { Closed, Open, HalfOpen };

class Breaker {
  struct State;

 public:
  explicit Breaker(BreakerOptions options = {});
  ~Breaker();
  Breaker(const Breaker&) = delete;
  Breaker& operator=(const Breaker&) = delete;

  // A call, or none where none is to be made. One of which nobody says what came of it was not
  // made.
  class Call {
   public:
    Call() = default;
    Call(Call&& other) noexcept;
    Call& operator=(Call&& other) noexcept;
    ~Call();
    explicit operator bool() const { return state_ != nullptr; }
    // Once, and only of a call that is one; more is ignored.
    void succeed();
    void fail();

   private:
    friend class Breaker;
    std::shared_ptr<State> state_;
    std::uint64_t period_ = 0;
  };
  Call admit();

  BreakerStanding standing() const;
  // While it is open: until a call may be tried.
  std::chrono::milliseconds wait() const;

  // The same for who keeps the call as a number, such as C: 0 is none. Each number is told of once.
  std::uint64_t begin();
  void end(std::uint64_t call, bool succeeded);

 private:
  std::shared_ptr<State> state_;
};

}  // namespace showcaller::sdk
