// SPDX-License-Identifier: Apache-2.0
// OpenTelemetry's metrics at a relay: whole exports, which it does not read.
//
// A relay says who sent what it hands on: `Showcaller-Sender` tells senders of one relay apart, and
// `Showcaller-Trust: client` that they are no game servers. Neither makes more of a sender than the
// token of who says so.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "model/command.h"
#include "wire/edge_backend.h"
#include "wire/router.h"

namespace showcaller {

inline constexpr std::string_view kOtlpMetricsPath = "/api/v1/otlp/v1/metrics";
inline constexpr std::string_view kOtlpSenderHeader = "Showcaller-Sender";
inline constexpr std::string_view kOtlpTrustHeader = "Showcaller-Trust";

SenderBelow sender_below(const HttpHeaders& headers);

struct OtlpExport {
  std::string type, encoding;
  SenderBelow sender;
  std::string body;
};

// Takes exports as they come. Who sent them is the caller's to say.
using TakeExport = std::function<void(OtlpExport, const Actor&)>;
void add_otlp_relay_routes(Router* router, TakeExport take);

}  // namespace showcaller
