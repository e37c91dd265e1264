// SPDX-License-Identifier: Apache-2.0
// How much a report is believed. Server-side evidence outranks probes, probes outrank clients; what
// clients alone say may only hold.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace showcaller {

enum class Trust : std::uint8_t { Server, Probe, Client };  // most trusted first
std::string_view to_string(Trust trust);                    // "server", …
std::optional<Trust> parse_trust(std::string_view text);

}  // namespace showcaller
