// SPDX-License-Identifier: Apache-2.0
#include "cli/shim_command.h"

#include <charconv>
#include <memory>
#include <string_view>

#include <fmt/format.h>

#include "adapters/process/shim.h"
#include "cli/sidecar_command.h"

namespace showcaller {
namespace {

int to_int(std::string_view text) {
  int value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

int shim_command(int argc, char** argv) {
  ShimOptions options;
  options.serve = [](agones::SidecarBackend& backend) -> Result<ServedSidecar> {
    TRY(std::shared_ptr<SidecarServers> servers, serve_sidecar(backend, "127.0.0.1", 0, 0));
    return ServedSidecar{servers->grpc->port(), servers->rest->port(), servers};
  };
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string_view value = argv[i + 1];
    if (name == "--dir")
      options.folder = value;
    else if (name == "--address")
      options.address = value;
    else if (name == "--control-fd")
      options.control_fd = to_int(value);
    else if (name == "--lock-fd")
      options.lock_fd = to_int(value);
  }
  if (options.folder.empty()) {
    fmt::print(stderr,
               "usage: showcaller shim --dir FOLDER [--address IP] [--control-fd N] [--lock-fd N]\n"
               "The process driver starts it; FOLDER holds the spec.json of one instance.\n");
    return 2;
  }
  return shim_main(options);
}

}  // namespace showcaller
