// SPDX-License-Identifier: Apache-2.0
// Port identity_provider over OpenID Connect: the authorization code flow with PKCE.
//
//   GET  ISSUER/.well-known/openid-configuration     where all else is; kept for an hour
//   GET  its authorization_endpoint                  by the browser
//   POST its token_endpoint                          a code for an ID token
//   GET  its jwks_uri                                the keys; kept for an hour
//
// A token that none of the keys that are kept has signed has them fetched anew, so that an issuer
// may change its keys when it likes; but not twice in kKeysAgainAfter, so that tokens of keys that
// nobody knows do not become requests.
//
// Threads: a few of its own. Source: OpenID Connect Core 1.0, RFC 6749 section 2.3.1, RFC 7636,
// RFC 9207.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "codec/json_web_token.h"
#include "codec/oidc.h"
#include "host/port/identity_provider.h"
#include "net/call_queue.h"
#include "net/http_client.h"

namespace showcaller {

struct OidcOptions {
  std::string issuer;  // as it names itself
  std::string client_id;
  std::string client_secret;  // empty: the client has none, PKCE alone proves who redeems
  std::string name;           // for people
  std::vector<std::string> scopes{"openid", "email", "profile"};
  std::string name_claim = "email", groups_claim = "groups";
  Duration session_max = hours(8);  // then the issuer is asked again who it is
  TlsClientOptions tls;
  std::function<Instant()> wall;
  Duration timeout = seconds(10);  // of each request
  std::size_t waiting_max = 64;
  int threads = 2;
};

class OidcProvider final : public IdentityProvider {
 public:
  static constexpr Duration kKeysAgainAfter = seconds(5);

  explicit OidcProvider(OidcOptions options);
  OidcProvider(const OidcProvider&) = delete;
  OidcProvider& operator=(const OidcProvider&) = delete;

  std::string name() const override { return options_.name; }
  void begin(const SignInAttempt& attempt, Address done) override;
  void redeem(const SignInAttempt& attempt, const std::string& code, const std::string& issuer,
              Outcome done) override;
  // What waits is answered as unavailable. When it returns, every outcome is told.
  void stop() { queue_.end(); }

 private:
  // What was fetched, and when.
  template <class T>
  struct Kept {
    T what;
    Instant at{};
  };

  std::optional<OidcDiscovery> known_discovery() const;
  Result<OidcDiscovery> discovery();
  Result<std::vector<JsonWebKey>> keys(const OidcDiscovery& issuer, Duration not_older_than);
  Status check_signed(const SignedToken& token, const OidcDiscovery& issuer);
  Result<std::string> redeem_code(const OidcDiscovery& issuer, const SignInAttempt& attempt,
                                  const std::string& code);
  Result<Identity> identity(const SignInAttempt& attempt, const std::string& code,
                            const std::string& issuer);
  std::string authorization_url(const OidcDiscovery& issuer, const SignInAttempt& attempt) const;
  Result<HttpResponse> exchange(const std::string& url, HttpClientRequest request);
  Result<std::string> get(const std::string& url);

  const OidcOptions options_;
  mutable std::mutex mutex_;
  std::optional<Kept<OidcDiscovery>> discovery_;
  std::optional<Kept<std::vector<JsonWebKey>>> keys_;
  CallQueue queue_;  // ends before the rest goes
};

}  // namespace showcaller
