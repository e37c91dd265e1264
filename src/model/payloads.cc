// SPDX-License-Identifier: Apache-2.0
#include "model/payloads.h"

namespace showcaller {

Payload::Payload() = default;
Payload::Payload(const Payload& other) = default;
Payload::Payload(Payload&& other) noexcept = default;
Payload& Payload::operator=(const Payload& other) = default;
Payload& Payload::operator=(Payload&& other) noexcept = default;
Payload::~Payload() = default;

}  // namespace showcaller
