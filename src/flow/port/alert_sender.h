// SPDX-License-Identifier: Apache-2.0
// Port: what carries an alert to those who are to know of it.
//
// Told at least once: a message whose answer was lost comes again, with the same alert id and
// change, by which the receiver knows it.
//
// Threads: send() by any, and it never blocks; done is called exactly once, on any thread, also
// when the port closes.
#pragma once

#include <functional>
#include <string>

#include "base/json.h"
#include "model/spec/team.h"

namespace showcaller {

struct AlertMessage {
  AlertRoute route;
  json::object alert;  // as the API shows it, and "change"
};

enum class AlertSent {
  Delivered,
  Refused,  // for good: it would be refused again
  Again     // anything else, a lost answer included
};

class AlertSender {
 public:
  virtual ~AlertSender() = default;
  using Outcome = std::function<void(AlertSent sent, std::string detail)>;
  virtual void send(const AlertMessage& message, Outcome done) = 0;
};

}  // namespace showcaller
