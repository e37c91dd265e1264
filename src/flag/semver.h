// SPDX-License-Identifier: Apache-2.0
// Semantic versions as flagd's `sem_ver` compares them: a leading "v" is allowed, "1" and "1.2"
// stand for "1.0.0" and "1.2.0", build metadata is ignored.
//
// Source: semver.org 2.0.0, section 11; flagd's custom operations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
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

// = != < <= > >= ^ (same major) ~ (same major and minor).
enum class VersionComparison : std::uint8_t {
  Equal,
  Unequal,
  Less,
  LessOrEqual,
  Greater,
  GreaterOrEqual,
  SameMajor,
  SameMinor,
};
std::optional<VersionComparison> parse_version_comparison(std::string_view text);

// Nothing when a version is not one.
std::optional<bool> match_version(std::string_view actual, VersionComparison comparison,
                                  std::string_view wanted);

// A release whose numbers are each below 2^20, in one word that compares as the versions do: what
// nearly every version of a game is.
class PackedVersion {
 public:
  static constexpr unsigned kBits = 20;

  PackedVersion() = default;
  // Does not hold when it is no version, or not such a one.
  explicit PackedVersion(std::string_view text);

  explicit operator bool() const { return bits_ != 0; }
  std::string to_text() const;
  bool matches(VersionComparison comparison, PackedVersion wanted) const {
    switch (comparison) {
      case VersionComparison::Equal:
        return bits_ == wanted.bits_;
      case VersionComparison::Unequal:
        return bits_ != wanted.bits_;
      case VersionComparison::Less:
        return bits_ < wanted.bits_;
      case VersionComparison::LessOrEqual:
        return bits_ <= wanted.bits_;
      case VersionComparison::Greater:
        return bits_ > wanted.bits_;
      case VersionComparison::GreaterOrEqual:
        return bits_ >= wanted.bits_;
      case VersionComparison::SameMajor:
        return bits_ >> (2 * kBits) == wanted.bits_ >> (2 * kBits);
      case VersionComparison::SameMinor:
        return bits_ >> kBits == wanted.bits_ >> kBits;
    }
    return false;
  }

 private:
  std::uint64_t bits_ = 0;  // 1, major, minor, patch
};

}  // namespace showcaller
