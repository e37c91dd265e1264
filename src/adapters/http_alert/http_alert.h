// SPDX-License-Identifier: Apache-2.0
// Tells of alerts over HTTP, in the words of each route (codec/alert_formats.h): one POST a
// message, by a few threads of its own.
//
//   2xx: delivered · 408, 425, 429, 5xx, no answer: again · any other: refused for good
//   Idempotency-Key: a17/3 (webhooks) · Authorization: Bearer <secret>, where the route names one
//
// Secrets are looked up when they are needed, so that one that is changed holds at once. A secret
// never is in a message of an error.
//
// Threads: send() never blocks; outcomes come on the adapter's threads. Limits: messages waiting
// (again when full), ten seconds a message, 64 KiB of an answer, of which 200 characters are kept.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "flow/port/alert_sender.h"
#include "net/call_queue.h"
#include "net/http_client.h"

namespace showcaller {

struct HttpAlertOptions {
  std::size_t waiting_max = 512;
  int threads = 2;
  std::function<Instant()> wall;
  // The secret of that name; NotFound says where it was looked for.
  std::function<Result<std::string>(const std::string& name)> secret;
  std::string pager_duty_url = "https://events.pagerduty.com/v2/enqueue";
  TlsClientOptions tls;
};

class HttpAlert final : public AlertSender {
 public:
  explicit HttpAlert(HttpAlertOptions options);
  HttpAlert(const HttpAlert&) = delete;
  HttpAlert& operator=(const HttpAlert&) = delete;

  void send(const AlertMessage& message, Outcome done) override;
  // What is under way or waits is to come again, as is all that is sent from now on. When it
  // returns, every outcome is told: whoever is told may go.
  void stop() { queue_.end(); }

 private:
  void post(const AlertMessage& message, const Outcome& done);

  const HttpAlertOptions options_;
  CallQueue queue_;  // ends before the rest goes
};

}  // namespace showcaller
