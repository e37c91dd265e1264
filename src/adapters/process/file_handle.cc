// SPDX-License-Identifier: Apache-2.0
#include "adapters/process/file_handle.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace showcaller {
namespace {

// A short name for FOLDER/NAME: through the descriptor of the folder.
Result<sockaddr_un> short_address(const FileHandle& folder, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = fmt::format("/proc/self/fd/{}/{}", folder.get(), name);
  if (path.size() >= sizeof address.sun_path) {
    return fail(ErrorCode::Invalid, fmt::format("socket name '{}' is too long", name));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Result<FileHandle> open_folder(const std::string& folder) {
  FileHandle handle(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!handle) return fail_errno("open", folder);
  return handle;
}

}  // namespace

void FileHandle::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::unexpected<Error> fail_errno(std::string_view what, std::string_view path) {
  const int error = errno;
  const ErrorCode code = error == ENOENT || error == ECONNREFUSED ? ErrorCode::NotFound
                         : error == ENOSPC                        ? ErrorCode::Limit
                                                                  : ErrorCode::Unavailable;
  return fail(code, fmt::format("{} {}: {}", what, path, std::strerror(error)));
}

Status write_file_whole(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".new";
  FileHandle file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return fail_errno("create", temporary);
  while (!bytes.empty()) {
    const ssize_t n = ::write(file.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("write", temporary);
    bytes.remove_prefix(std::size_t(n));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_errno("rename to", path);
  return {};
}

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail_errno("open", path);
  std::string out;
  char buffer[8192];
  while (true) {
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("read", path);
    if (n == 0) return out;
    out.append(buffer, std::size_t(n));
    if (out.size() > bytes_max)
      return fail(ErrorCode::Limit, fmt::format("{} is over {} bytes", path, bytes_max));
  }
}

Status make_folder(const std::string& path, FolderAccess access) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error)
    return fail(ErrorCode::Unavailable, fmt::format("create folder {}: {}", path, error.message()));
  if (::chmod(path.c_str(), mode_t(access)) != 0) return fail_errno("chmod", path);
  return {};
}

Status remove_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error)
    return fail(ErrorCode::Unavailable, fmt::format("remove {}: {}", path, error.message()));
  return {};
}

Result<FileHandle> try_lock_file(const std::string& path) {
  FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return fail_errno("open", path);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno == EWOULDBLOCK) return FileHandle();
  return fail_errno("lock", path);
}

Result<FileHandle> listen_unix(const std::string& folder, const std::string& name) {
  TRY(const FileHandle at, open_folder(folder));
  TRY(const sockaddr_un address, short_address(at, name));
  FileHandle socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail_errno("socket", name);
  ::unlink(address.sun_path);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), 16) != 0) {
    return fail_errno("listen on", folder + "/" + name);
  }
  return socket;
}

Result<FileHandle> connect_unix(const std::string& folder, const std::string& name) {
  TRY(const FileHandle at, open_folder(folder));
  TRY(const sockaddr_un address, short_address(at, name));
  FileHandle socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail_errno("socket", name);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno("connect to", folder + "/" + name);
  }
  return socket;
}

}  // namespace showcaller
