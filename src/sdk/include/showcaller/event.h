// SPDX-License-Identifier: Apache-2.0
// What happens to a client's flags, for who wants to know: OpenFeature's events.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace showcaller::sdk {

enum class Event { Ready, Error, Stale, ConfigurationChanged, Reconciling, ContextChanged };
std::string_view to_string(Event event);  // "PROVIDER_READY" and so on

struct EventDetails {
  Event event = Event::Ready;
  std::string client{};                      // Options::name
  std::string message{};                     // of Error and Stale
  std::vector<std::string> flags_changed{};  // keys, of ConfigurationChanged
};

// Called from a background thread, or by who adds it when that is so already. What it throws is
// ignored.
using EventHandler = std::function<void(const EventDetails&)>;
using HandlerId = std::uint64_t;

}  // namespace showcaller::sdk
