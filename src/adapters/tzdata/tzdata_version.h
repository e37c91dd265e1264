// SPDX-License-Identifier: Apache-2.0
// Which release of the IANA zone data this machine has. Resolved schedules keep it beside the
// instants.
#pragma once

#include <string>

namespace showcaller {

// "2026a", from the first line of tzdata.zi in `folder`; "unknown" when it is not there.
std::string read_tzdata_version(const std::string& folder = "/usr/share/zoneinfo");

}  // namespace showcaller
