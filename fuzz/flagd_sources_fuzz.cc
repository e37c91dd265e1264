// SPDX-License-Identifier: Apache-2.0
// Any bytes as flagd's words: a selector, a uri, sources, and a document of flags of several sets.
// What is read keeps its promises; what selects flags selects a document that compiles.
//
// Links: sc_codec
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "codec/flagd_sources.h"
#include "flag/flag_sources.h"

namespace {

using namespace showcaller;

void check_source(const FlagSourceConfig& source) {
  CHECK(source.interval >= seconds(1) && source.timeout >= seconds(1));
}

void select_from(std::string_view document, const FlagSelector& selector) {
  auto parsed = parse_json(document, {.bytes_max = 1 << 16, .depth_max = 32});
  if (!parsed) return;
  FlagSources sources({"low", "high"});
  if (!sources.take(1, *parsed)) return;
  CHECK(sources.take(0, *std::move(parsed)));
  CHECK(FlagSet::compile(sources.select({})));
  CHECK(FlagSet::compile(sources.select(selector)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.substr(0, text.find('\n'));
  if (const auto source = parse_flag_source_uri(line)) check_source(*source);
  if (const auto sources = parse_flag_sources(text)) {
    for (const auto& source : *sources) check_source(source);
  }
  const auto selector = parse_flag_selector(line);
  const auto rest = text.substr(std::min(line.size() + 1, text.size()));
  if (selector) select_from(rest, *selector);
  return 0;
}
