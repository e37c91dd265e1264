// SPDX-License-Identifier: Apache-2.0
// Agones SDK messages ⇄ the values of codec/agones_sdk.h. Included by grpc_sidecar.cc alone.
#pragma once

#include <string>

#include "agones_sdk.pb.h"
#include "agones_sdk_alpha.pb.h"
#include "agones_sdk_beta.pb.h"
#include "codec/agones_sdk.h"

namespace showcaller {

namespace sdk = ::agones::dev::sdk;

void fill(const agones::GameServer& from, sdk::GameServer* to);
void fill(const agones::ListReply& from, sdk::beta::List* to);
void fill(const agones::CounterReply& from, sdk::beta::Counter* to);

}  // namespace showcaller
