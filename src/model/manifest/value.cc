// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/value.h"

#include <charconv>
#include <cmath>

#include "model/manifest/targeting_words.h"
#include "model/manifest/zone.h"

namespace showcaller::manifest {
namespace {

constexpr std::size_t kTextMax = 4096;
constexpr std::size_t kNameMax = 63;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_letter_or_digit(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

// A Value of type String whose text passes `check` ("" passes, else what is wrong).
Value<std::string> checked_text(std::string expected, std::string (*check)(std::string_view),
                                json::object schema) {
  return {expected,
          [expected, check](Reader& reader, Node& node, std::string* out) {
            if (!node.is_string()) {
              const bool scalar = node.is_scalar() && node.kind != NodeKind::Null;
              reader.wrong_type(
                  node, expected,
                  scalar ? fmt::format("quote it: \"{}\"", node.text.substr(0, 64)) : "");
              return false;
            }
            if (std::string wrong = check(node.text); !wrong.empty() && !reader.trusted) {
              reader.error(node.position, std::move(wrong));
              return false;
            }
            *out = node.text;
            return true;
          },
          [schema](SchemaSet&) { return schema; }};
}

std::string check_length(std::string_view text) {
  if (text.size() <= kTextMax) return {};
  return fmt::format("{} bytes of text; at most {} are allowed", text.size(), kTextMax);
}

std::string check_text(std::string_view text) {
  return text.empty() ? "the text is empty" : check_length(text);
}

std::string check_dns_label(std::string_view text) {
  const bool good =
      !text.empty() && text.size() <= kNameMax && is_lower_or_digit(text.front()) &&
      is_lower_or_digit(text.back()) &&
      std::ranges::all_of(text, [](char c) { return is_lower_or_digit(c) || c == '-'; });
  if (good) return {};
  return fmt::format("'{}' is not a name: use a-z, 0-9 and '-' between them, at most {} characters",
                     text.substr(0, 64), kNameMax);
}

std::string check_dotted_name(std::string_view text) {
  const bool good = !text.empty() && text.size() <= kNameMax && is_letter_or_digit(text.front()) &&
                    is_letter_or_digit(text.back()) && std::ranges::all_of(text, [](char c) {
                      return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
                    });
  if (good) return {};
  return fmt::format(
      "'{}' is not a name: use letters, digits and '.', '_', '-' between them, at most {} "
      "characters",
      text.substr(0, 64), kNameMax);
}

template <class N>
std::optional<N> parse_number(std::string_view text) {
  N value{};
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class N>
Value<N> bounded_integer(N min, N max) {
  const std::string expected = max == std::numeric_limits<N>::max()
                                   ? fmt::format("an integer of at least {}", min)
                                   : fmt::format("an integer from {} to {}", min, max);
  json::object schema{{"type", "integer"}, {"minimum", min}};
  if (max != std::numeric_limits<N>::max()) schema["maximum"] = max;
  return {expected,
          [=](Reader& reader, Node& node, N* out) {
            const json::value value =
                node.kind == NodeKind::Int ? to_json(node) : json::value(nullptr);
            const N least = reader.trusted ? std::numeric_limits<N>::min() : min;
            const N most = reader.trusted ? std::numeric_limits<N>::max() : max;
            if (!value.is_int64() || value.get_int64() < std::int64_t(least) ||
                value.get_int64() > std::int64_t(most)) {
              reader.wrong_type(node, expected);
              return false;
            }
            *out = static_cast<N>(value.get_int64());
            return true;
          },
          [schema](SchemaSet&) { return schema; }};
}

json::object pattern(std::string_view text) {
  return {{"type", "string"}, {"pattern", json::string(text)}};
}

Value<Duration> duration_of_at_least(Duration min) {
  std::string expected = min > Duration::zero() ? "a duration above 0 such as 10m or 1h30m"
                                                : "a duration such as 10m or 1h30m";
  return {expected,
          [=](Reader& reader, Node& node, Duration* out) {
            const bool zero = node.kind == NodeKind::Int && node.text == "0";
            const auto parsed = zero               ? Result<Duration>(Duration::zero())
                                : node.is_string() ? parse_duration(node.text)
                                                   : fail(ErrorCode::Invalid, "");
            if (!parsed || (*parsed < min && !reader.trusted)) {
              const bool bare = node.kind == NodeKind::Int || node.kind == NodeKind::Float;
              reader.wrong_type(
                  node, expected,
                  bare ? fmt::format("add a unit (ms s m h d w): {}s or {}m", node.text, node.text)
                       : "");
              return false;
            }
            *out = *parsed;
            return true;
          },
          [=](SchemaSet&) {
            if (min > Duration::zero())
              return pattern(fmt::format("^(?=.*[1-9]){}$", kDurationPattern));
            return json::object{{"type", json::array{"string", "integer"}},
                                {"pattern", fmt::format("^{}$", kDurationPattern)},
                                {"maximum", 0},
                                {"minimum", 0}};
          }};
}

// Only among zones that begin alike: there are hundreds.
std::string nearest_zone_hint(std::string_view text) {
  constexpr std::size_t kAlike = 2;
  std::vector<std::string> alike;
  for (const std::string& name : zone_names()) {
    if (name.substr(0, kAlike) == text.substr(0, kAlike)) alike.push_back(name);
  }
  return nearest_hint(text, alike);
}

}  // namespace

Value<std::string> text() {
  return checked_text("a string", check_text, {{"type", "string"}, {"minLength", 1}});
}

Value<std::string> dns_label() {
  return checked_text("a name of a-z, 0-9 and '-'", check_dns_label,
                      {{"type", "string"},
                       {"pattern", "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"},
                       {"maxLength", std::int64_t{kNameMax}}});
}

Value<std::string> dotted_name() {
  return checked_text("a name such as session.crashed", check_dotted_name,
                      {{"type", "string"},
                       {"pattern", "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$"},
                       {"maxLength", std::int64_t{kNameMax}}});
}

namespace {

std::string check_alert_subject(std::string_view text) {
  for (const std::string_view kind : {"Service/", "Fleet/", "LiveEvent/"}) {
    if (text.starts_with(kind)) return check_dns_label(text.substr(kind.size()));
  }
  return "'" + std::string(text.substr(0, 64)) + "' does not begin with Service/ or Fleet/";
}

}  // namespace

Value<std::string> alert_subject() {
  return checked_text("a subject such as Service/join", check_alert_subject,
                      {{"type", "string"}, {"pattern", "^(Service|Fleet|LiveEvent)/[a-z0-9-]+$"}});
}

Value<std::string> bare_text(std::string expected) {
  return {expected,
          [expected](Reader& reader, Node& node, std::string* out) {
            if (!node.is_scalar() || node.kind == NodeKind::Null || node.kind == NodeKind::Bool) {
              reader.wrong_type(node, expected);
              return false;
            }
            if (std::string wrong = check_text(node.text); !wrong.empty() && !reader.trusted) {
              reader.error(node.position, std::move(wrong));
              return false;
            }
            node.kind = NodeKind::String;
            *out = node.text;
            return true;
          },
          [](SchemaSet&) { return json::object{{"type", json::array{"string", "number"}}}; }};
}

Value<std::string> any_scalar_text() {
  return {"text",
          [](Reader& reader, Node& node, std::string* out) {
            if (!node.is_scalar() || node.kind == NodeKind::Null) {
              reader.wrong_type(node, "text");
              return false;
            }
            if (std::string wrong = check_length(node.text); !wrong.empty() && !reader.trusted) {
              reader.error(node.position, std::move(wrong));
              return false;
            }
            node.kind = NodeKind::String;
            *out = node.text;
            return true;
          },
          [](SchemaSet&) {
            return json::object{{"type", json::array{"string", "number", "boolean"}}};
          }};
}

Value<std::string> version() {
  return bare_text("a version such as 2.4.0");
}

Value<std::string> zone_name() {
  return {"an IANA time zone such as Europe/Berlin",
          [](Reader& reader, Node& node, std::string* out) {
            if (!node.is_string()) {
              reader.wrong_type(node, "an IANA time zone such as Europe/Berlin");
              return false;
            }
            if (!reader.trusted && !zone_exists(node.text)) {
              reader.error(node.position,
                           fmt::format("there is no time zone '{}'", node.text.substr(0, 64)),
                           nearest_zone_hint(node.text));
              return false;
            }
            *out = node.text;
            return true;
          },
          [](SchemaSet&) { return pattern("^[A-Za-z0-9_+/-]+$"); }};
}

Value<bool> boolean() {
  return {"true or false",
          [](Reader& reader, Node& node, bool* out) {
            if (node.kind != NodeKind::Bool) {
              const bool word = node.text == "on" || node.text == "yes" || node.text == "off" ||
                                node.text == "no";
              const bool quoted = core_kind(node.text) == NodeKind::Bool && node.is_string();
              reader.wrong_type(node, "true or false",
                                word     ? "only true and false are booleans in YAML 1.2"
                                : quoted ? "take the quotes off"
                                         : "");
              return false;
            }
            *out = to_json(node).get_bool();
            return true;
          },
          [](SchemaSet&) { return json::object{{"type", "boolean"}}; }};
}

Value<int> integer(int min, int max) {
  return bounded_integer<int>(min, max);
}

Value<std::int64_t> big_integer(std::int64_t min) {
  return bounded_integer<std::int64_t>(min, std::numeric_limits<std::int64_t>::max());
}

Value<double> number(double min, double max) {
  const std::string expected = fmt::format("a number from {} to {}", min, max);
  return {expected,
          [=](Reader& reader, Node& node, double* out) {
            const bool numeric = node.kind == NodeKind::Int || node.kind == NodeKind::Float;
            const json::value value = numeric ? to_json(node) : json::value(nullptr);
            const double real = value.is_number() ? value.to_number<double>() : min - 1;
            const bool good = reader.trusted ? value.is_number() : real >= min && real <= max;
            if (!good) {
              reader.wrong_type(node, expected);
              return false;
            }
            *out = real;
            return true;
          },
          [=](SchemaSet&) {
            return json::object{{"type", "number"}, {"minimum", min}, {"maximum", max}};
          }};
}

Value<Duration> duration() {
  return duration_of_at_least(Duration::zero());
}
Value<Duration> positive_duration() {
  return duration_of_at_least(Duration(1));
}

Value<Duration> whole_seconds() {
  Value<Duration> value = positive_duration();
  value.expected = "a duration of whole seconds such as 10s";
  value.read = [expected = value.expected, read = value.read](Reader& reader, Node& node,
                                                              Duration* out) {
    if (!read(reader, node, out)) return false;
    if (out->count() % 1000 == 0) return true;
    reader.wrong_type(node, expected);
    return false;
  };
  return value;
}

Value<std::int64_t> percent() {
  return {"a percentage from 0% to 100% such as 5%",
          [](Reader& reader, Node& node, std::int64_t* out) {
            const auto ppm = node.is_string() ? parse_percent_ppm(node.text) : std::nullopt;
            if (!ppm) {
              const bool bare = node.kind == NodeKind::Int || node.kind == NodeKind::Float;
              reader.wrong_type(node, "a percentage from 0% to 100% such as 5%",
                                bare ? fmt::format("write the sign: {}%", node.text) : "");
              return false;
            }
            *out = *ppm;
            return true;
          },
          [](SchemaSet&) { return pattern("^0*(100(\\.0+)?|[0-9]{1,2}(\\.[0-9]+)?)%$"); }};
}

Value<std::int64_t> rate_per_minute() {
  return text_value<std::int64_t>("a rate such as 20k/min or 300/s", parse_rate_per_minute,
                                  pattern("^(?=.*[1-9])[0-9]+(\\.[0-9]+)?[kM]?/(s|min|h)$"));
}

Value<std::int64_t> player_count() {
  return text_value<std::int64_t>("a number of players such as 20k", parse_player_count,
                                  {{"type", json::array{"string", "integer"}},
                                   {"pattern", "^(?=.*[1-9])[0-9]+(\\.[0-9]+)?[kM]?$"},
                                   {"minimum", 1}});
}

Value<double> multiple() {
  return text_value<double>(
      "a multiple above 1 such as 2x", parse_multiple,
      pattern("^(0*1\\.[0-9]*[1-9][0-9]*|0*([2-9]|[1-9][0-9]+)(\\.[0-9]+)?)x$"));
}

Value<double> bound() {
  return text_value<double>(
      "a bound such as 250ms, 15% or 3", parse_bound,
      {{"type", json::array{"string", "number"}},
       {"pattern", fmt::format("^([0-9]+(\\.[0-9]+)?%?|{})$", kDurationPattern)},
       {"minimum", 0}});
}

Value<std::variant<Ratio, Points>> margin() {
  return text_value<std::variant<Ratio, Points>>("a margin such as 10%, 0.1pp or 0", parse_margin,
                                                 {{"type", json::array{"string", "integer"}},
                                                  {"pattern", "^([0-9]+(\\.[0-9]+)?(%|pp)|0)$"},
                                                  {"minimum", 0},
                                                  {"maximum", 0}});
}

Value<std::int64_t> byte_count() {
  return text_value<std::int64_t>("a size such as 512MiB", parse_bytes,
                                  pattern("^[0-9]+(\\.[0-9]+)?([KMG]i)?B$"));
}

Value<Instant> instant() {
  return text_value<Instant>("a time with its zone such as 2026-12-18T18:00:00Z",
                             [](std::string_view text) -> std::optional<Instant> {
                               const auto parsed = parse_instant(text);
                               return parsed ? std::optional(*parsed) : std::nullopt;
                             },
                             {{"type", "string"}, {"format", "date-time"}});
}

Value<json::value> any_json() {
  return {"any value",
          [](Reader&, Node& node, json::value* out) {
            *out = to_json(node);
            return true;
          },
          [](SchemaSet&) { return json::object{}; }};
}

Value<json::object> any_object() {
  return {"a mapping",
          [](Reader& reader, Node& node, json::object* out) {
            if (!node.is_mapping()) {
              reader.wrong_type(node, "a mapping");
              return false;
            }
            *out = to_json(node).get_object();
            return true;
          },
          [](SchemaSet&) { return json::object{{"type", "object"}}; }};
}

Value<json::value> json_logic() {
  return {"a JSONLogic condition such as { \"==\": [ { var: platform }, pc ] }",
          [](Reader& reader, Node& node, json::value* out) {
            if (!reader.trusted && !check_rule(reader, node)) return false;
            *out = to_json(node);
            return true;
          },
          [](SchemaSet&) { return json::object{{"type", json::array{"object", "boolean"}}}; }};
}

ValueInfo::ValueInfo(std::string what, std::function<json::object(SchemaSet&)> as_schema)
    : expected(std::move(what)), schema(std::move(as_schema)) {}
ValueInfo::ValueInfo(const ValueInfo&) = default;
ValueInfo::ValueInfo(ValueInfo&&) noexcept = default;
ValueInfo& ValueInfo::operator=(const ValueInfo&) = default;
ValueInfo& ValueInfo::operator=(ValueInfo&&) noexcept = default;
ValueInfo::~ValueInfo() = default;

}  // namespace showcaller::manifest
