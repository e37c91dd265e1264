// SPDX-License-Identifier: Apache-2.0
// Who has signed in with a browser. A browser is given a session's id in a cookie that no script
// can read; what opened it stays here, so that a session is worth what that is worth at this
// moment: a revoked token ends its sessions, as does a policy that gives a person no role any more.
// Sessions are in memory: a restart ends them all.
//
// Threads: any. Limits: kSessionsMax; who comes then takes the place of the session that would end
// first. Ids are 256 random bits, known here by their hashes alone.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"
#include "model/identity.h"
#include "net/http_message.h"

namespace showcaller {

// A token's text, or somebody whom the issuer of identities vouches for.
using SessionHolder = std::variant<std::string, Identity>;

class SessionTable {
 public:
  static constexpr std::size_t kSessionsMax = 10'000;
  static constexpr Duration kLife = hours(12);

  // The id of a new session. A person's ends when the issuer is to be asked again, if that is
  // sooner.
  std::string open(SessionHolder holder, Instant now);
  // Who opened it; absent: there is no such session, or it is over.
  std::optional<SessionHolder> holder(std::string_view id, Instant now) const;
  void close(std::string_view id);
  std::size_t size() const;

 private:
  struct Session {
    SessionHolder holder;
    Instant until;
  };
  void make_room(Instant now);

  mutable std::mutex mutex_;
  std::map<std::string, Session, std::less<>> by_hash_;
};

// A cookie of the request; empty: none.
std::string_view cookie_of(const HttpHeaders& headers, std::string_view name);
// The session's id among them.
std::string_view session_of(const HttpHeaders& headers);
// For Set-Cookie. `secure`: browsers send it over TLS alone.
std::string session_cookie(std::string_view id, bool secure);
std::string ended_session_cookie();

// A browser sends its cookies along with whatever any page makes it send. So what changes something
// must come from a page of this very server: Forbidden else. Source: Fetch Metadata (W3C),
// RFC 6454 section 7.
Status check_same_origin(const HttpRequest& request);

}  // namespace showcaller
