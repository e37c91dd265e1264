// SPDX-License-Identifier: Apache-2.0
#include "adapters/process/port_lease.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace showcaller {
namespace {

constexpr int kTriesMax = 64;

// A socket of the type bound to the port (0: the kernel's choice). Without a value: taken.
FileHandle bind_socket(int type, sockaddr_in address, int port) {
  FileHandle socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  address.sin_port = htons(std::uint16_t(port));
  if (!socket ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return {};
  return socket;
}

int bound_port(const FileHandle& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.sin_port);
}

}  // namespace

Result<std::vector<PortLease>> lease_ports(const std::string& lock_folder,
                                           const std::string& address, int count) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  if (::inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1) {
    return fail(ErrorCode::Invalid, fmt::format("'{}' is not an IPv4 address", address));
  }
  TRY(make_folder(lock_folder));
  std::vector<PortLease> leases;
  for (int tries = 0; int(leases.size()) < count && tries < kTriesMax; ++tries) {
    FileHandle udp = bind_socket(SOCK_DGRAM, where, 0);
    const int port = udp ? bound_port(udp) : 0;
    if (port == 0) continue;
    FileHandle tcp = bind_socket(SOCK_STREAM, where, port);
    if (!tcp) continue;
    TRY(FileHandle lock, try_lock_file(fmt::format("{}/{}", lock_folder, port)));
    if (!lock) continue;
    leases.push_back({port, std::move(lock), std::move(udp), std::move(tcp)});
  }
  if (int(leases.size()) < count) {
    return fail(
        ErrorCode::Unavailable,
        fmt::format("no {} free ports on {}; end something that holds them", count, address));
  }
  return leases;
}

}  // namespace showcaller
