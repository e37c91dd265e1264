// SPDX-License-Identifier: Apache-2.0
#include "net/http_parser.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "net/chunked_body.h"

namespace showcaller {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;
using BeastString = boost::beast::string_view;

std::string_view view(BeastString text) {
  return {text.data(), text.size()};
}

// The methods this server knows; any other token is answered with 501.
constexpr std::string_view kMethods[] = {"GET",   "HEAD",    "POST",  "PUT",    "DELETE",
                                         "PATCH", "OPTIONS", "TRACE", "CONNECT"};

// "METHOD SP target SP HTTP/d.d"; Beast then looks at each part.
bool is_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == line.npos || first == 0 || last == first) return false;
  const auto version = line.substr(last + 1);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.size() == 8 && version.starts_with("HTTP/") && digit(version[5]) &&
         version[6] == '.' && digit(version[7]) &&
         line.substr(first + 1, last - first - 1).find(' ') == line.npos;
}

// A later minor version is answered as 1.1 is (RFC 9110, 2.5).
bool is_spoken_version(std::string_view line) {
  return line.substr(line.size() - 3).starts_with("1.");
}

// RFC 3986: a name, an address or one in brackets, and a port.
bool is_host(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("-._~!$&'()*+,;=%:[]").find(c) != std::string_view::npos;
  });
}

template <bool is_request>
class BeastParser final : public http::basic_parser<is_request> {
 public:
  explicit BeastParser(const HttpParserLimits& limits) : limits_(limits) {
    this->header_limit(static_cast<std::uint32_t>(limits.header_bytes +
                                                  1));  // The scanner below is the real limit.
    if (limits.body_bytes == std::numeric_limits<std::size_t>::max()) {
      this->body_limit(boost::none);
    } else {
      this->body_limit(limits.body_bytes);
    }
  }

  HttpRequest request;
  HttpResponse response;
  std::string body;
  ParseFailure fault{400, {}};

  bool http_1_0() const { return version_ == 10; }

 private:
  void refuse(int status, std::string_view reason, error_code& ec) {
    fault = {status, std::string(reason)};
    ec = http::error::bad_field;
  }

  void on_request_impl(http::verb, BeastString method, BeastString target, int version,
                       error_code& ec) override {
    version_ = version;
    if (std::ranges::find(kMethods, view(method)) == std::end(kMethods)) {
      return refuse(501, "the method is not known here", ec);
    }
    if (target.size() > limits_.target_bytes)
      return refuse(414, "the request target is too long", ec);
    request.method = view(method);
    request.target = view(target);
    if (const auto split = split_target(&request); !split) refuse(400, split.error().message, ec);
  }

  void on_response_impl(int code, BeastString, int version, error_code&) override {
    version_ = version;
    response.status = code;
  }

  void on_field_impl(http::field name, BeastString name_text, BeastString value,
                     error_code& ec) override {
    HttpHeaders& headers = is_request ? request.headers : response.headers;
    if (headers.size() >= limits_.header_count)
      return refuse(431, "there are too many header fields", ec);
    if (name == http::field::content_length) {
      if (headers.find("Content-Length"))
        return refuse(400, "there are two Content-Length fields", ec);
      const auto digits = view(value);
      if (digits.find_first_not_of("0123456789") != digits.npos)
        return refuse(400, "Content-Length is no number", ec);
    }
    if (name == http::field::transfer_encoding) {
      if (headers.find("Transfer-Encoding"))
        return refuse(400, "there are two Transfer-Encoding fields", ec);
      if (!equal_ignoring_case(view(value), "chunked"))
        return refuse(501, "the only transfer coding is chunked", ec);
      if (is_request && version_ < 11) return refuse(400, "HTTP/1.0 has no transfer codings", ec);
    }
    if (name == http::field::host && is_request) {
      if (headers.find("Host")) return refuse(400, "there are two Host fields", ec);
      if (!is_host(view(value))) return refuse(400, "the Host field is no host", ec);
    }
    headers.add(view(name_text), view(value));
  }

  void on_header_impl(error_code& ec) override {
    if constexpr (is_request) {
      if (version_ == 11 && !request.headers.find("Host"))
        return refuse(400, "there is no Host field", ec);
      request.body_declared =
          request.headers.find("Content-Length") || request.headers.find("Transfer-Encoding");
    }
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
    if (length && is_request) body.reserve(std::min<std::uint64_t>(*length, 1u << 20));
  }

