// SPDX-License-Identifier: Apache-2.0
#include "adapters/oidc/oidc_provider.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "adapters/oidc/token_signature.h"
#include "base/base64url.h"
#include "net/url_target.h"

namespace showcaller {
namespace {

constexpr Duration kFreshFor = hours(1);
constexpr std::size_t kAnswerBytesMax = 256 << 10;

std::string form_of(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, percent_encode(value));
  }
  return out;
}

// Basic's own base64 has other signs and padding than ours.
std::string basic_base64(std::string_view text) {
  std::string out = to_base64url(text);
  std::ranges::replace(out, '-', '+');
  std::ranges::replace(out, '_', '/');
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

}  // namespace

OidcProvider::OidcProvider(OidcOptions options)
    : options_(std::move(options)), queue_(options_.waiting_max, options_.threads) {}

void OidcProvider::begin(const SignInAttempt& attempt, Address done) {
  if (const auto known = known_discovery()) return done(authorization_url(*known, attempt));
  const auto busy = [done](std::string why) { done(fail(ErrorCode::Unavailable, std::move(why))); };
  const CallQueue::Put put = queue_.put([this, attempt, done, busy](CallQueue::Turn turn) {
    if (turn == CallQueue::Turn::Never) return busy("the server is stopping");
    const auto found = discovery();
    if (!found) return done(std::unexpected(found.error()));
    done(authorization_url(*found, attempt));
  });
  if (put == CallQueue::Put::Ending) busy("the server is stopping");
  if (put == CallQueue::Put::Full) busy("too many sign in at once; try again");
}

void OidcProvider::redeem(const SignInAttempt& attempt, const std::string& code,
                          const std::string& issuer, Outcome done) {
  const auto busy = [done](std::string why) { done(fail(ErrorCode::Unavailable, std::move(why))); };
  const CallQueue::Put put =
      queue_.put([this, attempt, code, issuer, done, busy](CallQueue::Turn turn) {
        if (turn == CallQueue::Turn::Never) return busy("the server is stopping");
        done(identity(attempt, code, issuer));
      });
  if (put == CallQueue::Put::Ending) busy("the server is stopping");
  if (put == CallQueue::Put::Full) busy("too many sign in at once; try again");
}

Result<Identity> OidcProvider::identity(const SignInAttempt& attempt, const std::string& code,
                                        const std::string& issuer) {
  TRY(const OidcDiscovery known, discovery());
  // Else a code of one issuer could be told to another.
  if (issuer.empty() ? known.says_issuer : issuer != options_.issuer)
    return fail(ErrorCode::Unauthenticated, "the browser came back from another issuer; try again");
  TRY(const std::string text, redeem_code(known, attempt, code));
  TRY(const SignedToken token, parse_signed_token(text));
  TRY(check_signed(token, known));
  const Instant now = options_.wall();
  TRY(check_id_token(token.claims, {options_.issuer, options_.client_id, attempt.nonce, now}));
  Identity person;
  TRY(person.name, person_in(token.claims, options_.name_claim));
  TRY(person.groups, groups_in(token.claims, options_.groups_claim));
  person.until = now + options_.session_max;
  return person;
}

// The key may be newer than those that are kept, also under a name that they have.
Status OidcProvider::check_signed(const SignedToken& token, const OidcDiscovery& issuer) {
  TRY(const auto kept, keys(issuer, kFreshFor));
  if (check_signature(token, kept)) return {};
  TRY(const auto anew, keys(issuer, kKeysAgainAfter));
  return check_signature(token, anew);
}

std::optional<OidcDiscovery> OidcProvider::known_discovery() const {
  std::lock_guard lock(mutex_);
  if (!discovery_ || options_.wall() - discovery_->at >= kFreshFor) return std::nullopt;
  return discovery_->what;
}

