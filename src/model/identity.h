// SPDX-License-Identifier: Apache-2.0
// Somebody whom an issuer of identities (OpenID Connect) vouches for, as policies speak of people.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"

namespace showcaller {

struct Identity {
  std::string name;  // who acts, in records
  std::vector<std::string> groups;
  Instant until{};  // when to ask again who it is
};

}  // namespace showcaller
