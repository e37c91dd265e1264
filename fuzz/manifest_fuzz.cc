// SPDX-License-Identifier: Apache-2.0
// Any bytes as a manifest file: parsing ends, findings lie within the file, and what is accepted
// reads back from its document to the same. The first byte chooses YAML or JSON, and how missing
// things are told.
//
// Links: sc_model
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "model/manifest/diff.h"
#include "model/manifest/manifest.h"

namespace {

using namespace showcaller;

void check_findings(const ParseOutcome& outcome, const SourceFile& file) {
  std::size_t lines = 1;
  for (const char c : file.text) lines += c == '\n' ? 1 : 0;
  for (const Finding& finding : outcome.findings) {
    CHECK(finding.line >= 0 && static_cast<std::size_t>(finding.line) <= lines + 1);
    CHECK(finding.column >= 0 && static_cast<std::size_t>(finding.column) <= file.text.size() + 2);
    CHECK(!finding.message.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool json = (data[0] & 1) != 0;
  const std::vector<SourceFile> files = {
      {json ? "a.json" : "a.yaml", std::string(reinterpret_cast<const char*>(data + 1), size - 1)}};
  ParseOptions options;
  options.tzdata_version = "2026f";
  if ((data[0] & 2) != 0) options.missing = MissingReference::Warning;
  const ParseOutcome outcome = parse_manifests(files, options);
  check_findings(outcome, files[0]);
  CHECK(outcome.findings.empty() || !format_findings(outcome.findings, files, true).empty());
  for (const Manifest& manifest : outcome.manifests) {
    const auto again = manifest_from_json(manifest.document);
    CHECK(again.has_value());
    CHECK(again->hash == manifest.hash);
    CHECK(diff_documents(manifest.document, again->document).empty());
    (void)defaults_taken(manifest);
  }
  return 0;
}
