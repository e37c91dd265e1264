// SPDX-License-Identifier: Apache-2.0
#include "http_text.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace arena {
namespace {

constexpr std::size_t kBytesMax = 4 << 20;

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return out;
}

// The value of a header in a head whose names are lower case.
std::optional<std::string_view> header(std::string_view head, std::string_view name) {
  const std::string wanted = fmt::format("\r\n{}:", name);
  const std::size_t at = head.find(wanted);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view value = head.substr(at + wanted.size());
  value = value.substr(0, value.find("\r\n"));
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  return value;
}

std::optional<std::size_t> number(std::string_view text, int base = 10) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || value > kBytesMax) return std::nullopt;
  return value;
}

}  // namespace

std::string http_request(std::string_view method, std::string_view target, std::string_view host,
                         std::string_view token, std::string_view body) {
  const std::string authorization =
      token.empty() ? "" : fmt::format("Authorization: Bearer {}\r\n", token);
  return fmt::format(
      "{} {} HTTP/1.1\r\nHost: {}\r\n{}Content-Type: application/json\r\nContent-Length: "
      "{}\r\n\r\n{}",
      method, target, host, authorization, body.size(), body);
}

HttpReplyReader::State HttpReplyReader::feed(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() > kBytesMax) return State::Broken;
  if (!head_read_) {
    if (buffer_.find("\r\n\r\n") == std::string::npos) return State::More;
    if (!read_head()) return State::Broken;
  }
  return read_body();
}

bool HttpReplyReader::read_head() {
  const std::size_t end = buffer_.find("\r\n\r\n");
  const std::string head = lowered(std::string_view(buffer_).substr(0, end)) + "\r\n";
  buffer_.erase(0, end + 4);
  if (!head.starts_with("http/1.1 ") || head.size() < 12) return false;
  reply_.status = int(number(std::string_view(head).substr(9, 3)).value_or(0));
  chunked_ = header(head, "transfer-encoding").value_or("").ends_with("chunked");
  if (const auto length = header(head, "content-length")) {
    length_ = number(*length);
    if (!length_) return false;
  }
  if (const auto wait = header(head, "retry-after"))
    reply_.retry_after_s = int(number(*wait).value_or(0));
  reply_.keep = header(head, "connection").value_or("") != "close";
  head_read_ = true;
  return reply_.status >= 200;
}

HttpReplyReader::State HttpReplyReader::read_body() {
  if (chunked_) return read_chunks();
  const std::size_t wanted = length_.value_or(0);
  if (buffer_.size() < wanted) return State::More;
  reply_.body = buffer_.substr(0, wanted);
  buffer_.erase(0, wanted);
  return State::Done;
}

HttpReplyReader::State HttpReplyReader::read_chunks() {
  while (true) {
    const std::size_t line_end = buffer_.find("\r\n");
    if (line_end == std::string::npos) return State::More;
    const auto size = number(std::string_view(buffer_).substr(0, line_end), 16);
    if (!size) return State::Broken;
    if (buffer_.size() < line_end + 2 + *size + 2) return State::More;
    reply_.body.append(buffer_, line_end + 2, *size);
    buffer_.erase(0, line_end + 2 + *size + 2);
    if (*size == 0) return State::Done;
  }
}

std::optional<std::string> HttpReplyReader::take_line() {
  const std::size_t end = reply_.body.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = reply_.body.substr(0, end);
  reply_.body.erase(0, end + 1);
  return line;
}

}  // namespace arena