Result<OidcDiscovery> OidcProvider::discovery() {
  if (auto known = known_discovery()) return *std::move(known);
  std::string base = options_.issuer;
  while (base.ends_with('/')) base.pop_back();
  TRY(const std::string text, get(base + "/.well-known/openid-configuration"));
  const auto read = parse_oidc_discovery(text, options_.issuer);
  if (!read) {
    return fail(ErrorCode::Unavailable, fmt::format("the issuer {} cannot be used: {}",
                                                    options_.issuer, read.error().message));
  }
  std::lock_guard lock(mutex_);
  discovery_ = {*read, options_.wall()};
  return *read;
}

Result<std::vector<JsonWebKey>> OidcProvider::keys(const OidcDiscovery& issuer,
                                                   Duration not_older_than) {
  {
    std::lock_guard lock(mutex_);
    if (keys_ && options_.wall() - keys_->at < not_older_than) return keys_->what;
  }
  TRY(const std::string text, get(issuer.jwks_uri));
  auto read = parse_json_web_keys(text);
  if (!read) {
    return fail(ErrorCode::Unavailable, fmt::format("the issuer's keys at {} cannot be read: {}",
                                                    issuer.jwks_uri, read.error().message));
  }
  std::lock_guard lock(mutex_);
  keys_ = {*read, options_.wall()};
  return *std::move(read);
}

std::string OidcProvider::authorization_url(const OidcDiscovery& issuer,
                                            const SignInAttempt& attempt) const {
  const std::string& base = issuer.authorization_endpoint;
  return base + (base.find('?') == base.npos ? "?" : "&") +
         form_of({{"response_type", "code"},
                  {"client_id", options_.client_id},
                  {"redirect_uri", attempt.return_to},
                  {"scope", fmt::format("{}", fmt::join(options_.scopes, " "))},
                  {"state", attempt.state},
                  {"nonce", attempt.nonce},
                  {"code_challenge", pkce_challenge(attempt.verifier)},
                  {"code_challenge_method", "S256"}});
}

Result<std::string> OidcProvider::redeem_code(const OidcDiscovery& issuer,
                                              const SignInAttempt& attempt,
                                              const std::string& code) {
  const bool basic = issuer.takes_basic && !options_.client_secret.empty();
  HttpClientRequest request;
  request.method = "POST";
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                     {"Accept", "application/json"}};
  request.body = form_of({{"grant_type", "authorization_code"},
                          {"code", code},
                          {"redirect_uri", attempt.return_to},
                          {"code_verifier", attempt.verifier},
                          {"client_id", basic ? "" : options_.client_id},
                          {"client_secret", basic ? "" : options_.client_secret}});
  if (basic) {
    request.headers.add("Authorization",
                        "Basic " + basic_base64(percent_encode(options_.client_id) + ":" +
                                                percent_encode(options_.client_secret)));
  }
  TRY(const HttpResponse answer, exchange(issuer.token_endpoint, std::move(request)));
  if (answer.status >= 500) {
    return fail(ErrorCode::Unavailable, fmt::format("the issuer answers {} {}; try again",
                                                    answer.status, reason_phrase(answer.status)));
  }
  return parse_oidc_token_answer(answer.status, answer.body);
}

Result<HttpResponse> OidcProvider::exchange(const std::string& url, HttpClientRequest request) {
  UrlTarget target = split_url(url);
  HttpClientOptions options;
  options.base_url = std::move(target.base);
  options.tls = options_.tls;
  options.connect_timeout = options.timeout = options_.timeout;
  options.body_bytes_max = kAnswerBytesMax;
  request.target = std::move(target.target);
  HttpClient client(std::move(options));
  auto answer = queue_.exchange(&client, request);
  if (answer) return answer;
  return fail(ErrorCode::Unavailable,
              fmt::format("the issuer does not answer at {}: {}", url, answer.error().message));
}

Result<std::string> OidcProvider::get(const std::string& url) {
  TRY(HttpResponse answer, exchange(url, {.headers = {{"Accept", "application/json"}}}));
  if (answer.status == 200) return std::move(answer.body);
  return fail(ErrorCode::Unavailable, fmt::format("the issuer answers {} {} at {}", answer.status,
                                                  reason_phrase(answer.status), url));
}

}  // namespace showcaller
