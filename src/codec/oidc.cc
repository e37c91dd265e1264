// SPDX-License-Identifier: Apache-2.0
#include "codec/oidc.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/base64url.h"
#include "base/hash.h"

namespace showcaller {
namespace {

constexpr JsonLimits kAnswerLimits{.bytes_max = 256 << 10, .depth_max = 16};
constexpr std::size_t kPersonMax = 128, kGroupMax = 256, kGroupsMax = 1'000, kShownMax = 120;

std::unexpected<Error> not_proven(std::string why) {
  return fail(ErrorCode::Unauthenticated, std::move(why));
}

// What a stranger wrote, fit for a message: printable, on one line, short.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, kShownMax));
  std::ranges::replace_if(out, [](char c) { return c < ' ' || c > '~'; }, ' ');
  return out;
}

bool is_clean(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return std::uint8_t(c) < ' ' || c == 0x7f; });
}

bool holds_text(const json::object& object, std::string_view key, std::string_view wanted) {
  const json::value* list = get_if(object, key);
  return list && list->is_array() &&
         std::ranges::any_of(list->get_array(), [&](const json::value& value) {
           return value.is_string() && std::string_view(value.get_string()) == wanted;
         });
}

// The address of that name, over TLS unless the issuer itself is not.
Result<std::string> address_in(const json::object& document, std::string_view key,
                               std::string_view issuer) {
  std::string url = get_string(document, key);
  const bool whole =
      url.starts_with("https://") || (issuer.starts_with("http://") && url.starts_with("http://"));
  const bool clean = std::ranges::none_of(url, [](char c) { return c <= ' ' || c > '~'; });
  if (whole && clean) return url;
  return fail(ErrorCode::Invalid, fmt::format("its `{}` is '{}', no https URL", key, shown(url)));
}

// Seconds since 1970, which may have a fraction; absent where there are none.
Result<std::optional<Instant>> time_in(const json::object& claims, std::string_view key) {
  const json::value* there = get_if(claims, key);
  if (!there) return std::nullopt;
  const double number = there->is_number() ? there->to_number<double>() : -1;
  if (!(number >= 0 && number < 1e11))
    return not_proven(fmt::format("the token's `{}` is no time", key));
  return Instant(Duration(std::int64_t(std::floor(number * 1e3))));
}

Status check_audience(const json::object& claims, const std::string& client_id) {
  const json::value* audience = get_if(claims, "aud");
  const bool alone = audience && audience->is_string();
  const bool ours = alone ? std::string_view(audience->get_string()) == client_id
                          : holds_text(claims, "aud", client_id);
  if (!ours) {
    return not_proven(
        fmt::format("the token is for another client (`aud` is not '{}'); compare "
                    "--oidc-client-id with the client that the issuer knows",
                    client_id));
  }
  const json::value* party = get_if(claims, "azp");
  if (!party && (alone || audience->get_array().size() == 1)) return {};
  if (party && party->is_string() && std::string_view(party->get_string()) == client_id) return {};
  return not_proven(
      fmt::format("the token was given to another client (`azp` is not '{}')", client_id));
}

Status check_times(const json::object& claims, const IdTokenRules& rules) {
  TRY(const auto expires, time_in(claims, "exp"));
  TRY(const auto issued, time_in(claims, "iat"));
  TRY(const auto not_before, time_in(claims, "nbf"));
  if (!expires || !issued)
    return not_proven("the token does not say from when until when it is good");
  if (*expires <= rules.now - rules.skew) {
    return not_proven(fmt::format("the token expired at {}, and it is {} here; compare the clocks",
                                  format_instant(*expires), format_instant(rules.now)));
  }
  const Instant latest = rules.now + rules.skew;
  if (*issued <= latest && (!not_before || *not_before <= latest)) return {};
  return not_proven(fmt::format(
      "the token is good from {} on, and it is {} here; compare the clocks",
      format_instant(std::max(*issued, not_before.value_or(*issued))), format_instant(rules.now)));
}

}  // namespace

