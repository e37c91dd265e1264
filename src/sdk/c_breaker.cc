// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "showcaller/breaker.h"
#include "showcaller/showcaller.h"

using showcaller::sdk::Breaker;
using showcaller::sdk::BreakerOptions;
using showcaller::sdk::BreakerStanding;

struct showcaller_breaker {
  explicit showcaller_breaker(BreakerOptions options) : breaker(std::move(options)) {}
  Breaker breaker;
};

namespace {

BreakerOptions options_of(const showcaller_breaker_options* from) {
  BreakerOptions out;
  if (from == nullptr) return out;
  if (from->failure_share > 0) out.failure_share = from->failure_share;
  if (from->calls_min > 0) out.calls_min = from->calls_min;
  if (from->window_ms > 0) out.window = std::chrono::milliseconds(from->window_ms);
  if (from->open_for_ms > 0) out.open_for = std::chrono::milliseconds(from->open_for_ms);
  if (from->trials > 0) out.trials = from->trials;
  return out;
}

}  // namespace

extern "C" {

showcaller_breaker* showcaller_breaker_new(const showcaller_breaker_options* options) {
  return std::make_unique<showcaller_breaker>(options_of(options)).release();
}

void showcaller_breaker_free(showcaller_breaker* breaker) {
  const std::unique_ptr<showcaller_breaker> ended(breaker);
}

uint64_t showcaller_breaker_begin(showcaller_breaker* breaker) {
  return breaker == nullptr ? 0 : breaker->breaker.begin();
}

void showcaller_breaker_end(showcaller_breaker* breaker, uint64_t call, int succeeded) {
  if (breaker != nullptr) breaker->breaker.end(call, succeeded != 0);
}

showcaller_breaker_standing showcaller_breaker_state(const showcaller_breaker* breaker) {
  if (breaker == nullptr) return SHOWCALLER_BREAKER_CLOSED;
  switch (breaker->breaker.standing()) {
    case BreakerStanding::Open:
      return SHOWCALLER_BREAKER_OPEN;
    case BreakerStanding::HalfOpen:
      return SHOWCALLER_BREAKER_HALF_OPEN;
    case BreakerStanding::Closed:
      return SHOWCALLER_BREAKER_CLOSED;
  }
  return SHOWCALLER_BREAKER_CLOSED;
}

int64_t showcaller_breaker_wait_ms(const showcaller_breaker* breaker) {
  return breaker == nullptr ? 0 : breaker->breaker.wait().count();
}

}  // extern "C"
