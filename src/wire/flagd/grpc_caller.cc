// SPDX-License-Identifier: Apache-2.0
#include "wire/flagd/grpc_caller.h"

#include <grpcpp/grpcpp.h>

#include "net/http_message.h"

namespace showcaller {
namespace {

grpc::StatusCode grpc_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::Invalid:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case ErrorCode::NotFound:
      return grpc::StatusCode::NOT_FOUND;
    case ErrorCode::Unauthenticated:
      return grpc::StatusCode::UNAUTHENTICATED;
    case ErrorCode::Forbidden:
      return grpc::StatusCode::PERMISSION_DENIED;
    case ErrorCode::Limit:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case ErrorCode::Unavailable:
      return grpc::StatusCode::UNAVAILABLE;
    default:
      return grpc::StatusCode::INTERNAL;
  }
}

std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view kBearer = "Bearer ";
  if (authorization.size() < kBearer.size() ||
      !equal_ignoring_case(authorization.substr(0, kBearer.size()), kBearer)) {
    return {};
  }
  authorization.remove_prefix(kBearer.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  return authorization;
}

}  // namespace

std::optional<std::string_view> metadata_value(const grpc::CallbackServerContext& context,
                                               const std::string& name) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(name);
  if (found == metadata.end()) return std::nullopt;
  return std::string_view(found->second.data(), found->second.size());
}

GrpcCaller caller_of(const grpc::CallbackServerContext& context, std::string_view selector) {
  GrpcCaller caller;
  if (const auto text = metadata_value(context, "authorization"))
    caller.token = bearer_token(*text);
  else if (const auto key = metadata_value(context, "x-api-key"))
    caller.token = *key;
  caller.selector = metadata_value(context, "flagd-selector").value_or(selector);
  return caller;
}

grpc::Status to_grpc_status(const Error& error) {
  return {grpc_code(error.code), error.message};
}

}  // namespace showcaller