  std::size_t on_body_impl(BeastString bytes, error_code&) override {
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }

  // Chunks never reach Beast.
  void on_chunk_header_impl(std::uint64_t, BeastString, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastString, error_code&) override { return 0; }
  void on_finish_impl(error_code&) override {}

  HttpParserLimits limits_;
  int version_ = 11;
};

template <bool is_request>
struct ParserState {
  explicit ParserState(HttpParserLimits limits) : limits(limits) { parser.emplace(limits); }

  HttpParserLimits limits;
  std::optional<BeastParser<is_request>> parser;
  std::optional<ChunkedBody> chunks;  // between the header and the end of a chunked body
  bool chunks_done = false;
  bool header_told = false;
  bool held_back = false;   // bytes were offered that do not make a step yet
  std::size_t scanned = 0;  // of the header block: looked at
  std::size_t line_start = 0;
  bool first_line_seen = false;
  std::size_t later_minor_at = 0;  // where the digit is of a version after 1.1; 0: it is not

  void reset() {
    parser.emplace(limits);
    chunks.reset();
    chunks_done = header_told = held_back = first_line_seen = false;
    scanned = line_start = later_minor_at = 0;
  }

  ParseProgress failed(int status, std::string_view reason) {
    if (parser->fault.reason.empty()) parser->fault = {status, std::string(reason)};
    return ParseProgress::Failed;
  }

  // Looks for the empty line, so that Beast gets a header block whole and every limit is the same
  // at every split. Done: *size bytes are the block. Told as soon as it shows: a bare line feed, a
  // first line that is no request line.
  ParseProgress find_header_block(std::string_view bytes, std::size_t* size) {
    while (true) {
      const auto newline = bytes.find('\n', scanned);
      const bool found = newline != bytes.npos;
      scanned = found ? newline + 1 : bytes.size();
      if (is_request && !first_line_seen && scanned > limits.target_bytes + kRequestLineRest) {
        return failed(414, "the request target is too long");
      }
      if (scanned > limits.header_bytes) return failed(431, "the header fields are too large");
      if (!found) return ParseProgress::NeedMore;
      if (newline == 0 || bytes[newline - 1] != '\r')
        return failed(400, "a line does not end in CR LF");
      const auto line = bytes.substr(line_start, newline - 1 - line_start);
      if (is_request && !first_line_seen) {
        if (!is_request_line(line)) return failed(400, "the request line is malformed");
        if (!is_spoken_version(line))
          return failed(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
        if (line.back() > '1') later_minor_at = line.size() - 1;
      }
      line_start = newline + 1;
      if (first_line_seen && line.empty()) {
        *size = line_start;
        return ParseProgress::Done;
      }
      first_line_seen = true;
    }
  }

  ParseProgress explain(error_code ec) {
    if (ec == http::error::body_limit) return failed(413, "the body is larger than allowed");
    if (ec == http::error::header_limit) return failed(431, "the header fields are too large");
    return failed(400, "the message is not valid HTTP/1.1");
  }

  ParseProgress feed_header(std::string_view bytes, std::size_t* consumed) {
    // RFC 9112, 2.2: an empty line before a request is let pass.
    while (is_request && scanned == 0 && bytes.substr(*consumed).starts_with("\r\n"))
      *consumed += 2;
    const auto rest = bytes.substr(*consumed);
    held_back = !rest.empty() && rest != "\r";
    if (!held_back) return ParseProgress::NeedMore;
    std::size_t size = 0;
    if (const auto progress = find_header_block(rest, &size); progress != ParseProgress::Done)
      return progress;
    error_code ec;
    std::string as_1_1;  // Beast knows no later version.
    if (later_minor_at != 0) as_1_1.append(rest, 0, size)[later_minor_at] = '1';
    const char* block = as_1_1.empty() ? rest.data() : as_1_1.data();
    const auto taken = parser->put(boost::asio::const_buffer(block, size), ec);
    if (ec) return explain(ec);
    if (taken != size || !parser->is_header_done())
      return failed(400, "the message is not valid HTTP/1.1");
    *consumed += size;
    header_told = true;
    parser->request.body_length = parser->content_length().value_or(0);
    if (parser->chunked() && !parser->is_done())
      chunks.emplace(limits.body_bytes, limits.header_bytes);
    return ParseProgress::HeaderDone;
  }

  ParseProgress feed(std::string_view bytes, std::size_t* consumed) {
    *consumed = 0;
    if (!header_told) return feed_header(bytes, consumed);
    if (chunks) return feed_chunks(bytes, consumed);
    while (!is_done()) {
      const auto rest = bytes.substr(*consumed);
      held_back = !rest.empty();
      if (rest.empty()) return ParseProgress::NeedMore;
      error_code ec;
      *consumed += parser->put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
      if (ec == http::error::need_more) return ParseProgress::NeedMore;
      if (ec) return explain(ec);
    }
    return ParseProgress::Done;
  }

  bool is_done() { return chunks_done || parser->is_done(); }

  ParseProgress feed_chunks(std::string_view bytes, std::size_t* consumed) {
    if (chunks_done) return ParseProgress::Done;
    switch (chunks->feed(bytes, consumed, &parser->body)) {
      case ChunkedBody::Progress::NeedMore:
        return ParseProgress::NeedMore;
      case ChunkedBody::Progress::Done:
        chunks_done = true;
        return ParseProgress::Done;
      case ChunkedBody::Progress::BodyTooLarge:
        return failed(413, "the body is larger than allowed");
      case ChunkedBody::Progress::TrailersTooLarge:
        return failed(431, "the trailer fields are too large");
      case ChunkedBody::Progress::Malformed:
        break;
    }
    return failed(400, "the chunked body is not valid HTTP/1.1");
  }

  static constexpr std::size_t kRequestLineRest = 32;  // method, version, spaces
};

}  // namespace

