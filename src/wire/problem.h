// SPDX-License-Identifier: Apache-2.0
// Errors as the API tells them: application/problem+json. Source: RFC 9457.
//
//   {"type":"about:blank","title":"Conflict","status":409,"code":"conflict","detail":"...","instance":"/api/v1/...",
//    "remedies":["..."],"trace":"..."}
//
// `code` is the stable name to switch on (ErrorCode); `detail` states the fact; `remedies` say what
// to do. A house message is "fact; remedy", so the two are told apart at its first semicolon.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "net/http_message.h"

namespace showcaller {

int status_of(ErrorCode code);

json::object problem_json(const Error& error, std::string_view instance, std::string_view trace);
// With Retry-After on Limit and Unavailable, WWW-Authenticate on Unauthenticated.
HttpResponse problem_response(const Error& error, std::string_view instance,
                              std::string_view trace);
HttpResponse problem_response(int status, const Error& error, std::string_view instance,
                              std::string_view trace);

// The client's side: the error that a problem tells, or a plain one of the status when the body is
// none.
Error error_from_problem(int status, std::string_view body);

}  // namespace showcaller
