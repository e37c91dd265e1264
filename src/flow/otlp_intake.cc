// SPDX-License-Identifier: Apache-2.0
#include "flow/otlp_intake.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>
#include <unordered_map>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "flow/point_distribution.h"

namespace showcaller {
namespace {

constexpr std::array<std::string_view, kPointFates> kPointFateNames{
    "taken", "unmapped", "first", "repeated", "no_value", "refused", "full"};
constexpr std::string_view kServiceInstance = "service.instance.id";
constexpr std::size_t kPlaceBytesMax = 256;
constexpr double kCountMax = 9e15;

using PointPlace = std::array<std::string_view, kPlaceParts>;

// What one data point adds.
struct PointAmount {
  PointFate fate = PointFate::Taken;
  std::int64_t n = 0, x = 0;
  std::optional<ExponentialHistogram> histogram;
};

bool attribute_is(const PointAttribute& attribute, const std::string& text) {
  char digits[32];
  switch (attribute.kind) {
    case PointAttribute::Kind::Text:
      return attribute.text == text;
    case PointAttribute::Kind::Bool:
      return text == (attribute.whole ? "true" : "false");
    case PointAttribute::Kind::Whole: {
      const auto end = std::to_chars(digits, digits + sizeof digits, attribute.whole).ptr;
      return text == std::string_view(digits, std::size_t(end - digits));
    }
    case PointAttribute::Kind::Real: {
      const auto end = std::to_chars(digits, digits + sizeof digits, attribute.real).ptr;
      return text == std::string_view(digits, std::size_t(end - digits));
    }
    default:
      return false;
  }
}

// One export on its way into the intake.
class OtlpTaking {
 public:
  OtlpTaking(const DataPoints& points, const OtlpCatalog& catalog, const OtlpSender& sender,
             Instant now, SeriesTable* series, OtlpReceipt* receipt)
      : points_(points),
        catalog_(catalog),
        sender_(sender),
        now_(now),
        series_(*series),
        receipt_(*receipt),
        sender_seed_(sender.below.empty() ? hash64(sender.token)
                                          : hash64(sender.below, hash64(sender.token))) {}

  // By whose word they are. Those taken before stay where they are.
  std::array<std::deque<ReportedDelta>, 3> take() {
    resource_hashes_.reserve(points_.resources.size());
    for (const Range32& range : points_.resources) resource_hashes_.push_back(hash_of(range));
    for (const PointMetric& metric : points_.metrics) take(metric);
    return std::move(deltas_);
  }

 private:
  struct UseHere {
    PointPlace place;  // as the resource says
    double factor = 1;
    PointPlace last;  // of the last point, and the delta that it went into
    ReportedDelta* delta = nullptr;
  };

  void take(const PointMetric& metric) {
    const auto& uses = catalog_.uses(metric.name);
    if (uses.empty() || metric.kind == PointKind::None) return tell(PointFate::Unmapped, metric);
    if (metric.kind == PointKind::Summary)
      return refuse(metric, "a summary has no counts to compare; send a histogram");
    const bool is_sum = metric.kind == PointKind::Sum || is_distribution(metric);
    if (is_sum && metric.temporality == Temporality::Unspecified)
      return refuse(metric, "it does not say whether it is a delta or a total");
    for (const InstrumentUse& use : uses) {
      if (const char* why = misfit(metric, use)) return refuse(metric, why);
    }
    begin(metric, uses);
    const std::uint64_t seed =
        hash64(metric.name, sender_seed_ ^ resource_hashes_[metric.resource]);
    for (std::uint32_t i = 0; i < metric.points.count; ++i)
      take_point(metric, metric.points.first + i, seed, uses);
  }

  static bool is_distribution(const PointMetric& metric) {
    return metric.kind == PointKind::Histogram || metric.kind == PointKind::ExponentialHistogram;
  }
  // Its value at a time, and no count of anything.
  static bool is_level(const PointMetric& metric) {
    return metric.kind == PointKind::Gauge || (metric.kind == PointKind::Sum && !metric.monotonic);
  }

  // Why the metric cannot be made of such points; null: it can.
  static const char* misfit(const PointMetric& metric, const InstrumentUse& use) {
    const MetricType type = use.spec.type;
    if (is_level(metric) && use.role == InstrumentRole::Bad)
      return "a level counts nothing; name a monotonic sum as `bad`";
    if (is_level(metric) && type == MetricType::Rate)
      return "a level counts nothing; a rate is made of monotonic sums";
    if (metric.kind == PointKind::Sum && metric.monotonic && type == MetricType::Quantile)
      return "a sum is no distribution; send a histogram";
    if (is_distribution(metric) && type == MetricType::Rate)
      return "a histogram tells no time observed; a rate is made of monotonic sums";
    return nullptr;
  }

