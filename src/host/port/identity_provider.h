// SPDX-License-Identifier: Apache-2.0
// Port: an issuer of identities, which knows people better than we do: it is told where a browser
// may come back to, and says who came.
//
// Threads: any, and nothing blocks. Outcomes come once, on any thread, also when the port closes;
// perhaps before the call returns. Errors: Unauthenticated (it does not vouch for anybody: why),
// Unavailable (it cannot be asked now).
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "model/identity.h"

namespace showcaller {

// One attempt to sign in. What is random in it has 256 bits, and is never used twice.
struct SignInAttempt {
  std::string return_to;  // where the browser comes back to, whole
  std::string state;      // comes back with it
  std::string nonce;      // comes back within what the issuer signs
  std::string verifier;   // proves that who redeems is who began
};

class IdentityProvider {
 public:
  virtual ~IdentityProvider() = default;

  virtual std::string name() const = 0;  // for people

  using Address = std::function<void(Result<std::string> url)>;
  // Where to send the browser to.
  virtual void begin(const SignInAttempt& attempt, Address done) = 0;

  using Outcome = std::function<void(Result<Identity>)>;
  // The browser came back with this code; `issuer` is who says so, if anybody does.
  virtual void redeem(const SignInAttempt& attempt, const std::string& code,
                      const std::string& issuer, Outcome done) = 0;
};

}  // namespace showcaller
