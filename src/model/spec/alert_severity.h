// SPDX-License-Identifier: Apache-2.0
// Whether an alert calls somebody at once.
#pragma once

#include <cstdint>

namespace showcaller {

enum class AlertSeverity : std::uint8_t { Page, Ticket };  // the more urgent first

}  // namespace showcaller