  void tell(PointFate fate, const PointMetric& metric) {
    receipt_.points[std::size_t(fate)] += metric.points.count;
  }
  void refuse(const PointMetric& metric, std::string_view why) {
    tell(PointFate::Refused, metric);
    explain(metric.name, why);
  }
  void explain(std::string_view name, std::string_view why) {
    if (!receipt_.why.empty()) return;
    const std::string_view short_name = name.substr(0, 128);
    receipt_.why = fmt::format("{}: {}", is_utf8(short_name) ? short_name : "an instrument", why);
  }

  std::uint64_t hash_of(const Range32& range) const {
    std::uint64_t sum = 0;  // In any order.
    for (std::uint32_t i = 0; i < range.count; ++i)
      sum += hash64(points_.attributes[range.first + i].bytes);
    return sum;
  }

  // What is the same for all points of the metric.
  void begin(const PointMetric& metric, const std::vector<InstrumentUse>& uses) {
    uses_.clear();
    for (const InstrumentUse& use : uses) {
      UseHere& here = uses_.emplace_back();
      here.factor = unit_factor(metric.unit, use.spec.unit);
      const Range32& attributes = points_.resources[metric.resource];
      read_place(attributes, use, &here.place);
      // A process that says nothing of ours is known by OpenTelemetry's own name for it.
      if (!here.place[std::size_t(PlacePart::Instance)].empty()) continue;
      for (std::uint32_t i = 0; i < attributes.count; ++i) {
        const PointAttribute& attribute = points_.attributes[attributes.first + i];
        if (attribute.key == kServiceInstance)
          here.place[std::size_t(PlacePart::Instance)] = attribute.text;
      }
    }
  }

  void read_place(const Range32& range, const InstrumentUse& use, PointPlace* place) const {
    for (std::uint32_t i = 0; i < range.count; ++i) {
      const PointAttribute& attribute = points_.attributes[range.first + i];
      if (attribute.kind != PointAttribute::Kind::Text) continue;
      for (std::size_t part = 0; part < kPlaceParts; ++part) {
        if (attribute.key == use.attributes[part]) (*place)[part] = attribute.text;
      }
    }
  }

  bool fits(const Range32& range, const std::map<std::string, std::string>& wanted,
            std::uint32_t resource) const {
    return std::ranges::all_of(wanted, [&](const auto& want) {
      return has(range, want.first, want.second) ||
             has(points_.resources[resource], want.first, want.second);
    });
  }
  bool has(const Range32& range, const std::string& key, const std::string& text) const {
    for (std::uint32_t i = 0; i < range.count; ++i) {
      const PointAttribute& attribute = points_.attributes[range.first + i];
      if (attribute.key == key) return attribute_is(attribute, text);
    }
    return false;
  }

  void take_point(const PointMetric& metric, std::uint32_t at, std::uint64_t seed,
                  const std::vector<InstrumentUse>& uses) {
    PointFate fate;
    if (is_distribution(metric))
      fate = take_distribution(metric, points_.distributions[at], seed, uses);
    else
      fate = take_number(metric, points_.numbers[at], seed, uses);
    ++receipt_.points[std::size_t(fate)];
    if (fate == PointFate::Full)
      explain(metric.name, "there are too many series; send fewer attributes");
  }

  // The point's series, moved on to its time; null and why it is not counted.
  template <class Point>
  Series* advance(const Point& point, std::uint64_t seed, bool* fresh, PointFate* fate) {
    if (!point.has_value) {
      *fate = PointFate::NoValue;
      return nullptr;
    }
    if (point.time_ns == 0 || point.start_ns > point.time_ns) {
      *fate = PointFate::Refused;
      explain("a data point", "it has no time, or begins after it");
      return nullptr;
    }
    Series* series = series_.find(seed + hash_of(point.attributes), now_, fresh);
    if (series == nullptr) {
      *fate = PointFate::Full;
    } else if (!*fresh && point.time_ns <= series->time_ns) {
      *fate = PointFate::Repeated;
      return nullptr;
    }
    return series;
  }

