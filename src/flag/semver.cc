// SPDX-License-Identifier: Apache-2.0
#include "flag/semver.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace showcaller {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_identifier_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}
bool is_numeric(std::string_view text) {
  return std::all_of(text.begin(), text.end(), is_digit);
}

// A number without leading zeros, taken from the front. Empty: there is none.
std::string_view take_number(std::string_view* text) {
  std::size_t size = 0;
  while (size < text->size() && is_digit((*text)[size])) ++size;
  if (size > 1 && text->front() == '0') return {};
  const std::string_view number = text->substr(0, size);
  text->remove_prefix(size);
  return number;
}

bool take(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

// Dot-separated identifiers, none empty; numeric ones without leading zeros where asked.
bool are_identifiers(std::string_view text, bool no_leading_zeros) {
  while (true) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    const std::string_view part = text.substr(0, dot);
    if (part.empty() || !std::all_of(part.begin(), part.end(), is_identifier_char)) return false;
    if (no_leading_zeros && part.size() > 1 && part[0] == '0' && is_numeric(part)) return false;
    if (dot == text.size()) return true;
    text.remove_prefix(dot + 1);
  }
}

int compare_numbers(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

int compare_identifiers(std::string_view a, std::string_view b) {
  const bool a_numeric = is_numeric(a);
  if (a_numeric != is_numeric(b)) return a_numeric ? -1 : 1;  // Numbers come before words.
  return a_numeric ? compare_numbers(a, b) : a.compare(b);
}

int compare_prereleases(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return int(a.empty()) - int(b.empty());  // A release comes after.
  while (true) {
    const std::size_t a_dot = std::min(a.find('.'), a.size());
    const std::size_t b_dot = std::min(b.find('.'), b.size());
    const int compared = compare_identifiers(a.substr(0, a_dot), b.substr(0, b_dot));
    if (compared != 0) return compared;
    const bool a_ends = a_dot == a.size();
    const bool b_ends = b_dot == b.size();
    if (a_ends || b_ends) return int(b_ends) - int(a_ends);  // More parts come after fewer.
    a.remove_prefix(a_dot + 1);
    b.remove_prefix(b_dot + 1);
  }
}

}  // namespace

std::optional<SemanticVersion> parse_semantic_version(std::string_view text) {
  if (!take(&text, 'v')) take(&text, 'V');
  SemanticVersion version{
      .major = take_number(&text), .minor = "0", .patch = "0", .prerelease = {}};
  if (version.major.empty()) return std::nullopt;
  if (text.empty()) return version;
  if (!take(&text, '.')) return std::nullopt;
  version.minor = take_number(&text);
  if (version.minor.empty()) return std::nullopt;
  if (text.empty()) return version;
  if (!take(&text, '.')) return std::nullopt;
  version.patch = take_number(&text);
  if (version.patch.empty()) return std::nullopt;
  const std::size_t plus = std::min(text.find('+'), text.size());
  const std::string_view build = text.substr(plus);
  text = text.substr(0, plus);
  if (!build.empty() && !are_identifiers(build.substr(1), false)) return std::nullopt;
  if (text.empty()) return version;
  if (!take(&text, '-') || !are_identifiers(text, true)) return std::nullopt;
  version.prerelease = text;
  return version;
}

int compare_versions(const SemanticVersion& a, const SemanticVersion& b) {
  if (const int c = compare_numbers(a.major, b.major); c != 0) return c;
  if (const int c = compare_numbers(a.minor, b.minor); c != 0) return c;
  if (const int c = compare_numbers(a.patch, b.patch); c != 0) return c;
  return compare_prereleases(a.prerelease, b.prerelease);
}

std::optional<VersionComparison> parse_version_comparison(std::string_view text) {
  constexpr std::array<std::string_view, 8> kNames{"=", "!=", "<", "<=", ">", ">=", "^", "~"};
  const auto found = std::ranges::find(kNames, text);
  if (found == kNames.end()) return std::nullopt;
  return VersionComparison(found - kNames.begin());
}

std::optional<bool> match_version(std::string_view actual, VersionComparison comparison,
                                  std::string_view wanted) {
  const auto a = parse_semantic_version(actual);
  const auto b = parse_semantic_version(wanted);
  if (!a || !b) return std::nullopt;
  const int order = compare_versions(*a, *b);
  switch (comparison) {
    case VersionComparison::Equal:
      return order == 0;
    case VersionComparison::Unequal:
      return order != 0;
    case VersionComparison::Less:
      return order < 0;
    case VersionComparison::LessOrEqual:
      return order <= 0;
    case VersionComparison::Greater:
      return order > 0;
    case VersionComparison::GreaterOrEqual:
      return order >= 0;
    case VersionComparison::SameMajor:
      return a->major == b->major;
    case VersionComparison::SameMinor:
      return a->major == b->major && a->minor == b->minor;
  }
  return std::nullopt;
}

// One pass: where nobody interned the context, each evaluation reads its version.
PackedVersion::PackedVersion(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  if (at != end && (*at == 'v' || *at == 'V')) ++at;
  std::uint64_t bits = 1;
  for (int part = 0; part < 3; ++part) {
    std::uint64_t number = 0;
    if (part == 0 || at != end) {  // What is left out stands for zero.
      if (part > 0 && *at++ != '.') return;
      const char* const first = at;
      for (; at != end && is_digit(*at); ++at) number = number * 10 + std::uint64_t(*at - '0');
      const auto digits = at - first;
      if (digits == 0 || digits > 6 || (digits > 1 && *first == '0')) return;
    }
    bits = bits << kBits | number;
  }
  if (at == end) bits_ = bits;
}

std::string PackedVersion::to_text() const {
  constexpr std::uint64_t kMask = (1u << kBits) - 1;
  return fmt::format("{}.{}.{}", bits_ >> (2 * kBits) & kMask, bits_ >> kBits & kMask,
                     bits_ & kMask);
}

}  // namespace showcaller
