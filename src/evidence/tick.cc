// SPDX-License-Identifier: Apache-2.0
#include "evidence/tick.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <tuple>

#include <fmt/format.h>

#include "base/check.h"

namespace showcaller {
namespace {

// Sums over all groups of a tick, and over all ticks of a stage, stay within an int64 and a
// double's whole numbers.
constexpr std::int64_t kCountMax = std::int64_t(1) << 53;  // a double holds it exactly
constexpr std::int64_t kSecondsMax = 400LL * 86'400;
constexpr std::size_t kGroupsMax = 100'000;
constexpr std::size_t kIdBytesMax = 256;
constexpr std::uint8_t kTickFormat = 1;

auto group_key(const GroupCounts& g) {
  return std::tie(g.stratum, g.arm, g.id);
}

// Neither is beyond the limit, nor is what comes of it.
std::int64_t sum(std::int64_t a, std::int64_t b) {
  return std::min(a + b, kCountMax);
}

// Readers say what is wrong after their own place; whoever called them says where that is.
std::unexpected<Error> below(const std::string& place, Error error) {
  error.message = place + error.message;
  return std::unexpected(std::move(error));
}

Result<std::int64_t> whole_number(const json::value& value, std::int64_t min) {
  std::int64_t number = 0;
  if (value.is_int64()) {
    number = value.get_int64();
  } else if (value.is_uint64()) {
    return fail(ErrorCode::Invalid, " is beyond 2^53; no tick counts so many");
  } else if (value.is_double() && std::floor(value.get_double()) == value.get_double() &&
             std::abs(value.get_double()) <= double(kCountMax)) {
    number = std::int64_t(value.get_double());
  } else {
    return fail(ErrorCode::Invalid, fmt::format(" is {}; a whole number was expected",
                                                to_json_text(value).substr(0, 40)));
  }
  if (number < min)
    return fail(ErrorCode::Invalid, fmt::format(" is {}; at least {} was expected", number, min));
  if (number > kCountMax)
    return fail(ErrorCode::Invalid, " is beyond 2^53; no tick counts so many");
  return number;
}

Result<std::string> short_text(const json::object& object, std::string_view key, bool required) {
  const json::value* value = object.if_contains(key);
  if (!value || value->is_null()) {
    if (!required) return std::string();
    return fail(ErrorCode::Invalid, fmt::format(".{} is missing", key));
  }
  // A number is a fair name for a hash bucket.
  if (value->is_int64()) return std::to_string(value->get_int64());
  if (!value->is_string()) return fail(ErrorCode::Invalid, fmt::format(".{} is not a string", key));
  if (value->get_string().size() > kIdBytesMax)
    return fail(ErrorCode::Limit, fmt::format(".{} is longer than {} bytes", key, kIdBytesMax));
  return std::string(value->get_string());
}

Result<UnitCounts> units_from_json(const json::value& value) {
  if (!value.is_object()) return fail(ErrorCode::Invalid, " is not an object");
  const json::object& object = value.get_object();
  UnitCounts units;
  for (auto [key, field] :
       {std::pair("canary", &units.canary), std::pair("baseline", &units.baseline)}) {
    const json::value* number = object.if_contains(key);
    if (!number) continue;  // An arm may be absent.
    const auto count = whole_number(*number, 0);
    if (!count) return below(fmt::format(".{}", key), count.error());
    *field = *count;
  }
  TRY(units.stratum, short_text(object, "stratum", false));
  return units;
}

Status read_counts(const json::value& value, const MetricShape& shape, std::int64_t* counts) {
  if (!value.is_array()) return fail(ErrorCode::Invalid, " is not an array of counts");
  const json::array& array = value.get_array();
  if (array.size() != shape.columns) {
    return fail(ErrorCode::Invalid,
                fmt::format(" has {} counts; {} were expected (n, then {})", array.size(),
                            shape.columns, shape.descending ? "one for each cut" : "x"));
  }
  for (std::size_t i = 0; i < array.size(); ++i) {
    const auto count = whole_number(array[i], 0);
    if (!count) return below(fmt::format("[{}]", i), count.error());
    counts[i] = *count;
    if (shape.descending && i > 0 && counts[i] > counts[i - 1]) {
      return fail(ErrorCode::Invalid, fmt::format("[{}] is {}, more than the {} before it; fewer "
                                                  "values lie above a higher cut",
                                                  i, counts[i], counts[i - 1]));
    }
  }
  return {};
}

Result<GroupCounts> group_from_json(const json::value& value, const TickShape& shape) {
  if (!value.is_object()) return fail(ErrorCode::Invalid, " is not an object");
  const json::object& object = value.get_object();
  GroupCounts group;
  TRY(const std::string arm_text, short_text(object, "arm", true));
  const auto arm = parse_arm(arm_text);
  if (!arm) {
    return fail(ErrorCode::Invalid,
                fmt::format(".arm is \"{}\"; \"canary\" or \"baseline\" was expected", arm_text));
  }
  group.arm = *arm;
  TRY(group.id, short_text(object, "id", true));
  TRY(group.stratum, short_text(object, "stratum", false));
  group.counts.assign(shape.width(), 0);
  const json::value* metrics = object.if_contains("m");
  if (!metrics || !metrics->is_object())
    return fail(ErrorCode::Invalid, ".m is not an object of counts");
  if (metrics->get_object().empty()) return group;
  std::size_t offset = 0;
  for (const MetricShape& metric : shape.metrics) {
    if (const json::value* counts = metrics->get_object().if_contains(metric.name)) {
      const Status read = read_counts(*counts, metric, &group.counts[offset]);
      if (!read) return below(".m." + metric.name, read.error());
    }
    offset += metric.columns;
  }
  return group;
}

void put_member(std::string* out, std::string_view key, std::int64_t number) {
  const fmt::format_int text(number);
  *out += key;
  out->append(text.data(), text.size());
}

void put_units(std::string* out, const UnitCounts& units) {
  put_member(out, "\"canary\":", units.canary);
  put_member(out, ",\"baseline\":", units.baseline);
  *out += '}';
}

// The metrics' names, as keys.
std::vector<std::string> keys_of(const TickShape& shape) {
  std::vector<std::string> out(shape.metrics.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    append_json_string(&out[i], shape.metrics[i].name);
    out[i] += ":[";
  }
  return out;
}

void put_group(std::string* out, const GroupCounts& group, const TickShape& shape,
               const std::vector<std::string>& keys) {
  *out +=
      group.arm == Arm::Canary ? "{\"arm\":\"canary\",\"id\":" : "{\"arm\":\"baseline\",\"id\":";
  append_json_string(out, group.id);
  if (!group.stratum.empty()) {
    *out += ",\"stratum\":";
    append_json_string(out, group.stratum);
  }
  *out += ",\"m\":{";
  std::size_t at = 0;
  for (std::size_t i = 0; i < shape.metrics.size(); ++i) {
    const std::span counts = std::span(group.counts).subspan(at, shape.metrics[i].columns);
    at += counts.size();
    // What was not counted is not written.
    if (std::all_of(counts.begin(), counts.end(), [](auto count) { return count == 0; })) continue;
    if (out->back() == ']') *out += ',';
    *out += keys[i];
    for (const std::int64_t count : counts) put_member(out, out->back() == '[' ? "" : ",", count);
    *out += ']';
  }
  *out += "}}";
}

void put_varint(std::string* out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *out += char(value | 0x80);
  *out += char(value);
}

void put_svarint(std::string* out, std::int64_t value) {
  put_varint(out, (std::uint64_t(value) << 1) ^ std::uint64_t(value >> 63));
}

void put_text(std::string* out, std::string_view text) {
  put_varint(out, text.size());
  *out += text;
}

// Reads the grammar of tick.h; the first fault makes every later read fail.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = u8();
      value |= std::uint64_t(byte & 0x7f) << shift;
      if (!(byte & 0x80)) return value;
    }
    ok_ = false;
    return 0;
  }
  std::int64_t svarint() {
    const std::uint64_t z = varint();
    return std::int64_t(z >> 1) ^ -std::int64_t(z & 1);
  }
  std::int64_t count() {
    const std::uint64_t n = varint();
    if (n > std::uint64_t(kCountMax)) ok_ = false;
    return ok_ ? std::int64_t(n) : 0;
  }
  // A count of things that take at least one byte each, so never more than what is left.
  std::size_t size() {
    const std::uint64_t n = varint();
    if (n > rest_.size()) ok_ = false;
    return ok_ ? std::size_t(n) : 0;
  }
  std::string text() {
    const std::size_t n = size();
    std::string out(rest_.substr(0, n));
    rest_.remove_prefix(n);
    return out;
  }
  std::uint8_t u8() {
    if (rest_.empty()) {
      ok_ = false;
      return 0;
    }
    const auto byte = std::uint8_t(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::string_view to_string(Arm arm) {
  return arm == Arm::Canary ? "canary" : "baseline";
}

std::optional<Arm> parse_arm(std::string_view text) {
  if (text == "canary") return Arm::Canary;
  if (text == "baseline") return Arm::Baseline;
  return std::nullopt;
}

std::size_t TickShape::width() const {
  return offset(metrics.size());
}

std::size_t TickShape::offset(std::size_t metric) const {
  std::size_t at = 0;
  for (std::size_t i = 0; i < metric; ++i) at += metrics[i].columns;
  return at;
}

std::optional<std::size_t> TickShape::index_of(std::string_view name) const {
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (metrics[i].name == name) return i;
  }
  return std::nullopt;
}

void normalize(Tick* tick) {
  if (is_normal(*tick)) return;
  auto& groups = tick->groups;
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return group_key(a) < group_key(b); });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (kept > 0 && group_key(groups[kept - 1]) == group_key(groups[i])) {
      CHECK(groups[kept - 1].counts.size() == groups[i].counts.size());
      for (std::size_t c = 0; c < groups[i].counts.size(); ++c)
        groups[kept - 1].counts[c] = sum(groups[kept - 1].counts[c], groups[i].counts[c]);
    } else {
      if (kept != i) groups[kept] = std::move(groups[i]);
      ++kept;
    }
  }
  groups.resize(kept);
  auto& units = tick->units;
  std::stable_sort(units.begin(), units.end(),
                   [](const auto& a, const auto& b) { return a.stratum < b.stratum; });
  kept = 0;
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (kept > 0 && units[kept - 1].stratum == units[i].stratum) {
      units[kept - 1].canary = sum(units[kept - 1].canary, units[i].canary);
      units[kept - 1].baseline = sum(units[kept - 1].baseline, units[i].baseline);
    } else {
      if (kept != i) units[kept] = std::move(units[i]);
      ++kept;
    }
  }
  units.resize(kept);
}

