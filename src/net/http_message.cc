// SPDX-License-Identifier: Apache-2.0
#include "net/http_message.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include <fmt/format.h>

#include "base/json.h"
#include "base/utf8.h"

namespace showcaller {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

Status parse_query(std::string_view text, std::vector<std::pair<std::string, std::string>>* out) {
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto item = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (item.empty()) continue;
    const auto equals = item.find('=');
    TRY(auto name, percent_decode(item.substr(0, equals), true));
    std::string value;
    if (equals != item.npos) {
      TRY(value, percent_decode(item.substr(equals + 1), true));
    }
    out->emplace_back(std::move(name), std::move(value));
  }
  return {};
}

// Names are kept in records and told in answers, and both are JSON.
Status check_text(const HttpRequest& request) {
  bool good = is_utf8(request.path);
  for (const auto& [name, value] : request.query) good = good && is_utf8(name) && is_utf8(value);
  if (good) return {};
  return fail(ErrorCode::Invalid, "the URL is not UTF-8; encode its names as UTF-8 first");
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

HttpHeaders::HttpHeaders(
    std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  for (const auto& [name, value] : fields) add(name, value);
}

void HttpHeaders::add(std::string_view name, std::string_view value) {
  if (fields_.empty()) {
    fields_.reserve(12);
    text_.reserve(512);
  }
  fields_.push_back({static_cast<std::uint32_t>(text_.size()),
                     static_cast<std::uint32_t>(name.size()),
                     static_cast<std::uint32_t>(value.size())});
  text_.append(name).append(value);
}

void HttpHeaders::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void HttpHeaders::remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& field) {
    return equal_ignoring_case(std::string_view(text_).substr(field.at, field.name_size), name);
  });
}

std::optional<std::string_view> HttpHeaders::find(std::string_view name) const {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (equal_ignoring_case(this->name(i), name)) return value(i);
  }
  return std::nullopt;
}

std::string_view HttpHeaders::get(std::string_view name, std::string_view fallback) const {
  return find(name).value_or(fallback);
}

std::size_t HttpHeaders::count(std::string_view name) const {
  std::size_t n = 0;
  for (std::size_t i = 0; i < fields_.size(); ++i) n += equal_ignoring_case(this->name(i), name);
  return n;
}

std::string_view HttpHeaders::name(std::size_t i) const {
  return std::string_view(text_).substr(fields_[i].at, fields_[i].name_size);
}

std::string_view HttpHeaders::value(std::size_t i) const {
  return std::string_view(text_).substr(fields_[i].at + fields_[i].name_size,
                                        fields_[i].value_size);
}

void HttpHeaders::clear() {
  text_.clear();
  fields_.clear();
}

std::string_view HttpRequest::raw_path() const {
  std::string_view path = target;
  path = path.substr(0, path.find('?'));
  if (!path.starts_with('/')) {  // absolute form
    const auto scheme = path.find("://");
    if (scheme == path.npos) return path;
    const auto slash = path.find('/', scheme + 3);
    return slash == path.npos ? std::string_view("/") : path.substr(slash);
  }
  return path;
}

std::optional<std::string_view> HttpRequest::query_value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

HttpResponse text_response(int status, std::string body, std::string_view content_type) {
  return {status, {{"Content-Type", content_type}}, std::move(body)};
}

HttpResponse json_response(int status, std::string body) {
  return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

ErrorCode protocol_code(int status) {
  if (status == 413 || status == 414 || status == 431) return ErrorCode::Limit;
  if (status == 408 || status == 503) return ErrorCode::Unavailable;
  return status >= 500 ? ErrorCode::Unsupported : ErrorCode::Invalid;
}

HttpResponse protocol_problem(int status, std::string_view detail) {
  json::object body{{"type", "about:blank"},
                    {"title", reason_phrase(status)},
                    {"status", status},
                    {"code", to_string(protocol_code(status))},
                    {"detail", detail}};
  return {status, {{"Content-Type", "application/problem+json"}}, to_json_text(body) + "\n"};
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Status";
  }
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return fail(ErrorCode::Invalid, "the URL has a broken % escape; write %25 for a percent");
      if (high == 0 && low == 0) return fail(ErrorCode::Invalid, "the URL has a %00; leave it out");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
        c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

Status split_target(HttpRequest* request) {
  const std::string_view target = request->target;
  if (target.find('#') != target.npos)
    return fail(ErrorCode::Invalid, "a request target has no fragment");
  const auto path = request->raw_path();
  if (!path.starts_with('/') && path != "*") {
    return fail(ErrorCode::Invalid, "the request target is neither a path nor a URL");
  }
  if (path == "*" && request->method != "OPTIONS")
    return fail(ErrorCode::Invalid, "the request target '*' goes with OPTIONS only");
  request->query.clear();
  TRY(request->path, percent_decode(path));
  if (const auto mark = target.find('?'); mark != target.npos) {
    TRY(parse_query(target.substr(mark + 1), &request->query));
  }
  return check_text(*request);
}

void append_response_head(std::string* out, int status, const HttpHeaders& headers) {
  fmt::format_to(std::back_inserter(*out), "HTTP/1.1 {} {}\r\n", status, reason_phrase(status));
  const auto append_clean = [out](std::string_view text) {
    const auto from = std::ptrdiff_t(out->size());
    out->append(text);
    // A line break in a value would end the field: it becomes a space.
    const auto breaks = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
    std::replace_if(out->begin() + from, out->end(), breaks, ' ');
  };
  for (std::size_t i = 0; i < headers.size(); ++i) {
    append_clean(headers.name(i));
    *out += ": ";
    append_clean(headers.value(i));
    *out += "\r\n";
  }
  *out += "\r\n";
}

std::string format_http_date(std::int64_t unix_seconds) {
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t time = unix_seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday],
                     parts.tm_mday, kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                     parts.tm_min, parts.tm_sec);
}

Result<HttpUrl> parse_url(std::string_view text) {
  HttpUrl url;
  if (text.starts_with("unix:")) {
    url.unix_path = text.substr(5);
    url.host = "localhost";
    if (url.unix_path.empty())
      return fail(ErrorCode::Invalid, "the URL names no socket; write unix:/path/to/socket");
    return url;
  }
  const auto wrong = [&] {
    return fail(
        ErrorCode::Invalid,
        fmt::format("'{}' is not a URL; write http://host:port or https://host:port", text));
  };
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    url.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return wrong();
  }
  const auto slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  url.path = rest.substr(slash);
  while (url.path.ends_with('/')) url.path.pop_back();
  if (authority.find('@') != authority.npos) return wrong();
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == authority.npos) return wrong();
    url.host = authority.substr(1, close - 1);
    if (close + 1 < authority.size()) {
      if (authority[close + 1] != ':') return wrong();
      port = authority.substr(close + 2);
    }
  } else {
    const auto colon = authority.find(':');
    url.host = authority.substr(0, colon);
    if (colon != authority.npos) port = authority.substr(colon + 1);
  }
  if (url.host.empty()) return wrong();
  url.port = url.tls ? 443 : 80;
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (error != std::errc() || end != port.data() + port.size() || url.port == 0) return wrong();
  }
  return url;
}

}  // namespace showcaller
