// SPDX-License-Identifier: Apache-2.0
// Semantic versions as flagd's `sem_ver` compares them: a leading "v" is allowed, "1" and "1.2"
// stand for "1.0.0" and "1.2.0", build metadata is ignored.
//
// Source: semver.org 2.0.0, section 11; flagd's custom operations.
#pragma once

#include <optional>
#include <string_view>

namespace showcaller {

// Views the text it was parsed from.
struct SemanticVersion {
  std::string_view major, minor, patch;  // digits without leading zeros: any length
  std::string_view prerelease;           // without the dash; empty for a release
};

std::optional<SemanticVersion> parse_semantic_version(std::string_view text);
// Negative, zero or positive, by precedence.
int compare_versions(const SemanticVersion& a, const SemanticVersion& b);

// = != < <= > >= ^ (same major) ~ (same major and minor). Nothing when a version or the operator is
// not one.
std::optional<bool> match_version(std::string_view actual, std::string_view comparison,
                                  std::string_view wanted);

}  // namespace showcaller
