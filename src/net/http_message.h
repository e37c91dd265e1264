// SPDX-License-Identifier: Apache-2.0
// HTTP messages as values, for the server, the client and everything that answers over HTTP.
//
// Source: RFC 9110 (semantics), RFC 3986 (targets).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace showcaller {

bool equal_ignoring_case(std::string_view a, std::string_view b);

// Header fields in the order they came, names compared without case. One buffer holds all of them,
// so a message costs two allocations however many fields it has. Views stay valid until the next
// add() or set().
class HttpHeaders {
 public:
  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<std::pair<std::string_view, std::string_view>> fields);

  void add(std::string_view name, std::string_view value);
  // Replaces every field of that name.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  // The first field of that name.
  std::optional<std::string_view> find(std::string_view name) const;
  std::string_view get(std::string_view name, std::string_view fallback = {}) const;
  std::size_t count(std::string_view name) const;
  std::size_t size() const { return fields_.size(); }
  std::string_view name(std::size_t i) const;
  std::string_view value(std::size_t i) const;
  void clear();

 private:
  struct Field {
    std::uint32_t at = 0;
    std::uint32_t name_size = 0;
    std::uint32_t value_size = 0;
  };

  std::string text_;
  std::vector<Field> fields_;
};

struct HttpPeer {
  std::string address;      // "127.0.0.1:51234", "[::1]:51234", or "unix"
  std::string tls_subject;  // of a client certificate that verified: its first URI name, else its
                            // common name
  bool tls = false;
};

struct HttpRequest {
  std::string method;                                      // as sent: "GET"
  std::string target;                                      // as sent: "/a%20b?x=1"
  std::string path;                                        // decoded, without the query: "/a b"
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  HttpHeaders headers;
  std::string body;
  bool body_declared = false;     // Content-Length or Transfer-Encoding was there
  std::uint64_t body_length = 0;  // as declared; 0 when it comes in chunks
  HttpPeer peer;

  std::string_view raw_path() const;  // of target, still percent-encoded
  std::optional<std::string_view> query_value(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers;
  std::string body;
};

HttpResponse text_response(int status, std::string body,
                           std::string_view content_type = "text/plain; charset=utf-8");
HttpResponse json_response(int status, std::string body);

// What the server itself answers to a message that is no request: an RFC 9457 problem, as the API's
// are.
HttpResponse protocol_problem(int status, std::string_view detail);
// The `code` of such a problem.
ErrorCode protocol_code(int status);

// "Not Found" for 404; "Status 499" for one without a name.
std::string_view reason_phrase(int status);

// Invalid on a broken escape or a decoded NUL.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
// Leaves RFC 3986's unreserved characters alone.
std::string percent_encode(std::string_view text);
// Fills path and query from target: origin form, absolute form or "*". Invalid when what is decoded
// is not UTF-8.
Status split_target(HttpRequest* request);

// The head of a response, ready to send, ended by the empty line. Adds nothing.
void append_response_head(std::string* out, int status, const HttpHeaders& headers);
// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string format_http_date(std::int64_t unix_seconds);

// "https://host:8443/base", "http://127.0.0.1:8080", "unix:/run/showcaller.sock".
struct HttpUrl {
  bool tls = false;
  std::string host;  // without brackets
  std::uint16_t port = 0;
  std::string unix_path;  // when set, host is only the Host header
  std::string path;       // "" or "/base", without a trailing slash
};
Result<HttpUrl> parse_url(std::string_view text);

}  // namespace showcaller
