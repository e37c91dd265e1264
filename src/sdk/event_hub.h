// SPDX-License-Identifier: Apache-2.0
// Who wants to know what happens. Threads: any; no lock is held while a handler is called.
#pragma once

#include <map>
#include <mutex>
#include <utility>

#include "showcaller/event.h"

namespace showcaller::sdk {

class EventHub {
 public:
  HandlerId add(Event event, EventHandler handler);
  void remove(HandlerId id);
  void tell(const EventDetails& details) const;

 private:
  mutable std::mutex mutex_;
  HandlerId last_ = 0;
  std::map<HandlerId, std::pair<Event, EventHandler>> handlers_;
};

// A handler of the game's must not end the thread that called it.
void call_handler(const EventHandler& handler, const EventDetails& details);
// Of the whole process; never destroyed.
EventHub& process_events();

}  // namespace showcaller::sdk
