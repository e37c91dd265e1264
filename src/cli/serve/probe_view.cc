// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/probe_view.h"

#include <algorithm>

#include "flow/saga.h"
#include "host/probe_trace.h"

namespace showcaller {
namespace {

json::array places_view(const ProbeView& probe) {
  json::array out;
  for (const auto& [region, place] : probe.places) {
    out.push_back({{"region", region},
                   {"heard", format_instant(place.heard)},
                   {"wrong", place.wrong},
                   {"ms", place.took.count()},
                   {"journeys", place.journeys},
                   {"failed", place.failed}});
  }
  return out;
}

}  // namespace

json::array probes_view(const World& world, const std::vector<ProbeView>& probes) {
  json::array out;
  for (const ProbeView& probe : probes) {
    const auto manifest = world.manifest(Kind::Probe, probe.probe);
    if (!manifest) continue;
    out.push_back({{"probe", probe.probe},
                   {"service", manifest->as<ProbeSpec>().service},
                   {"owner", manifest->owner},
                   {"ready", probe.verdict.ready},
                   {"says", probe.verdict.says},
                   {"places", places_view(probe)}});
  }
  return out;
}

json::array probe_work(const World& world, std::string_view region) {
  json::array out;
  world.manifests.each([&](const std::string&, const StoredManifest& stored) {
    const auto* probe = std::get_if<ProbeSpec>(&stored.manifest->spec);
    if (!probe || std::ranges::find(probe->regions, region) == probe->regions.end()) return;
    json::object one{{"probe", stored.manifest->name}, {"document", stored.manifest->document}};
    if (const auto url = action_url(world, probe->service); !probe->service.empty() && url)
      one["base_url"] = *url;
    if (std::string trace = traceparent_for_probe(world, stored.manifest->name); !trace.empty())
      one["traceparent"] = std::move(trace);
    out.push_back(std::move(one));
  });
  return out;
}

}  // namespace showcaller