bool is_normal(const Tick& tick) {
  const auto not_below = [](const auto& a, const auto& b) { return group_key(a) >= group_key(b); };
  const auto same_or_after = [](const auto& a, const auto& b) { return a.stratum >= b.stratum; };
  return std::adjacent_find(tick.groups.begin(), tick.groups.end(), not_below) ==
             tick.groups.end() &&
         std::adjacent_find(tick.units.begin(), tick.units.end(), same_or_after) ==
             tick.units.end();
}

void merge(Tick* tick, const Tick& more) {
  CHECK(tick->t_s == more.t_s);
  tick->groups.insert(tick->groups.end(), more.groups.begin(), more.groups.end());
  tick->units.insert(tick->units.end(), more.units.begin(), more.units.end());
  normalize(tick);
}

std::string to_json_text(const Tick& tick, const TickShape& shape) {
  const std::vector<std::string> names = keys_of(shape);
  std::string out = "{";
  put_member(&out, "\"t\":", tick.t_s);
  if (tick.units.size() == 1 && tick.units[0].stratum.empty()) {
    out += ",\"units\":{";
    put_units(&out, tick.units[0]);
  } else if (!tick.units.empty()) {
    out += ",\"units\":[";
    for (const UnitCounts& units : tick.units) {
      out += out.back() == '[' ? "{\"stratum\":" : ",{\"stratum\":";
      append_json_string(&out, units.stratum);
      out += ',';
      put_units(&out, units);
    }
    out += ']';
  }
  out += ",\"groups\":[";
  for (const GroupCounts& group : tick.groups) {
    CHECK(group.counts.size() == shape.width());
    if (out.back() != '[') out += ',';
    put_group(&out, group, shape, names);
  }
  return out += "]}";
}

