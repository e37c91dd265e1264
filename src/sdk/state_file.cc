// SPDX-License-Identifier: Apache-2.0
#include "sdk/state_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace showcaller::sdk {
namespace {

constexpr std::size_t kBytesMax = 64u << 20;

std::unexpected<Error> failed(const char* what, const std::string& path) {
  const showcaller::ErrorCode code =
      errno == ENOENT ? showcaller::ErrorCode::NotFound : showcaller::ErrorCode::Unavailable;
  return fail(code, fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

Status write_all(int file, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("cannot write", path);
    bytes.remove_prefix(std::size_t(written));
  }
  if (::fsync(file) != 0) return failed("cannot sync", path);
  return {};
}

}  // namespace

Result<SavedFlags> load_saved_flags(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) return failed("cannot open", path);
  std::string text;
  char buffer[16384];
  while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, file.get())) {
    text.append(buffer, got);
    if (text.size() > kBytesMax)
      return fail(showcaller::ErrorCode::Limit, path + ": larger than 64 MiB");
  }
  auto parsed = parse_json(text, {.bytes_max = kBytesMax, .depth_max = 80});
  auto* object = parsed ? parsed->if_object() : nullptr;
  auto* document = object != nullptr ? object->if_contains("document") : nullptr;
  if (document == nullptr) {
    return fail(showcaller::ErrorCode::Corrupt,
                path + " holds no flags; it is replaced when the server answers");
  }
  return SavedFlags{.etag = get_string(*object, "etag"), .document = std::move(*document)};
}

Status save_flags(const std::string& path, const SavedFlags& flags) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return failed("cannot create", temporary);
  const std::string text =
      to_json_text(json::object{{"etag", flags.etag}, {"document", flags.document}});
  const Status written = write_all(file, text, temporary);
  ::close(file);
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return failed("cannot replace", path);
  return {};
}

}  // namespace showcaller::sdk
