// SPDX-License-Identifier: Apache-2.0
// What a browser keeps while it is away at the issuer of identities, sealed so that it can neither
// read nor make one: nothing waits here for those who never come back, and nobody can crowd out
// another's attempt.
//
// Threads: any. The seal's key lives as long as the tickets: a restart ends all attempts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "host/port/identity_provider.h"
#include "net/http_message.h"

namespace showcaller {

struct SignInTicket {
  SignInAttempt attempt;
  std::string go_to;    // the console's page that was asked for
  std::string problem;  // why it came to nothing; the attempt is over then
  Instant until{};
};

class SignInTickets {
 public:
  static constexpr Duration kLife = minutes(10);

  SignInTickets();
  // As text that may stand in a cookie.
  std::string seal(const SignInTicket& ticket) const;
  // Nothing: it is none of ours, or too old.
  std::optional<SignInTicket> open(std::string_view text, Instant now) const;

 private:
  std::string key_;
};

// An attempt with chance of its own.
SignInAttempt new_sign_in_attempt(std::string return_to);

// The ticket in a cookie that comes along when the issuer sends the browser back; empty: it is
// over.
std::string ticket_cookie(std::string_view sealed, bool secure);
std::string_view ticket_of(const HttpHeaders& headers);

}  // namespace showcaller
