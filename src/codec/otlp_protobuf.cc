// SPDX-License-Identifier: Apache-2.0
// The protobuf wire format of an export, read by hand: a message is a run of (tag, value), a tag is
// number << 3 | type. Source: "Protocol Buffers: Encoding".
#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "codec/otlp.h"

namespace showcaller {
namespace {

static_assert(std::endian::native == std::endian::little);

enum class WireType : std::uint8_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

struct WireField {
  std::uint32_t number = 0;
  WireType type = WireType::Varint;
  std::uint64_t value = 0;  // of a varint or fixed number
  std::string_view bytes;
};

// Reads one message, field by field. False at its end and after something broken.
class WireReader {
 public:
  explicit WireReader(std::string_view message)
      : at_(message.data()), end_(message.data() + message.size()) {}

  bool next(WireField* field) {
    if (at_ == end_) return false;
    std::uint64_t tag = 0;
    if (!varint(&tag) || tag >> 3 == 0 || tag >> 32 != 0) return broken();
    field->number = std::uint32_t(tag >> 3);
    field->type = WireType(tag & 7);
    switch (field->type) {
      case WireType::Varint:
        return varint(&field->value) || broken();
      case WireType::Fixed64:
        return fixed<std::uint64_t>(&field->value);
      case WireType::Fixed32:
        return fixed<std::uint32_t>(&field->value);
      case WireType::Bytes:
        return bytes(&field->bytes);
    }
    return broken();  // Groups, which no message of ours has.
  }
  bool good() const { return good_; }
  const char* at() const { return at_; }

  bool varint(std::uint64_t* out) {
    if (at_ != end_ && std::uint8_t(*at_) < 0x80) {
      *out = std::uint8_t(*at_++);
      return true;
    }
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = std::uint8_t(*at_++);
      value |= std::uint64_t(byte & 0x7f) << shift;
      if (byte < 0x80) {
        *out = value;
        return true;
      }
    }
    return false;
  }

 private:
  template <class T>
  bool fixed(std::uint64_t* out) {
    T value = 0;
    if (std::size_t(end_ - at_) < sizeof value) return broken();
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    *out = value;
    return true;
  }
  bool bytes(std::string_view* out) {
    std::uint64_t size = 0;
    if (!varint(&size) || size > std::uint64_t(end_ - at_)) return broken();
    *out = {at_, std::size_t(size)};
    at_ += size;
    return true;
  }
  bool broken() {
    good_ = false;
    return false;
  }

  const char* at_;
  const char* end_;
  bool good_ = true;
};

double double_of(std::uint64_t bits) {
  return std::bit_cast<double>(bits);
}
// sint32: zigzag.
std::int32_t zigzag_of(std::uint64_t value) {
  const auto bits = std::uint32_t(value);
  return std::int32_t(bits >> 1) ^ -std::int32_t(bits & 1);
}

class ProtobufExport {
 public:
  ProtobufExport(std::string_view body, const OtlpLimits& limits, DataPoints* out)
      : body_(body), limits_(limits), out_(*out) {}

  Status read() {
    const bool whole = each_field(body_, [&](const WireField& field) {
      return field.number != 1 || resource_metrics(field);
    });
    if (whole) return {};
    if (over_) return fail(ErrorCode::Limit, *over_);
    return fail(ErrorCode::Invalid,
                fmt::format("the export breaks off or has a field of a wrong type near byte {}",
                            broken_at_ - body_.data()));
  }

 private:
  // Hands every field of the message over, until one is refused.
  template <class Visit>
  bool each_field(std::string_view message, Visit visit) {
    WireReader reader(message);
    WireField field;
    while (reader.next(&field)) {
      if (visit(field)) continue;
      if (!broken_at_) broken_at_ = reader.at();
      return false;
    }
    if (!reader.good() && !broken_at_) broken_at_ = reader.at();
    return reader.good();
  }

  bool over(std::string_view what, std::size_t most) {
    over_ = fmt::format("the export has more than {} {}; send smaller ones", most, what);
    return false;
  }

  bool resource_metrics(const WireField& field) {
    if (field.type != WireType::Bytes) return false;
    resource_ = std::uint32_t(out_.resources.size());
    out_.resources.push_back({std::uint32_t(out_.attributes.size()), 0});
    return each_field(field.bytes, [&](const WireField& part) {
      if (part.number == 1) return resource(part);
      return part.number != 2 || scope_metrics(part);
    });
  }

  bool resource(const WireField& field) {
    if (field.type != WireType::Bytes) return false;
    Range32 attributes{std::uint32_t(out_.attributes.size()), 0};
    const bool read = each_field(field.bytes, [&](const WireField& part) {
      return part.number != 1 || attribute(part, &attributes);
    });
    out_.resources[resource_] = attributes;
    return read;
  }

