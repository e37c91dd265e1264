// SPDX-License-Identifier: Apache-2.0
#include "wire/sign_in_ticket.h"

#include <fmt/format.h>
#include <sodium.h>

#include "base/base64url.h"
#include "base/json.h"
#include "wire/session_table.h"

namespace showcaller {
namespace {

constexpr std::string_view kTicketCookie = "showcaller_sign_in";
constexpr std::size_t kTicketBytesMax = 4096;
constexpr std::size_t kKeyBytes = crypto_secretbox_KEYBYTES;
constexpr std::size_t kNonceBytes = crypto_secretbox_NONCEBYTES;
constexpr std::size_t kMacBytes = crypto_secretbox_MACBYTES;

std::string chance(std::size_t bytes) {
  std::string out(bytes, '\0');
  randombytes_buf(out.data(), out.size());
  return out;
}

unsigned char* raw(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

SignInTickets::SignInTickets() : key_(chance(kKeyBytes)) {}

std::string SignInTickets::seal(const SignInTicket& ticket) const {
  const std::string plain = to_json_text(json::object{{"return_to", ticket.attempt.return_to},
                                                      {"state", ticket.attempt.state},
                                                      {"nonce", ticket.attempt.nonce},
                                                      {"verifier", ticket.attempt.verifier},
                                                      {"go_to", ticket.go_to},
                                                      {"problem", ticket.problem},
                                                      {"until", to_ms(ticket.until)}});
  std::string nonce = chance(kNonceBytes);
  std::string box(plain.size() + kMacBytes, '\0');
  crypto_secretbox_easy(raw(box), raw(std::string_view(plain)), plain.size(),
                        raw(std::string_view(nonce)), raw(std::string_view(key_)));
  return to_base64url(nonce + box);
}

std::optional<SignInTicket> SignInTickets::open(std::string_view text, Instant now) const {
  if (text.size() > kTicketBytesMax) return std::nullopt;
  const auto sealed = from_base64url(text);
  if (!sealed || sealed->size() < kNonceBytes + kMacBytes) return std::nullopt;
  const std::string_view nonce = std::string_view(*sealed).substr(0, kNonceBytes);
  const std::string_view box = std::string_view(*sealed).substr(kNonceBytes);
  std::string plain(box.size() - kMacBytes, '\0');
  if (crypto_secretbox_open_easy(raw(plain), raw(box), box.size(), raw(nonce),
                                 raw(std::string_view(key_))) != 0)
    return std::nullopt;
  const auto value = parse_json(plain);
  if (!value || !value->is_object()) return std::nullopt;
  const json::object& object = value->get_object();
  SignInTicket out{.attempt = {get_string(object, "return_to"), get_string(object, "state"),
                               get_string(object, "nonce"), get_string(object, "verifier")},
                   .go_to = get_string(object, "go_to"),
                   .problem = get_string(object, "problem"),
                   .until = instant_ms(get_int(object, "until"))};
  if (out.until <= now) return std::nullopt;
  return out;
}

SignInAttempt new_sign_in_attempt(std::string return_to) {
  constexpr std::size_t kBytes = 32;
  return {std::move(return_to), to_base64url(chance(kBytes)), to_base64url(chance(kBytes)),
          to_base64url(chance(kBytes))};
}

// Lax: the issuer's page sends the browser here, which no stricter cookie would come along with.
std::string ticket_cookie(std::string_view sealed, bool secure) {
  const auto life = std::chrono::duration_cast<std::chrono::seconds>(SignInTickets::kLife).count();
  return fmt::format("{}={}; Path=/api/v1/session; HttpOnly; SameSite=Lax; Max-Age={}{}",
                     kTicketCookie, sealed, sealed.empty() ? 0 : life, secure ? "; Secure" : "");
}

std::string_view ticket_of(const HttpHeaders& headers) {
  return cookie_of(headers, kTicketCookie);
}

}  // namespace showcaller