  // What a monotonic or other sum has come to since the last point, in whole numbers: what is left
  // over of a fraction is told with the next.
  std::int64_t grown(const PointMetric& metric, const NumberPoint& point, bool fresh,
                     Series* series, PointFate* fate) const {
    const bool began_anew = !fresh && (point.start_ns > series->time_ns ||
                                       (point.start_ns != 0 && point.start_ns > series->start_ns) ||
                                       point.value < series->total);
    double before = series->total, after = series->total + point.value;
    if (metric.temporality == Temporality::Cumulative) {
      after = point.value;
      if (fresh && !series_.is_whole(point.start_ns)) *fate = PointFate::First;
      if (fresh || began_anew) before = 0;
    }
    series->total = after;
    const double whole = std::floor(after) - std::floor(before);
    return whole > 0 && whole < kCountMax ? std::int64_t(whole) : 0;
  }

  PointFate take_number(const PointMetric& metric, const NumberPoint& point, std::uint64_t seed,
                        const std::vector<InstrumentUse>& uses) {
    PointFate fate = PointFate::Taken;
    bool fresh = false;
    if (!std::isfinite(point.value) && point.has_value) return PointFate::NoValue;
    Series* series = advance(point, seed, &fresh, &fate);
    if (series == nullptr) return fate;
    if (metric.kind == PointKind::Sum && metric.monotonic && point.value < 0) {
      explain(metric.name, "a monotonic sum cannot fall below zero");
      return PointFate::Refused;
    }
    std::int64_t amount = 0;
    double level = point.value;
    if (metric.kind == PointKind::Sum && metric.monotonic) {
      amount = grown(metric, point, fresh, series, &fate);
    } else if (metric.kind == PointKind::Sum && metric.temporality == Temporality::Delta) {
      level = series->total += point.value;
    }
    series->start_ns = point.start_ns;
    series->time_ns = point.time_ns;
    if (fate != PointFate::Taken) return fate;
    bool meant = false;
    for (std::size_t i = 0; i < uses.size(); ++i) {
      if (!fits(point.attributes, uses[i].spec.otlp.where, metric.resource)) continue;
      meant = true;
      if (is_level(metric))
        add_level(uses[i], &uses_[i], point.attributes, level);
      else
        add_amount(metric, uses[i], &uses_[i], point.attributes, amount);
    }
    return meant ? PointFate::Taken : PointFate::Unmapped;
  }

  void add_amount(const PointMetric& metric, const InstrumentUse& use, UseHere* here,
                  const Range32& attributes, std::int64_t amount) {
    if (amount == 0) return;
    ReportedDelta& delta = delta_of(use, here, attributes);
    const OtlpMapping& otlp = use.spec.otlp;
    if (use.role == InstrumentRole::Total) delta.n += amount;
    if (use.role == InstrumentRole::Bad ||
        (!otlp.bad_where.empty() && fits(attributes, otlp.bad_where, metric.resource)))
      delta.x += amount;
  }

  void add_level(const InstrumentUse& use, UseHere* here, const Range32& attributes, double level) {
    ReportedDelta& delta = delta_of(use, here, attributes);
    if (use.spec.type == MetricType::Quantile) {
      if (!delta.histogram) delta.histogram.emplace();
      delta.histogram->record(level * here->factor);
      return;
    }
    ++delta.n;
    if (use.spec.type == MetricType::Binary)
      delta.x += level != 0 ? 1 : 0;
    else
      delta.x += std::int64_t(std::clamp(std::floor(level), 0.0, kCountMax));
  }

  PointFate take_distribution(const PointMetric& metric, const DistributionPoint& point,
                              std::uint64_t seed, const std::vector<InstrumentUse>& uses) {
    PointFate fate = PointFate::Taken;
    bool fresh = false;
    auto now_told = told_of(points_, metric.kind, point);
    if (!now_told) {
      explain(metric.name, now_told.error().message);
      return PointFate::Refused;
    }
    Series* series = advance(point, seed, &fresh, &fate);
    if (series == nullptr) return fate;
    ToldDistribution come = *now_told;
    if (metric.temporality == Temporality::Cumulative) {
      const bool began_anew = !fresh && point.start_ns != 0 && point.start_ns > series->start_ns;
      const ToldDistribution* before = series_.told(*series);
      if (fresh && !series_.is_whole(point.start_ns)) fate = PointFate::First;
      if (before != nullptr && !began_anew) subtract(*before, &come);
      if (!series_.tell(series, *std::move(now_told))) return PointFate::Full;
    }
    series->start_ns = point.start_ns;
    series->time_ns = point.time_ns;
    if (fate != PointFate::Taken) return fate;
    bool meant = false;
    for (std::size_t i = 0; i < uses.size(); ++i) {
      if (!fits(point.attributes, uses[i].spec.otlp.where, metric.resource)) continue;
      meant = true;
      add_distribution(metric, uses[i], &uses_[i], point, come);
    }
    return meant ? PointFate::Taken : PointFate::Unmapped;
  }