Result<OidcDiscovery> parse_oidc_discovery(std::string_view text, std::string_view issuer) {
  TRY(const json::value value, parse_json(text, kAnswerLimits));
  if (!value.is_object()) return fail(ErrorCode::Invalid, "its configuration is no JSON object");
  const json::object& document = value.get_object();
  if (const std::string named = get_string(document, "issuer"); named != issuer) {
    return fail(ErrorCode::Invalid,
                fmt::format("it calls itself '{}'; write --oidc-issuer just so", shown(named)));
  }
  OidcDiscovery out;
  TRY(out.authorization_endpoint, address_in(document, "authorization_endpoint", issuer));
  TRY(out.token_endpoint, address_in(document, "token_endpoint", issuer));
  TRY(out.jwks_uri, address_in(document, "jwks_uri", issuer));
  constexpr std::string_view kMethods = "token_endpoint_auth_methods_supported";
  out.takes_basic =
      !get_if(document, kMethods) || holds_text(document, kMethods, "client_secret_basic");
  out.says_issuer = get_bool(document, "authorization_response_iss_parameter_supported");
  return out;
}

Result<std::string> parse_oidc_token_answer(int status, std::string_view body) {
  const auto value = parse_json(body, kAnswerLimits);
  const json::object* answer = value ? value->if_object() : nullptr;
  if (status == 200 && answer) {
    std::string token = get_string(*answer, "id_token");
    if (!token.empty()) return token;
    return not_proven("the issuer gave no ID token; let the scope have `openid`");
  }
  const std::string error = answer ? get_string(*answer, "error") : std::string();
  const std::string why = answer ? get_string(*answer, "error_description") : std::string();
  return not_proven(fmt::format("the issuer did not take the code: {}{}{}",
                                error.empty() ? std::to_string(status) : shown(error),
                                why.empty() ? "" : ", ", shown(why)));
}

std::string pkce_challenge(std::string_view verifier) {
  return to_base64url(as_bytes(sha256(verifier)));
}

Status check_id_token(const json::object& claims, const IdTokenRules& rules) {
  if (const std::string issuer = get_string(claims, "iss"); issuer != rules.issuer)
    return not_proven(fmt::format("the token is of another issuer: '{}'", shown(issuer)));
  if (get_string(claims, "sub").empty()) return not_proven("the token speaks of nobody (`sub`)");
  TRY(check_audience(claims, rules.client_id));
  TRY(check_times(claims, rules));
  if (rules.nonce.empty() || !equal_in_constant_time(get_string(claims, "nonce"), rules.nonce))
    return not_proven("the token belongs to another attempt to sign in (`nonce`); try again");
  return {};
}

const json::value* find_claim(const json::object& claims, std::string_view name) {
  if (!name.starts_with('/')) return get_if(claims, name);
  const json::value* at = nullptr;
  const json::object* within = &claims;
  while (!name.empty()) {
    name.remove_prefix(1);
    const std::string_view key = name.substr(0, name.find('/'));
    name.remove_prefix(key.size());
    at = within ? get_if(*within, key) : nullptr;
    if (!at) return nullptr;
    within = at->if_object();
  }
  return at;
}

Result<std::string> person_in(const json::object& claims, std::string_view claim) {
  const json::value* value = find_claim(claims, claim);
  if (!value || !value->is_string() || value->get_string().empty()) {
    return not_proven(
        fmt::format("the issuer does not say the claim '{}', by which records would "
                    "name you; add it at the issuer, or choose another with "
                    "--oidc-name-claim",
                    claim));
  }
  std::string name(value->get_string());
  if (name.size() > kPersonMax || !is_clean(name))
    return not_proven(
        fmt::format("the claim '{}' is too long for a name, or not printable", claim));
  // Else whoever may write any address into his own profile would act in its owner's name.
  if (claim == "email" && !get_bool(claims, "email_verified")) {
    return not_proven(
        "the issuer has not verified your address (`email_verified`); verify it "
        "there, or choose another claim with --oidc-name-claim");
  }
  return name;
}

Result<std::vector<std::string>> groups_in(const json::object& claims, std::string_view claim) {
  std::vector<std::string> out;
  const json::value* value = find_claim(claims, claim);
  if (!value) return out;
  const auto take = [&](const json::value& item) {
    const bool good = item.is_string() && item.get_string().size() <= kGroupMax &&
                      is_clean(item.get_string()) && out.size() < kGroupsMax;
    if (good) out.emplace_back(item.get_string());
    return good;
  };
  const bool all = value->is_array() ? std::ranges::all_of(value->get_array(), take) : take(*value);
  if (all) return out;
  return not_proven(
      fmt::format("the claim '{}' is no list of at most {} groups, each a text of at "
                  "most {} characters",
                  claim, kGroupsMax, kGroupMax));
}

}  // namespace showcaller
