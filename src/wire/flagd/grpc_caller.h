// SPDX-License-Identifier: Apache-2.0
// Who calls over gRPC, what he selects, and errors as he reads them. Included by flagd's services
// alone, after gRPC's own headers.
//
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/flagd/flag_feed.h"

namespace grpc {
class CallbackServerContext;
class Status;
}  // namespace grpc

namespace showcaller {

// Copied: a stream outlives the views of its call's metadata.
struct GrpcCaller {
  std::string token;
  std::string selector;

  FlagCaller view() const { return {token, selector}; }
};

std::optional<std::string_view> metadata_value(const grpc::CallbackServerContext& context,
                                               const std::string& name);
// `selector`: what the request itself says; the header counts before it.
GrpcCaller caller_of(const grpc::CallbackServerContext& context, std::string_view selector = {});
grpc::Status to_grpc_status(const Error& error);

}  // namespace showcaller
