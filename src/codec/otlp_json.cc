// SPDX-License-Identifier: Apache-2.0
// An export as JSON, read forward without a tree. Source: RFC 8259; the JSON mapping of protobuf,
// as "OTLP Specification" narrows it (whole numbers of 64 bits as text or as numbers, enums as
// numbers).
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "codec/otlp.h"

namespace showcaller {
namespace {

// Some byte of the eight is `c`.
std::uint64_t eight_have(std::uint64_t eight, std::uint8_t c) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kTops = 0x8080808080808080;
  const std::uint64_t x = eight ^ (kOnes * c);
  return (x - kOnes) & ~x & kTops;
}

void append_utf8_of(std::string* out, std::uint32_t c) {
  if (c < 0x80) {
    *out += char(c);
  } else if (c < 0x800) {
    *out += char(0xc0 | c >> 6);
    *out += char(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    *out += char(0xe0 | c >> 12);
    *out += char(0x80 | (c >> 6 & 0x3f));
    *out += char(0x80 | (c & 0x3f));
  } else {
    *out += char(0xf0 | c >> 18);
    *out += char(0x80 | (c >> 12 & 0x3f));
    *out += char(0x80 | (c >> 6 & 0x3f));
    *out += char(0x80 | (c & 0x3f));
  }
}

// A place in the text. Every reader returns false where the text is not what it reads, and then
// stands at the byte that is wrong.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}

  const char* at() const { return at_; }
  std::size_t offset() const { return std::size_t(at_ - begin_); }
  bool at_end() {
    skip_space();
    return at_ == end_;
  }
  // The byte that comes next; NUL at the end.
  char peek() {
    skip_space();
    return at_ == end_ ? '\0' : *at_;
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  // Calls on_member(key), which reads the value.
  template <class Visit>
  bool object(Visit on_member) {
    if (!take('{')) return false;
    if (take('}')) return true;
    for (;;) {
      std::string_view key;
      if (!raw_text(&key) || !take(':') || !on_member(key)) return false;
      if (take('}')) return true;
      if (!take(',')) return false;
    }
  }
  // Calls on_item(), which reads it. Null is an empty list.
  template <class Visit>
  bool list(Visit on_item) {
    if (peek() == 'n') return word("null");
    if (!take('[')) return false;
    if (take(']')) return true;
    for (;;) {
      if (!on_item()) return false;
      if (take(']')) return true;
      if (!take(',')) return false;
    }
  }

  // What stands between the quotes, escapes as they are.
  bool raw_text(std::string_view* out) {
    if (!take('"')) return false;
    const char* first = at_;
    for (;;) {
      skip_plain();
      if (at_ == end_) return false;
      if (*at_ == '"') break;
      if (end_ - at_ < 2) return false;
      at_ += 2;  // A backslash and what it escapes.
    }
    *out = {first, std::size_t(at_++ - first)};
    return true;
  }

  // A number, or one in quotes.
  bool number_text(std::string_view* out) {
    if (peek() == '"') return raw_text(out);
    const char* first = at_;
    while (at_ != end_ && is_of_number(*at_)) ++at_;
    *out = {first, std::size_t(at_ - first)};
    return at_ != first;
  }

  bool word(std::string_view word) {
    skip_space();
    if (!std::string_view(at_, std::size_t(end_ - at_)).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  // Any value, passed over.
  bool skip(int depth) {
    std::string_view ignored;
    switch (peek()) {
      case '{':
        return depth > 0 && object([&](std::string_view) { return skip(depth - 1); });
      case '[':
        return depth > 0 && list([&] { return skip(depth - 1); });
      case '"':
        return raw_text(&ignored);
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number_text(&ignored);
    }
  }

 private:
  static bool is_of_number(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
  }
  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  // To the next quote or backslash.
  void skip_plain() {
    while (end_ - at_ >= 8) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, at_, sizeof eight);
      if (eight_have(eight, '"') | eight_have(eight, '\\')) break;
      at_ += 8;
    }
    while (at_ != end_ && *at_ != '"' && *at_ != '\\') ++at_;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
};

bool hex4(std::string_view text, std::uint32_t* out) {
  if (text.size() < 4) return false;
  const auto read = std::from_chars(text.data(), text.data() + 4, *out, 16);
  return read.ec == std::errc() && read.ptr == text.data() + 4;
}

// \uXXXX at the front of `text`, and the second half of a surrogate pair; how many bytes it took.
std::size_t unicode_escape(std::string_view text, std::uint32_t* c) {
  if (!hex4(text.substr(2), c)) return 0;
  if (*c < 0xd800 || *c > 0xdfff) return 6;
  std::uint32_t low = 0;
  const bool pair = *c < 0xdc00 && text.substr(6).starts_with("\\u") &&
                    hex4(text.substr(8), &low) && low >= 0xdc00 && low <= 0xdfff;
  if (!pair) return 0;
  *c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
  return 12;
}

bool unescape(std::string_view raw, std::string* out) {
  constexpr std::string_view kEscapes = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
  while (!raw.empty()) {
    const std::size_t plain = std::min(raw.find('\\'), raw.size());
    out->append(raw.substr(0, plain));
    raw.remove_prefix(plain);
    if (raw.empty()) break;
    if (raw.size() < 2) return false;
    const std::size_t known = kEscapes.find(raw[1]);
    if (known != kEscapes.npos) {
      *out += kMeant[known];
      raw.remove_prefix(2);
      continue;
    }
    std::uint32_t c = 0;
    const std::size_t size = raw[1] == 'u' ? unicode_escape(raw, &c) : 0;
    if (size == 0) return false;
    append_utf8_of(out, c);
    raw.remove_prefix(size);
  }
  return true;
}

class JsonExport {
 public:
  JsonExport(std::string_view body, const OtlpLimits& limits, DataPoints* out)
      : cursor_(body), limits_(limits), out_(*out) {}

  Status read() {
    const bool whole = cursor_.object([&](std::string_view key) {
      return key == "resourceMetrics" ? cursor_.list([&] { return resource_metrics(); }) : skip();
    });
    if (over_) return fail(ErrorCode::Limit, *over_);
    if (whole && cursor_.at_end()) return {};
    return fail(
        ErrorCode::Invalid,
        fmt::format("the export is no JSON of the right shape at byte {}", cursor_.offset()));
  }

 private:
  bool skip() { return cursor_.skip(limits_.depth_max); }

  bool over(std::string_view what, std::size_t most) {
    over_ = fmt::format("the export has more than {} {}; send smaller ones", most, what);
    return false;
  }

  bool resource_metrics() {
    const auto here = std::uint32_t(out_.resources.size());
    resource_ = here;
    out_.resources.push_back({std::uint32_t(out_.attributes.size()), 0});
    return cursor_.object([&](std::string_view key) {
      if (key == "resource") return resource();
      if (key == "scopeMetrics") return cursor_.list([&] { return scope_metrics(); });
      return skip();
    });
  }

  bool resource() {
    Range32 attributes{std::uint32_t(out_.attributes.size()), 0};
    const bool read = cursor_.object([&](std::string_view key) {
      return key == "attributes" ? attribute_list(&attributes) : skip();
    });
    out_.resources[resource_] = attributes;
    return read;
  }

  bool scope_metrics() {
    return cursor_.object([&](std::string_view key) {
      return key == "metrics" ? cursor_.list([&] { return metric(); }) : skip();
    });
  }

  static PointKind kind_of(std::string_view key) {
    if (key == "sum") return PointKind::Sum;
    if (key == "gauge") return PointKind::Gauge;
    if (key == "histogram") return PointKind::Histogram;
    if (key == "exponentialHistogram") return PointKind::ExponentialHistogram;
    if (key == "summary") return PointKind::Summary;
    return PointKind::None;
  }

  bool metric() {
    PointMetric metric{.name = {}, .unit = {}, .resource = resource_};
    const bool read = cursor_.object([&](std::string_view key) {
      if (key == "name") return text(&metric.name);
      if (key == "unit") return text(&metric.unit);
      const PointKind kind = kind_of(key);
      return kind == PointKind::None ? skip() : data(kind, &metric);
    });
    out_.metrics.push_back(metric);
    return read;
  }

  bool data(PointKind kind, PointMetric* metric) {
    const bool numbers = kind == PointKind::Gauge || kind == PointKind::Sum;
    metric->kind = kind;
    metric->points = {std::uint32_t(numbers ? out_.numbers.size() : out_.distributions.size()), 0};
    return cursor_.object([&](std::string_view key) {
      if (key == "dataPoints") return cursor_.list([&] { return point(kind, metric); });
      if (key == "aggregationTemporality") return temporality(&metric->temporality);
      if (key == "isMonotonic") return boolean(&metric->monotonic);
      return skip();
    });
  }

  bool temporality(Temporality* out) {
    std::string_view text;
    if (!cursor_.number_text(&text)) return false;
    if (text == "1" || text.ends_with("_DELTA")) *out = Temporality::Delta;
    if (text == "2" || text.ends_with("_CUMULATIVE")) *out = Temporality::Cumulative;
    return true;
  }

  bool point(PointKind kind, PointMetric* metric) {
    if (++out_.points > limits_.points_max) return over("data points", limits_.points_max);
    ++metric->points.count;
    if (kind == PointKind::Summary) return skip();
    if (kind == PointKind::Gauge || kind == PointKind::Sum) return number_point();
    return distribution_point();
  }

  bool number_point() {
    NumberPoint point;
    point.attributes.first = std::uint32_t(out_.attributes.size());
    std::uint64_t flags = 0;
    const bool read = cursor_.object([&](std::string_view key) {
      if (key == "attributes") return attribute_list(&point.attributes);
      if (key == "timeUnixNano") return whole(&point.time_ns);
      if (key == "startTimeUnixNano") return whole(&point.start_ns);
      if (key == "asInt") return point.has_value = whole_as_real(&point.value);
      if (key == "asDouble") return point.has_value = real(&point.value);
      if (key == "flags") return whole(&flags);
      return skip();
    });
    if (flags & 1) point.has_value = false;
    out_.numbers.push_back(point);
    return read;
  }

  bool distribution_point() {
    DistributionPoint point;
    point.attributes.first = std::uint32_t(out_.attributes.size());
    point.buckets.first = std::uint32_t(out_.buckets.size());
    point.bounds.first = std::uint32_t(out_.bounds.size());
    const bool read = cursor_.object([&](std::string_view key) { return member(key, &point); });
    out_.distributions.push_back(point);
    return read;
  }

  bool member(std::string_view key, DistributionPoint* point) {
    if (key == "attributes") return attribute_list(&point->attributes);
    if (key == "timeUnixNano") return whole(&point->time_ns);
    if (key == "startTimeUnixNano") return whole(&point->start_ns);
    if (key == "count") return whole(&point->count);
    if (key == "sum") return point->has_sum = real(&point->sum);
    if (key == "bucketCounts") return count_list(&point->buckets);
    if (key == "explicitBounds") return bound_list(&point->bounds);
    if (key == "scale") return whole32(&point->scale);
    if (key == "zeroCount") return whole(&point->zero_count);
    if (key == "positive") return positive(point);
    if (key == "negative") return negative(point);
    if (key != "flags") return skip();
    std::uint64_t flags = 0;
    if (!whole(&flags)) return false;
    point->has_value = (flags & 1) == 0;
    return true;
  }

  bool positive(DistributionPoint* point) {
    return cursor_.object([&](std::string_view key) {
      if (key == "offset") return whole32(&point->offset);
      return key == "bucketCounts" ? count_list(&point->buckets) : skip();
    });
  }
  bool negative(DistributionPoint* point) {
    return cursor_.object([&](std::string_view key) {
      if (key != "bucketCounts") return skip();
      return cursor_.list([&] {
        std::uint64_t count = 0;
        if (!whole(&count)) return false;
        point->negative_count += count;
        return true;
      });
    });
  }

  bool room_for_bucket() {
    if (out_.buckets.size() + out_.bounds.size() < limits_.buckets_max) return true;
    return over("buckets", limits_.buckets_max);
  }
  bool count_list(Range32* range) {
    return cursor_.list([&] {
      std::uint64_t count = 0;
      if (!room_for_bucket() || !whole(&count)) return false;
      out_.buckets.push_back(count);
      ++range->count;
      return true;
    });
  }
  bool bound_list(Range32* range) {
    return cursor_.list([&] {
      double bound = 0;
      if (!room_for_bucket() || !real(&bound)) return false;
      out_.bounds.push_back(bound);
      ++range->count;
      return true;
    });
  }

  bool attribute_list(Range32* range) {
    return cursor_.list([&] { return attribute(range); });
  }
  bool attribute(Range32* range) {
    if (out_.attributes.size() >= limits_.attributes_max)
      return over("attributes", limits_.attributes_max);
    PointAttribute& out = out_.attributes.emplace_back();
    ++range->count;
    (void)cursor_.peek();
    const char* first = cursor_.at();
    const bool read = cursor_.object([&](std::string_view key) {
      if (key == "key") return text(&out.key);
      return key == "value" ? value(&out) : skip();
    });
    out.bytes = {first, std::size_t(cursor_.at() - first)};
    return read;
  }

  bool value(PointAttribute* out) {
    using enum PointAttribute::Kind;
    return cursor_.object([&](std::string_view key) {
      if (key == "stringValue") {
        out->kind = Text;
        return text(&out->text);
      }
      if (key == "intValue") {
        out->kind = Whole;
        return signed_whole(&out->whole);
      }
      if (key == "doubleValue") {
        out->kind = Real;
        return real(&out->real);
      }
      if (key == "boolValue") {
        bool is_true = false;
        out->kind = Bool;
        if (!boolean(&is_true)) return false;
        out->whole = is_true ? 1 : 0;
        return true;
      }
      out->kind = Other;
      return skip();
    });
  }

  bool text(std::string_view* out) {
    if (!cursor_.raw_text(out)) return false;
    if (out->find('\\') == out->npos) return true;
    std::string& kept = out_.texts.emplace_back();
    if (!unescape(*out, &kept)) return false;
    *out = kept;
    return true;
  }

  bool boolean(bool* out) {
    *out = cursor_.peek() == 't';
    return cursor_.word(*out ? "true" : "false");
  }

  template <class T>
  bool parsed(T* out) {
    std::string_view text;
    if (!cursor_.number_text(&text)) return false;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), *out);
    return read.ec == std::errc() && read.ptr == text.data() + text.size();
  }
  bool whole(std::uint64_t* out) { return parsed(out); }
  bool signed_whole(std::int64_t* out) { return parsed(out); }
  bool whole32(std::int32_t* out) { return parsed(out); }
  bool whole_as_real(double* out) {
    std::int64_t value = 0;
    if (!parsed(&value)) return false;
    *out = double(value);
    return true;
  }
  bool real(double* out) {
    std::string_view text;
    if (!cursor_.number_text(&text)) return false;
    if (text == "NaN") *out = std::numeric_limits<double>::quiet_NaN();
    if (text == "Infinity") *out = std::numeric_limits<double>::infinity();
    if (text == "-Infinity") *out = -std::numeric_limits<double>::infinity();
    if (text == "NaN" || text.ends_with("Infinity")) return true;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), *out);
    return read.ec == std::errc() && read.ptr == text.data() + text.size();
  }

  JsonCursor cursor_;
  const OtlpLimits& limits_;
  DataPoints& out_;
  std::uint32_t resource_ = 0;
  std::optional<std::string> over_;
};

}  // namespace

Status decode_otlp_json(std::string_view body, const OtlpLimits& limits, DataPoints* out) {
  out->clear();
  return JsonExport(body, limits, out).read();
}

}  // namespace showcaller
