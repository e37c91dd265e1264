// SPDX-License-Identifier: Apache-2.0
// The bytes of an answer: head with date, length and what becomes of the connection; chunks.
// Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_message.h"

namespace showcaller {

struct ResponseFraming {
  std::optional<std::size_t> length;  // absent with chunks, and where there is no body
  bool chunked = false;
  bool keep_alive = true;
  bool http_1_0 = false;
};

class ResponseWriter {
 public:
  // Adds Date, Content-Length, Transfer-Encoding and Connection to what the response has. The date
  // is formatted once a second.
  void append_head(std::string* out, HttpResponse* response, const ResponseFraming& framing,
                   std::int64_t unix_seconds);

 private:
  std::int64_t date_second_ = -1;
  std::string date_;
};

// Nothing for an empty piece, which would end the body.
void append_chunk(std::string* out, std::string_view bytes, bool chunked);
// For a piece that is written from where it is: this, the piece, kChunkEnd.
void append_chunk_head(std::string* out, std::size_t size);
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

// A piece as it is sent, in the parts that lie in different places. Views the piece.
class FramedPiece {
 public:
  FramedPiece(std::string_view piece, bool chunked);
  FramedPiece(const FramedPiece&) = delete;
  FramedPiece& operator=(const FramedPiece&) = delete;

  std::string_view head() const { return head_; }
  std::string_view piece() const { return piece_; }
  std::string_view end() const { return end_; }
  // What is left when so much has been sent.
  void append_rest(std::size_t sent, std::string* out) const;

 private:
  std::string head_;  // short enough to lie in place
  std::string_view piece_, end_;
};

}  // namespace showcaller
