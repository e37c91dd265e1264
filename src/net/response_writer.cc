// SPDX-License-Identifier: Apache-2.0
#include "net/response_writer.h"

#include <algorithm>

#include <fmt/format.h>

namespace showcaller {

void ResponseWriter::append_head(std::string* out, HttpResponse* response,
                                 const ResponseFraming& framing, std::int64_t unix_seconds) {
  if (unix_seconds != date_second_) {
    date_second_ = unix_seconds;
    date_ = format_http_date(unix_seconds);
  }
  auto& headers = response->headers;
  headers.remove("Connection");
  headers.add("Date", date_);
  if (framing.length) headers.set("Content-Length", fmt::format_int(*framing.length).c_str());
  if (framing.chunked) headers.add("Transfer-Encoding", "chunked");
  if (response->status == 101)
    headers.add("Connection", "Upgrade");
  else if (!framing.keep_alive)
    headers.add("Connection", "close");
  if (framing.keep_alive && framing.http_1_0) headers.add("Connection", "keep-alive");
  append_response_head(out, response->status, headers);
}

void append_chunk(std::string* out, std::string_view bytes, bool chunked) {
  if (bytes.empty()) return;
  if (chunked) append_chunk_head(out, bytes.size());
  *out += bytes;
  if (chunked) *out += kChunkEnd;
}

FramedPiece::FramedPiece(std::string_view piece, bool chunked)
    : piece_(piece), end_(chunked ? kChunkEnd : std::string_view()) {
  if (chunked) append_chunk_head(&head_, piece.size());
}

void FramedPiece::append_rest(std::size_t sent, std::string* out) const {
  for (const std::string_view part : {head(), piece(), end()}) {
    const std::size_t of_this = std::min(sent, part.size());
    out->append(part.substr(of_this));
    sent -= of_this;
  }
}

void append_chunk_head(std::string* out, std::size_t size) {
  fmt::format_to(std::back_inserter(*out), "{:x}\r\n", size);
}

}  // namespace showcaller
