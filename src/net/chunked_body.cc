// SPDX-License-Identifier: Apache-2.0
#include "net/chunked_body.h"

#include <algorithm>
#include <charconv>

namespace showcaller {
namespace {

constexpr std::size_t kSizeDigitsMax = 16;

bool is_text(std::string_view line) {
  return std::ranges::none_of(line, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

}  // namespace

ChunkedBody::Progress ChunkedBody::feed(std::string_view bytes, std::size_t* consumed,
                                        std::string* body) {
  while (true) {
    switch (part_) {
      case Part::SizeLine: {
        const Progress line = take_line(bytes, consumed, kLineBytesMax, Progress::Malformed);
        if (line != Progress::Done) return line;
        if (const Progress size = size_line(); size != Progress::Done) return size;
        part_ = left_ == 0 ? Part::Trailers : Part::Data;
        break;
      }
      case Part::Data: {
        const auto piece = bytes.substr(*consumed, left_);
        body->append(piece);
        *consumed += piece.size();
        left_ -= piece.size();
        if (left_ > 0) return Progress::NeedMore;
        part_ = Part::DataEnd;
        break;
      }
      case Part::DataEnd: {
        const Progress line = take_line(bytes, consumed, 0, Progress::Malformed);
        if (line != Progress::Done) return line;
        part_ = Part::SizeLine;
        break;
      }
      case Part::Trailers: {
        const Progress line = take_line(bytes, consumed, trailer_bytes_max_ - trailer_bytes_,
                                        Progress::TrailersTooLarge);
        if (line != Progress::Done) return line;
        if (line_.empty()) return Progress::Done;
        if (line_.find(':') == std::string::npos || line_.front() == ':' || !is_text(line_))
          return Progress::Malformed;
        trailer_bytes_ += line_.size();
        break;
      }
    }
    line_.clear();
  }
}

// Byte by byte, so that what is wrong with a line shows at the same byte at every split.
ChunkedBody::Progress ChunkedBody::take_line(std::string_view bytes, std::size_t* consumed,
                                             std::size_t bytes_max, Progress too_long) {
  while (*consumed < bytes.size()) {
    const char c = bytes[(*consumed)++];
    const bool ending = line_.ends_with('\r');
    if (ending != (c == '\n')) return Progress::Malformed;  // A line ends in CR LF, and only there.
    if (ending) {
      line_.pop_back();
      return Progress::Done;
    }
    if (c != '\r' && line_.size() >= bytes_max) return too_long;
    line_ += c;
  }
  return Progress::NeedMore;
}

ChunkedBody::Progress ChunkedBody::size_line() {
  const std::size_t digits =
      std::min(line_.find_first_not_of("0123456789abcdefABCDEF"), line_.size());
  if (digits == 0 || digits > kSizeDigitsMax) return Progress::Malformed;
  std::from_chars(line_.data(), line_.data() + digits, left_, 16);
  // After it, a semicolon and whatever a sender calls an extension.
  const auto rest = std::string_view(line_).substr(digits);
  const std::size_t extension = std::min(rest.find_first_not_of(" \t"), rest.size());
  if ((extension < rest.size() && rest[extension] != ';') || !is_text(rest))
    return Progress::Malformed;
  if (left_ > body_bytes_max_ - body_bytes_) return Progress::BodyTooLarge;
  body_bytes_ += left_;
  return Progress::Done;
}

}  // namespace showcaller
