// SPDX-License-Identifier: Apache-2.0
// The trace of a request: its caller's, or one that is made when there is none.
#pragma once

#include "base/trace_context.h"
#include "net/http_message.h"

namespace showcaller {

// Continued with a span of ours, or begun with random ids and recorded nowhere. Two traceparents
// are none.
TraceContext continue_trace(const HttpHeaders& headers);

}  // namespace showcaller
