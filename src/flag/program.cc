// SPDX-License-Identifier: Apache-2.0
#include "flag/program.h"

#include <algorithm>
#include <charconv>

namespace showcaller {

void split_path(std::string_view path, std::vector<PathSegment>* out) {
  while (true) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    PathSegment segment{.key = path.substr(0, dot)};
    const char* end = segment.key.data() + segment.key.size();
    const auto [stop, error] = std::from_chars(segment.key.data(), end, segment.index);
    const bool canonical = segment.key == "0" || (!segment.key.empty() && segment.key[0] != '0');
    if (error != std::errc() || stop != end || segment.index < 0 || !canonical) segment.index = -1;
    out->push_back(segment);
    if (dot == path.size()) return;
    path.remove_prefix(dot + 1);
  }
}

}  // namespace showcaller
