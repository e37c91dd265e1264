// SPDX-License-Identifier: Apache-2.0
// `paper_fleet --data FOLDER --port N --port-file FILE`: the server, whose fleets run on
// paper instead of as processes.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "cli/serve/serve.h"
#include "paper_fleet/paper_driver.h"

int main(int argc, char** argv) {
  showcaller::ServeOptions options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--data")
      options.data = argv[i + 1];
    else if (name == "--port")
      options.port = static_cast<std::uint16_t>(std::atoi(argv[i + 1]));
    else if (name == "--port-file")
      options.port_file = argv[i + 1];
    else {
      std::fprintf(stderr,
                   "paper_fleet: there is no option %s; there are --data, --port, --port-file\n",
                   argv[i]);
      return 2;
    }
  }
  showcaller::PaperDriver paper;
  return showcaller::serve(options, {{"process", &paper}});
}