Result<Tick> tick_from_json(const json::value& value, const TickShape& shape) {
  if (!value.is_object()) return fail(ErrorCode::Invalid, "a tick is an object");
  return tick_from_json(value.get_object(), shape);
}

Result<Tick> tick_from_json(const json::object& object, const TickShape& shape) {
  Tick tick;
  const json::value* t = object.if_contains("t");
  if (!t) return fail(ErrorCode::Invalid, "t is missing; each tick says its second");
  const auto second = whole_number(*t, -kSecondsMax);
  if (!second) return below("t", second.error());
  tick.t_s = *second;
  if (tick.t_s > kSecondsMax) return fail(ErrorCode::Invalid, "t is beyond 400 days");
  if (const json::value* units = object.if_contains("units"); units && !units->is_null()) {
    if (units->is_array()) {
      for (std::size_t i = 0; i < units->get_array().size(); ++i) {
        auto one = units_from_json(units->get_array()[i]);
        if (!one) return below(fmt::format("units[{}]", i), one.error());
        tick.units.push_back(*std::move(one));
      }
    } else {
      auto one = units_from_json(*units);
      if (!one) return below("units", one.error());
      tick.units.push_back(*std::move(one));
    }
  }
  const json::value* groups = object.if_contains("groups");
  if (groups && !groups->is_null()) {
    if (!groups->is_array()) return fail(ErrorCode::Invalid, "groups is not an array");
    if (groups->get_array().size() > kGroupsMax) {
      return fail(ErrorCode::Limit, fmt::format("groups has more than {} entries", kGroupsMax));
    }
    tick.groups.reserve(groups->get_array().size());
    for (std::size_t i = 0; i < groups->get_array().size(); ++i) {
      auto group = group_from_json(groups->get_array()[i], shape);
      if (!group) return below(fmt::format("groups[{}]", i), group.error());
      tick.groups.push_back(*std::move(group));
    }
  }
  return tick;
}

