// SPDX-License-Identifier: Apache-2.0
// Reads HTTP/1.1 messages from bytes, without sockets: the same bytes give the same message
// wherever they are split.
//
// Beast's parser does the grammar; what is added here is our limits, the status that answers each
// fault, and what Beast lets pass but should not: two lengths, transfer codings other than chunked,
// trailers as headers.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "net/http_message.h"

namespace showcaller {

struct HttpParserLimits {
  std::size_t target_bytes = 8 << 10;
  std::size_t header_bytes = 32 << 10;
  std::size_t header_count = 100;
  std::size_t body_bytes = 16 << 20;
};

enum class ParseProgress { NeedMore, HeaderDone, Done, Failed };

struct ParseFailure {
  int status = 400;  // the answer it deserves
  std::string reason;
};

// One request at a time; reset() starts the next. feed() takes bytes from the front of `bytes` and
// says how many; the caller keeps the rest and offers it again with more behind it.
class HttpRequestParser {
 public:
  explicit HttpRequestParser(HttpParserLimits limits);
  ~HttpRequestParser();

  // HeaderDone is told once, before the body is read; call again.
  ParseProgress feed(std::string_view bytes, std::size_t* consumed);
  const ParseFailure& failure() const;
  bool started() const;     // a byte of this request has been taken or held back
  bool keep_alive() const;  // after HeaderDone
  bool http_1_0() const;
  // Of HTTP/1.0 no expectation is met, as RFC 9110 (10.1.1) asks.
  bool expects_continue() const;
  HttpRequest& request();  // complete when Done; headers when HeaderDone
  // After HeaderDone, for a body in chunks; one of a declared length is what it says.
  void limit_body(std::size_t bytes_max);
  std::size_t body_bytes() const;  // read so far
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The client's side. `body` pieces are taken out by take_body() as they come.
class HttpResponseParser {
 public:
  HttpResponseParser(HttpParserLimits limits, bool head_request);
  ~HttpResponseParser();

  ParseProgress feed(std::string_view bytes, std::size_t* consumed);
  // The peer closed: Done when that ends the body, else Failed.
  ParseProgress feed_end();
  const ParseFailure& failure() const;
  bool keep_alive() const;
  HttpResponse& response();
  std::string take_body();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace showcaller
