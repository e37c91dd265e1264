// SPDX-License-Identifier: Apache-2.0
#include "wire/session_table.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sodium.h>

#include "base/hash.h"

namespace showcaller {
namespace {

constexpr std::string_view kCookieName = "showcaller_session";

std::string hash_of(std::string_view id) {
  return to_hex(sha256(id));
}

}  // namespace

std::string SessionTable::open(SessionHolder holder, Instant now) {
  std::array<char, 32> bytes;
  randombytes_buf(bytes.data(), bytes.size());
  std::string id = to_hex(std::string_view(bytes.data(), bytes.size()));
  Instant until = now + kLife;
  if (const auto* person = std::get_if<Identity>(&holder)) until = std::min(until, person->until);
  std::lock_guard lock(mutex_);
  make_room(now);
  by_hash_.insert_or_assign(hash_of(id), Session{std::move(holder), until});
  return id;
}

void SessionTable::make_room(Instant now) {
  if (by_hash_.size() < kSessionsMax) return;
  std::erase_if(by_hash_, [&](const auto& entry) { return entry.second.until <= now; });
  if (by_hash_.size() < kSessionsMax) return;
  by_hash_.erase(
      std::ranges::min_element(by_hash_, {}, [](const auto& entry) { return entry.second.until; }));
}

std::optional<SessionHolder> SessionTable::holder(std::string_view id, Instant now) const {
  const std::string hash = hash_of(id);
  std::lock_guard lock(mutex_);
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end() || found->second.until <= now) return std::nullopt;
  return found->second.holder;
}

void SessionTable::close(std::string_view id) {
  const std::string hash = hash_of(id);
  std::lock_guard lock(mutex_);
  by_hash_.erase(hash);
}

std::size_t SessionTable::size() const {
  std::lock_guard lock(mutex_);
  return by_hash_.size();
}

std::string_view cookie_of(const HttpHeaders& headers, std::string_view name) {
  std::string_view rest = headers.get("Cookie");
  while (!rest.empty()) {
    const auto end = std::min(rest.find(';'), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    const auto sign = pair.find('=');
    if (sign != pair.npos && pair.substr(0, sign) == name) return pair.substr(sign + 1);
  }
  return {};
}

std::string_view session_of(const HttpHeaders& headers) {
  return cookie_of(headers, kCookieName);
}

std::string session_cookie(std::string_view id, bool secure) {
  const auto life = std::chrono::duration_cast<std::chrono::seconds>(SessionTable::kLife).count();
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{}", kCookieName, id,
                     life, secure ? "; Secure" : "");
}

std::string ended_session_cookie() {
  return fmt::format("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0", kCookieName);
}

Status check_same_origin(const HttpRequest& request) {
  const auto site = request.headers.get("Sec-Fetch-Site");
  // Browsers leave it out where the connection is not trustworthy, and then the origin has to do.
  if (site == "same-origin") return {};
  if (site.empty()) {
    const auto origin = request.headers.get("Origin");
    const auto scheme = origin.find("://");
    if (scheme != origin.npos &&
        equal_ignoring_case(origin.substr(scheme + 3), request.headers.get("Host")))
      return {};
  }
  return fail(ErrorCode::Forbidden,
              "a page of another site, or of none, sent this with your session; act from the "
              "console itself, or send a token in Authorization");
}

}  // namespace showcaller
