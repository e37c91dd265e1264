// SPDX-License-Identifier: Apache-2.0
#include "wire/console/console_files.h"

#include <fmt/format.h>

#include "base/json.h"

namespace showcaller {
namespace {

std::unexpected<Error> broken(std::string_view what) {
  return fail(
      ErrorCode::Corrupt,
      fmt::format("the console in this program is broken: {}; build the program again", what));
}

// Takes the next `size` bytes off.
Result<std::string_view> take(std::string_view* rest, std::int64_t size) {
  if (size < 0 || std::uint64_t(size) > rest->size()) return broken("a file is cut off");
  const auto bytes = rest->substr(0, std::size_t(size));
  rest->remove_prefix(std::size_t(size));
  return bytes;
}

}  // namespace

Result<ConsoleFiles> ConsoleFiles::open(std::string_view pack) {
  ConsoleFiles out;
  if (pack.empty()) return out;
  const auto end = pack.find('\n');
  if (end == pack.npos) return broken("it has no list of files");
  TRY(const json::value head, parse_json(pack.substr(0, end)));
  const json::value* rows = head.is_object() ? get_if(head.get_object(), "files") : nullptr;
  if (rows == nullptr || !rows->is_array()) return broken("its list of files is none");
  std::string_view rest = pack.substr(end + 1);
  for (const json::value& value : rows->get_array()) {
    if (!value.is_object()) return broken("a row of its list is no object");
    const json::object& row = value.get_object();
    ConsoleFile file{.type = get_string(row, "type"), .etag = get_string(row, "etag")};
    TRY(file.plain, take(&rest, get_int(row, "size")));
    TRY(file.gzip, take(&rest, get_int(row, "gzip")));
    out.files_.emplace(get_string(row, "path"), std::move(file));
  }
  return out;
}

const ConsoleFile* ConsoleFiles::find(std::string_view path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : &found->second;
}

}  // namespace showcaller