struct HttpRequestParser::State : ParserState<true> {
  using ParserState<true>::ParserState;
};

HttpRequestParser::HttpRequestParser(HttpParserLimits limits)
    : state_(std::make_unique<State>(limits)) {}
HttpRequestParser::~HttpRequestParser() = default;

ParseProgress HttpRequestParser::feed(std::string_view bytes, std::size_t* consumed) {
  const auto progress = state_->feed(bytes, consumed);
  if (progress == ParseProgress::Done)
    state_->parser->request.body = std::move(state_->parser->body);
  return progress;
}
const ParseFailure& HttpRequestParser::failure() const {
  return state_->parser->fault;
}
bool HttpRequestParser::started() const {
  return state_->parser->got_some() || state_->held_back;
}
bool HttpRequestParser::keep_alive() const {
  return state_->parser->keep_alive();
}
bool HttpRequestParser::http_1_0() const {
  return state_->parser->http_1_0();
}
bool HttpRequestParser::expects_continue() const {
  return !http_1_0() && state_->parser->request.headers.find("Expect").has_value();
}
HttpRequest& HttpRequestParser::request() {
  return state_->parser->request;
}
void HttpRequestParser::limit_body(std::size_t bytes_max) {
  if (state_->chunks) state_->chunks->limit_body(bytes_max);
}
std::size_t HttpRequestParser::body_bytes() const {
  return state_->parser->body.size();
}
void HttpRequestParser::reset() {
  state_->reset();
}

struct HttpResponseParser::State : ParserState<false> {
  using ParserState<false>::ParserState;
};

HttpResponseParser::HttpResponseParser(HttpParserLimits limits, bool head_request)
    : state_(std::make_unique<State>(limits)) {
  if (head_request) state_->parser->skip(true);
}
HttpResponseParser::~HttpResponseParser() = default;

ParseProgress HttpResponseParser::feed(std::string_view bytes, std::size_t* consumed) {
  return state_->feed(bytes, consumed);
}

ParseProgress HttpResponseParser::feed_end() {
  auto& parser = *state_->parser;
  if (state_->is_done()) return ParseProgress::Done;
  if (!parser.got_some()) return state_->failed(502, "the connection closed before an answer");
  error_code ec;
  parser.put_eof(ec);
  return ec ? state_->failed(502, "the connection closed in the middle of an answer")
            : ParseProgress::Done;
}
const ParseFailure& HttpResponseParser::failure() const {
  return state_->parser->fault;
}
bool HttpResponseParser::keep_alive() const {
  return state_->parser->keep_alive();
}
HttpResponse& HttpResponseParser::response() {
  return state_->parser->response;
}
std::string HttpResponseParser::take_body() {
  return std::exchange(state_->parser->body, {});
}

}  // namespace showcaller
