// SPDX-License-Identifier: Apache-2.0
#include "cli/probe/probe_words.h"

#include <memory>

#include <CLI/CLI.hpp>

#include "cli/probe/probe_verb.h"

namespace showcaller {

void add_probe_words(CLI::App* app, const std::function<const ClientContext&()>& context,
                     int* code) {
  CLI::App* probe = app->add_subcommand("probe", "Synthetic players' journeys");
  probe->require_subcommand(1);
  CLI::App* list = probe->add_subcommand("list", "How each Probe stands");
  list->footer("Examples:\n  showcaller probe list");
  list->callback([context, code] { *code = get_verb(context(), "probes", ""); });

  const auto request = std::make_shared<ProbeRequest>();
  CLI::App* run = probe->add_subcommand("run", "Make journeys: a region's until a signal, or one");
  run->footer(
      "Examples:\n  showcaller probe run raid-join --once\n"
      "  showcaller token create eu-prober --role prober\n"
      "  showcaller probe run --region eu --token-file ./eu-prober.token");
  run->add_option("probe", request->names, "Their names; absent: all of the region");
  run->add_option("--region", request->region,
                  "Where this is; what it makes is reported as from there");
  run->add_flag("--once", request->once, "One journey each, told here and not reported");
  run->callback([context, request, code] { *code = run_probes_verb(context(), *request); });
}

}  // namespace showcaller