std::string to_bytes(const Tick& tick) {
  std::string out(1, char(kTickFormat));
  put_svarint(&out, tick.t_s);
  put_varint(&out, tick.units.size());
  for (const UnitCounts& u : tick.units) {
    put_text(&out, u.stratum);
    put_varint(&out, std::uint64_t(u.canary));
    put_varint(&out, std::uint64_t(u.baseline));
  }
  const std::size_t width = tick.groups.empty() ? 0 : tick.groups[0].counts.size();
  put_varint(&out, width);
  put_varint(&out, tick.groups.size());
  for (const GroupCounts& g : tick.groups) {
    CHECK(g.counts.size() == width);
    out += char(g.arm);
    put_text(&out, g.id);
    put_text(&out, g.stratum);
    for (const std::int64_t count : g.counts) put_varint(&out, std::uint64_t(count));
  }
  return out;
}

Result<Tick> tick_from_bytes(std::string_view bytes) {
  Reader in(bytes);
  if (in.u8() != kTickFormat) {
    return fail(ErrorCode::Unsupported, "this tick is of a format that this version does not know");
  }
  Tick tick;
  tick.t_s = in.svarint();
  const std::size_t units = in.size();
  for (std::size_t i = 0; i < units && in.ok(); ++i) {
    UnitCounts u;
    u.stratum = in.text();
    u.canary = in.count();
    u.baseline = in.count();
    tick.units.push_back(std::move(u));
  }
  const std::size_t width = in.size();
  const std::size_t groups = in.size();
  for (std::size_t i = 0; i < groups && in.ok(); ++i) {
    GroupCounts g;
    const std::uint8_t arm = in.u8();
    if (arm > 1) return fail(ErrorCode::Corrupt, "a stored tick names an arm that does not exist");
    g.arm = Arm(arm);
    g.id = in.text();
    g.stratum = in.text();
    for (std::size_t c = 0; c < width && in.ok(); ++c) g.counts.push_back(in.count());
    tick.groups.push_back(std::move(g));
  }
  if (!in.done()) return fail(ErrorCode::Corrupt, "a stored tick does not end where it should");
  return tick;
}

}  // namespace showcaller
