// SPDX-License-Identifier: Apache-2.0
// Looks at what services with a degradation order are measured by, and tells the engine whenever
// something follows from it (policy/degradation.h).
//
// Threads: pass() by one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/engine_host.h"

namespace showcaller {

struct ServiceSigns {
  // Free capacity of a fleet over what is in use, in ppm; absent: it was not observed yet.
  std::function<std::optional<std::int64_t>(const std::string& fleet)> headroom_of;
  // How many times as fast as it may each objective's budget burns; those that are not known are
  // left out.
  std::function<std::vector<std::pair<std::string, double>>(const std::string& service)> burn_of;
  // Whether a probe of it fails from wherever it is made.
  std::function<bool(const std::string& service)> fails_probe;
};

class ServiceWatch {
 public:
  ServiceWatch(EngineHost* host, ServiceSigns signs) : host_(host), signs_(std::move(signs)) {}
  void pass();

 private:
  std::vector<StressSign> measured(const std::string& name, const ServiceSpec& spec) const;
  void look(const World& world, const std::string& name);

  EngineHost* host_;
  ServiceSigns signs_;
};

}  // namespace showcaller
