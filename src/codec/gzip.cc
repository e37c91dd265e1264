// SPDX-License-Identifier: Apache-2.0
#include "codec/gzip.h"

#include <algorithm>

#include <fmt/format.h>
#include <zlib.h>

namespace showcaller {
namespace {

constexpr int kGzipWindow = 15 + 16;  // 16: a gzip header is expected
constexpr std::size_t kFirstRoom = 64 << 10;

struct Inflater {
  z_stream stream{};
  bool begun = false;
  Inflater() { begun = inflateInit2(&stream, kGzipWindow) == Z_OK; }
  Inflater(const Inflater&) = delete;
  ~Inflater() {
    if (begun) inflateEnd(&stream);
  }
};

}  // namespace

Result<std::string> gunzip(std::string_view packed, std::size_t bytes_max) {
  Inflater inflater;
  if (!inflater.begun) return fail(ErrorCode::Unavailable, "no memory to unpack a gzip body");
  z_stream& z = inflater.stream;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  z.avail_in = uInt(packed.size());
  std::string out(std::min(std::max(kFirstRoom, packed.size() * 4), bytes_max + 1), '\0');
  for (;;) {
    z.next_out = reinterpret_cast<Bytef*>(out.data() + z.total_out);
    z.avail_out = uInt(out.size() - z.total_out);
    const int said = inflate(&z, Z_NO_FLUSH);
    if (z.total_out > bytes_max) {
      return fail(ErrorCode::Limit,
                  fmt::format("the body is longer than {} bytes once unpacked; send smaller ones",
                              bytes_max));
    }
    if (said == Z_STREAM_END) break;
    if (said != Z_OK || (z.avail_in == 0 && z.avail_out > 0))
      return fail(ErrorCode::Invalid, "the body is not gzip, or is cut off");
    if (z.avail_out == 0) out.resize(std::min(out.size() * 2, bytes_max + 1));
  }
  if (z.avail_in > 0) return fail(ErrorCode::Invalid, "something follows the gzip body");
  out.resize(z.total_out);
  return out;
}

}  // namespace showcaller