  void add_distribution(const PointMetric& metric, const InstrumentUse& use, UseHere* here,
                        const DistributionPoint& point, const ToldDistribution& come) {
    const std::int64_t count = count_of(come);
    if (count == 0) return;
    ReportedDelta& delta = delta_of(use, here, point.attributes);
    const DistributionView view{come, bounds_of(points_, point), here->factor};
    if (use.spec.type == MetricType::Quantile) {
      if (!delta.histogram) delta.histogram.emplace();
      merge_into(view, &*delta.histogram);
      return;
    }
    const OtlpMapping& otlp = use.spec.otlp;
    if (use.role == InstrumentRole::Total) delta.n += count;
    if (use.role == InstrumentRole::Bad)
      delta.x += count;
    else if (otlp.bad_above)
      delta.x += count_above(view, *otlp.bad_above);
    else if (!otlp.bad_where.empty())
      delta.x += fits(point.attributes, otlp.bad_where, metric.resource) ? count : 0;
    else if (use.spec.type == MetricType::Count)
      delta.x += std::int64_t(std::clamp(std::floor(come.sum), 0.0, kCountMax));
  }

  // The delta of the point's metric and place.
  ReportedDelta& delta_of(const InstrumentUse& use, UseHere* here, const Range32& attributes) {
    PointPlace place = here->place;
    read_place(attributes, use, &place);
    if (here->delta != nullptr && place == here->last) return *here->delta;
    std::uint64_t key = hash64(use.metric);
    for (const std::string_view part : place) key = hash64(part, key + 1);
    const auto [found, is_new] = index_.try_emplace(key, nullptr);
    if (is_new) found->second = &new_delta(use, place);
    here->last = place;
    here->delta = found->second;
    return *here->delta;
  }

  ReportedDelta& new_delta(const InstrumentUse& use, const PointPlace& place) {
    const auto part = [&](PlacePart which) {
      const std::string_view text = place[std::size_t(which)].substr(0, kPlaceBytesMax);
      return is_utf8(text) ? std::string(text) : std::string();
    };
    ReportedDelta delta;
    delta.metric = use.metric;
    delta.event = part(PlacePart::Event);
    delta.arm = parse_arm(part(PlacePart::Arm));
    delta.instance = part(PlacePart::Instance);
    delta.session = part(PlacePart::Session);
    delta.unit = part(PlacePart::Unit);
    delta.stratum = part(PlacePart::Stratum);
    const Trust trust = std::max(use.spec.trust, sender_.trust);
    return deltas_[std::size_t(trust)].emplace_back(std::move(delta));
  }

  const DataPoints& points_;
  const OtlpCatalog& catalog_;
  const OtlpSender& sender_;
  Instant now_;
  SeriesTable& series_;
  OtlpReceipt& receipt_;
  std::uint64_t sender_seed_;
  std::vector<std::uint64_t> resource_hashes_;
  std::vector<UseHere> uses_;
  std::unordered_map<std::uint64_t, ReportedDelta*> index_;  // never iterated
  std::array<std::deque<ReportedDelta>, 3> deltas_;          // their addresses are kept above
};

}  // namespace

std::string_view to_string(PointFate fate) {
  return kPointFateNames[std::size_t(fate)];
}

Result<OtlpReceipt> OtlpIntake::take(const DataPoints& points, const OtlpCatalog& catalog,
                                     const OtlpSender& sender, Instant now,
                                     TelemetryIntake* intake) {
  TRY(intake->check_room());
  series_.sweep(now);
  OtlpReceipt receipt;
  const auto deltas = OtlpTaking(points, catalog, sender, now, &series_, &receipt).take();
  for (std::size_t trust = 0; trust < deltas.size(); ++trust) {
    for (const ReportedDelta& delta : deltas[trust]) {
      const DeltaFate fate = intake->add(delta, sender.token, Trust(trust), now);
      ++receipt.deltas.deltas[std::size_t(fate)];
    }
  }
  return receipt;
}

}  // namespace showcaller