  bool scope_metrics(const WireField& field) {
    if (field.type != WireType::Bytes) return false;
    return each_field(field.bytes,
                      [&](const WireField& part) { return part.number != 2 || metric(part); });
  }

  static PointKind kind_of(std::uint32_t number) {
    switch (number) {
      case 5:
        return PointKind::Gauge;
      case 7:
        return PointKind::Sum;
      case 9:
        return PointKind::Histogram;
      case 10:
        return PointKind::ExponentialHistogram;
      case 11:
        return PointKind::Summary;
      default:
        return PointKind::None;
    }
  }

  bool metric(const WireField& field) {
    if (field.type != WireType::Bytes) return false;
    PointMetric metric{.name = {}, .unit = {}, .resource = resource_};
    const bool read = each_field(field.bytes, [&](const WireField& part) {
      if (part.number == 1) return text(part, &metric.name);
      if (part.number == 3) return text(part, &metric.unit);
      const PointKind kind = kind_of(part.number);
      return kind == PointKind::None || data(part, kind, &metric);
    });
    out_.metrics.push_back(metric);
    return read;
  }

  static bool text(const WireField& field, std::string_view* out) {
    *out = field.bytes;
    return field.type == WireType::Bytes;
  }

  static bool holds_numbers(PointKind kind) {
    return kind == PointKind::Gauge || kind == PointKind::Sum;
  }

  // Gauge, Sum, Histogram and the rest: points = 1, temporality = 2, monotonic = 3.
  bool data(const WireField& field, PointKind kind, PointMetric* metric) {
    if (field.type != WireType::Bytes) return false;
    metric->kind = kind;
    metric->points = {
        std::uint32_t(holds_numbers(kind) ? out_.numbers.size() : out_.distributions.size()), 0};
    return each_field(field.bytes, [&](const WireField& part) {
      if (part.number == 1) return point(part, kind, metric);
      if (part.number == 2 && part.type == WireType::Varint && part.value <= 2)
        metric->temporality = Temporality(part.value);
      if (part.number == 3 && part.type == WireType::Varint) metric->monotonic = part.value != 0;
      return true;
    });
  }

  bool point(const WireField& field, PointKind kind, PointMetric* metric) {
    if (field.type != WireType::Bytes) return false;
    if (++out_.points > limits_.points_max) return over("data points", limits_.points_max);
    ++metric->points.count;
    switch (kind) {
      case PointKind::Histogram:
        return histogram_point(field.bytes);
      case PointKind::ExponentialHistogram:
        return exponential_point(field.bytes);
      case PointKind::Summary:
      case PointKind::None:
        return true;
      default:
        return number_point(field.bytes);
    }
  }

  bool number_point(std::string_view bytes) {
    NumberPoint point;
    point.attributes.first = std::uint32_t(out_.attributes.size());
    bool no_value = false;
    const bool read = each_field(bytes, [&](const WireField& field) {
      switch (field.number) {
        case 2:
          return number(field, WireType::Fixed64, &point.start_ns);
        case 3:
          return number(field, WireType::Fixed64, &point.time_ns);
        case 4:
          point.value = double_of(field.value);
          return point.has_value = field.type == WireType::Fixed64;
        case 6:
          point.value = double(std::int64_t(field.value));
          return point.has_value = field.type == WireType::Fixed64;
        case 7:
          return attribute(field, &point.attributes);
        case 8:
          no_value = field.value & 1;
          return true;
        default:
          return true;
      }
    });
    point.has_value = point.has_value && !no_value;
    out_.numbers.push_back(point);
    return read;
  }

  bool histogram_point(std::string_view bytes) {
    DistributionPoint point;
    begin(&point);
    const bool read = each_field(bytes, [&](const WireField& field) {
      switch (field.number) {
        case 6:
          return fixed_run(field, &out_.buckets, &point.buckets);
        case 7:
          return fixed_run(field, &out_.bounds, &point.bounds);
        case 9:
          return attribute(field, &point.attributes);
        default:
          return distribution_field(field, &point);
      }
    });
    out_.distributions.push_back(point);
    return read;
  }

  bool exponential_point(std::string_view bytes) {
    DistributionPoint point;
    begin(&point);
    const bool read = each_field(bytes, [&](const WireField& field) {
      switch (field.number) {
        case 1:
          return attribute(field, &point.attributes);
        case 6:
          point.scale = zigzag_of(field.value);
          return field.type == WireType::Varint;
        case 7:
          return number(field, WireType::Fixed64, &point.zero_count);
        case 8:
          return positive(field, &point);
        case 9:
          return negative(field, &point);
        default:
          return distribution_field(field, &point);
      }
    });
    out_.distributions.push_back(point);
    return read;
  }

