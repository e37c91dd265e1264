// SPDX-License-Identifier: Apache-2.0
// Whether a token was signed with a key. Source: RFC 7518 sections 3.3 (RS256) and 3.4 (ES256).
#pragma once

#include <span>

#include "base/result.h"
#include "codec/json_web_token.h"

namespace showcaller {

// By the key that the token names; by any of its kind where it names none. Unauthenticated: there
// is no such key among them, or it is not what signed this.
Status check_signature(const SignedToken& token, std::span<const JsonWebKey> keys);

}  // namespace showcaller
