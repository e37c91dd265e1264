// SPDX-License-Identifier: Apache-2.0
// The OpenAPI document, printed from the table of routes. Source: OpenAPI 3.1.0.
#pragma once

#include "base/json.h"
#include "wire/router.h"

namespace showcaller {

json::object openapi_document(const Router& router, std::string_view version);
// The document of this program's own API, without a server.
json::object openapi_document(std::string_view version);
// components.schemas
json::object api_schemas();

}  // namespace showcaller