  void begin(DistributionPoint* point) const {
    point->attributes.first = std::uint32_t(out_.attributes.size());
    point->buckets.first = std::uint32_t(out_.buckets.size());
    point->bounds.first = std::uint32_t(out_.bounds.size());
  }

  // What both kinds of histograms have under one number.
  static bool distribution_field(const WireField& field, DistributionPoint* point) {
    switch (field.number) {
      case 2:
        return number(field, WireType::Fixed64, &point->start_ns);
      case 3:
        return number(field, WireType::Fixed64, &point->time_ns);
      case 4:
        return number(field, WireType::Fixed64, &point->count);
      case 5:
        point->sum = double_of(field.value);
        return point->has_sum = field.type == WireType::Fixed64;
      case 10:
        if (field.value & 1) point->has_value = false;
        return true;
      default:
        return true;
    }
  }

  static bool number(const WireField& field, WireType type, std::uint64_t* out) {
    *out = field.value;
    return field.type == type;
  }

  bool room_for_buckets(std::size_t more) {
    if (out_.buckets.size() + out_.bounds.size() + more <= limits_.buckets_max) return true;
    return over("buckets", limits_.buckets_max);
  }

  // Packed, or one by one.
  template <class T>
  bool fixed_run(const WireField& field, std::vector<T>* to, Range32* range) {
    if (field.type == WireType::Fixed64) {
      if (!room_for_buckets(1)) return false;
      to->push_back(std::bit_cast<T>(field.value));
      ++range->count;
      return true;
    }
    if (field.type != WireType::Bytes || field.bytes.size() % sizeof(T) != 0) return false;
    const std::size_t more = field.bytes.size() / sizeof(T);
    if (!room_for_buckets(more)) return false;
    const std::size_t before = to->size();
    to->resize(before + more);
    std::memcpy(to->data() + before, field.bytes.data(), field.bytes.size());
    range->count += std::uint32_t(more);
    return true;
  }

  // Buckets: offset = 1, counts = 2.
  bool positive(const WireField& field, DistributionPoint* point) {
    if (field.type != WireType::Bytes) return false;
    return each_field(field.bytes, [&](const WireField& part) {
      if (part.number == 1) point->offset = zigzag_of(part.value);
      return part.number != 2 || each_count(part, [&](std::uint64_t count) {
               if (!room_for_buckets(1)) return false;
               out_.buckets.push_back(count);
               ++point->buckets.count;
               return true;
             });
    });
  }
  bool negative(const WireField& field, DistributionPoint* point) {
    if (field.type != WireType::Bytes) return false;
    return each_field(field.bytes, [&](const WireField& part) {
      return part.number != 2 || each_count(part, [&](std::uint64_t count) {
               point->negative_count += count;
               return true;
             });
    });
  }
  template <class Visit>
  static bool each_count(const WireField& field, Visit visit) {
    if (field.type == WireType::Varint) return visit(field.value);
    if (field.type != WireType::Bytes) return false;
    WireReader counts(field.bytes);
    const char* end = field.bytes.data() + field.bytes.size();
    while (counts.at() != end) {
      std::uint64_t count = 0;
      if (!counts.varint(&count) || !visit(count)) return false;
    }
    return true;
  }

  // KeyValue: key = 1, value = 2.
  bool attribute(const WireField& field, Range32* range) {
    if (field.type != WireType::Bytes) return false;
    if (out_.attributes.size() >= limits_.attributes_max)
      return over("attributes", limits_.attributes_max);
    PointAttribute& out = out_.attributes.emplace_back();
    ++range->count;
    out.bytes = field.bytes;
    return each_field(field.bytes, [&](const WireField& part) {
      if (part.number == 1) return text(part, &out.key);
      return part.number != 2 || value(part, &out);
    });
  }

  // AnyValue.
  bool value(const WireField& field, PointAttribute* out) {
    using enum PointAttribute::Kind;
    if (field.type != WireType::Bytes) return false;
    return each_field(field.bytes, [&](const WireField& part) {
      out->kind = part.number == 1   ? Text
                  : part.number == 2 ? Bool
                  : part.number == 3 ? Whole
                  : part.number == 4 ? Real
                                     : Other;
      if (out->kind == Text) return text(part, &out->text);
      out->whole = std::int64_t(part.value);
      if (out->kind == Real) out->real = double_of(part.value);
      return true;
    });
  }

  std::string_view body_;
  const OtlpLimits& limits_;
  DataPoints& out_;
  std::uint32_t resource_ = 0;
  const char* broken_at_ = nullptr;
  std::optional<std::string> over_;
};

}  // namespace

Status decode_otlp_protobuf(std::string_view body, const OtlpLimits& limits, DataPoints* out) {
  out->clear();
  return ProtobufExport(body, limits, out).read();
}

}  // namespace showcaller
