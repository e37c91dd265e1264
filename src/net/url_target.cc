// SPDX-License-Identifier: Apache-2.0
#include "net/url_target.h"

namespace showcaller {

UrlTarget split_url(std::string_view url) {
  const std::size_t authority = url.find("://");
  const std::size_t path =
      authority == url.npos ? authority : url.find_first_of("/?", authority + 3);
  if (path == url.npos) return {std::string(url), "/"};
  std::string target(url.substr(path));
  if (target.starts_with('?')) target.insert(0, "/");
  return {std::string(url.substr(0, path)), std::move(target)};
}

}  // namespace showcaller
