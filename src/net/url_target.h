// SPDX-License-Identifier: Apache-2.0
// A URL in the two parts that an HttpClient is given: whom to connect to, and what to ask for.
#pragma once

#include <string>
#include <string_view>

namespace showcaller {

struct UrlTarget {
  std::string base, target;
};
// "http://host:1/a/b?c" is "http://host:1" and "/a/b?c".
UrlTarget split_url(std::string_view url);

}  // namespace showcaller
