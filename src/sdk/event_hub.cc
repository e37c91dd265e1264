// SPDX-License-Identifier: Apache-2.0
#include "sdk/event_hub.h"

#include <vector>

namespace showcaller::sdk {

HandlerId EventHub::add(Event event, EventHandler handler) {
  const std::lock_guard lock(mutex_);
  handlers_.emplace(++last_, std::pair(event, std::move(handler)));
  return last_;
}

void EventHub::remove(HandlerId id) {
  const std::lock_guard lock(mutex_);
  handlers_.erase(id);
}

void EventHub::tell(const EventDetails& details) const {
  std::vector<EventHandler> wanted;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, handler] : handlers_) {
      if (handler.first == details.event) wanted.push_back(handler.second);
    }
  }
  for (const EventHandler& handler : wanted) call_handler(handler, details);
}

void call_handler(const EventHandler& handler, const EventDetails& details) {
  try {
    handler(details);
  } catch (...) {  // event.h says so.
  }
}

EventHub& process_events() {
  static auto* hub = new EventHub;
  return *hub;
}

std::string_view to_string(Event event) {
  switch (event) {
    case Event::Ready:
      return "PROVIDER_READY";
    case Event::Error:
      return "PROVIDER_ERROR";
    case Event::Stale:
      return "PROVIDER_STALE";
    case Event::ConfigurationChanged:
      return "PROVIDER_CONFIGURATION_CHANGED";
    case Event::Reconciling:
      return "PROVIDER_RECONCILING";
    case Event::ContextChanged:
      return "PROVIDER_CONTEXT_CHANGED";
  }
  return "";
}

}  // namespace showcaller::sdk
