// SPDX-License-Identifier: Apache-2.0
// Who has signed in with a browser. A browser is given a session's id in a cookie that no script
// can read; the token that opened it stays here, so that a session is worth what its token is worth
// at this moment: a revoked token ends its sessions. Sessions are in memory: a restart ends them
// all.
//
// Threads: any. Limits: kSessionsMax; who comes then takes the place of the session that would end
// first. Ids are 256 random bits, known here by their hashes alone.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "net/http_message.h"

namespace showcaller {

class SessionTable {
 public:
  static constexpr std::size_t kSessionsMax = 10'000;
  static constexpr Duration kLife = hours(12);

  // The id of a new session.
  std::string open(std::string token, Instant now);
  // The token that opened it; absent: there is no such session, or it is over.
  std::optional<std::string> token(std::string_view id, Instant now) const;
  void close(std::string_view id);
  std::size_t size() const;

 private:
  struct Session {
    std::string token;
    Instant until;
  };
  void make_room(Instant now);

  mutable std::mutex mutex_;
  std::map<std::string, Session, std::less<>> by_hash_;
};

// The session's id in the request's cookies; empty: none.
std::string_view session_of(const HttpHeaders& headers);
// For Set-Cookie. `secure`: browsers send it over TLS alone.
std::string session_cookie(std::string_view id, bool secure);
std::string ended_session_cookie();

// A browser sends its cookies along with whatever any page makes it send. So what changes something
// must come from a page of this very server: Forbidden else. Source: Fetch Metadata (W3C),
// RFC 6454 section 7.
Status check_same_origin(const HttpRequest& request);

}  // namespace showcaller
