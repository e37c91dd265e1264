// SPDX-License-Identifier: Apache-2.0
// The chunked transfer coding (RFC 9112, 7.1), decoded as the bytes come: the outcome is the same
// wherever they are split. Extensions and trailer fields are checked, bounded and left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace showcaller {

class ChunkedBody {
 public:
  enum class Progress { NeedMore, Done, Malformed, BodyTooLarge, TrailersTooLarge };

  static constexpr std::size_t kLineBytesMax = 4096;  // a chunk's size with its extension

  ChunkedBody(std::size_t body_bytes_max, std::size_t trailer_bytes_max)
      : body_bytes_max_(body_bytes_max), trailer_bytes_max_(trailer_bytes_max) {}

  void limit_body(std::size_t bytes_max) { body_bytes_max_ = bytes_max; }
  // Takes bytes up to the end of the body; what is of the body is added to *body. All but Done take
  // every byte or end the connection.
  Progress feed(std::string_view bytes, std::size_t* consumed, std::string* body);

 private:
  enum class Part { SizeLine, Data, DataEnd, Trailers };

  // A line whole in line_, without its end; false: there is more to come.
  Progress take_line(std::string_view bytes, std::size_t* consumed, std::size_t bytes_max,
                     Progress too_long);
  Progress size_line();

  std::size_t body_bytes_max_, trailer_bytes_max_;
  Part part_ = Part::SizeLine;
  std::string line_;
  std::uint64_t left_ = 0;  // of this chunk
  std::size_t body_bytes_ = 0, trailer_bytes_ = 0;
};

}  // namespace showcaller
