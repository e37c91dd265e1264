// SPDX-License-Identifier: Apache-2.0
// As much of HTTP/1.1 as a game needs to speak to its sidecar and to the allocation API: one
// request at a time on a connection that is kept, bodies by length or in chunks.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace arena {

std::string http_request(std::string_view method, std::string_view target, std::string_view host,
                         std::string_view token, std::string_view body);

struct HttpReply {
  int status = 0;
  int retry_after_s = 0;  // 0: not told
  std::string body;
  bool keep = true;  // the connection may be used again
};

// Collects a reply from the bytes of a connection.
class HttpReplyReader {
 public:
  enum class State { More, Done, Broken };
  State feed(std::string_view bytes);
  // The body that is there before its end, of a stream of lines: whole lines are taken out.
  std::optional<std::string> take_line();
  HttpReply& reply() { return reply_; }
  bool head_is_read() const { return head_read_; }

 private:
  bool read_head();
  State read_body();
  State read_chunks();

  std::string buffer_;
  HttpReply reply_;
  bool head_read_ = false;
  bool chunked_ = false;
  std::optional<std::size_t> length_;
};

}  // namespace arena
