// SPDX-License-Identifier: Apache-2.0
#include "sim/fault.h"

#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "base/suggest.h"

namespace showcaller::sim {
namespace {

struct Row {
  FaultKind kind;
  std::string_view name;
  double usual, least, most;
  bool harms, of_preparation;
  std::string_view says;
};

using enum FaultKind;
// clang-format off
constexpr auto kRows = std::to_array<Row>({
    {Errors,       "errors",        3,    0.001, 1e6, true,  false, "the canary's sessions go wrong {} times as often"},
    {Crashes,      "crashes",       5,    0.001, 1e6, true,  false, "the canary's sessions crash {} times as often"},
    {Latency,      "latency",       1.5,  0.001, 1e3, true,  false, "all the canary's times are {} times as long"},
    {Tail,         "tail",          1.5,  1, 1e3, true,  false, "the canary's 99th percentile is {} times as long"},
    {Leak,         "leak",          20,   0, 1e6, true,  true,  "the canary's instances run out of memory {} minutes after they began"},
    {SlowStart,    "slow_start",    10,   0, 1e4, false, true,  "whatever starts takes {} times as long"},
    {InstanceLoss, "instance_loss", 0.3,  0, 1,   false, false, "a share {} of all instances dies at once"},
    {HostLoss,     "host_loss",     1,    0, 1,   false, false, "a host is lost"},
    {RegionLoss,   "region_loss",   1,    0, 1,   false, false, "a region is lost"},
    {Blind,        "blind",         1,    0, 1,   false, false, "nothing that is reported arrives, and the driver does not answer"},
    {Skew,         "skew",          0.5,  0, 1,   false, false, "a share {} of the canary's bad news never arrives"},
    {Split,        "split",         0.3,  0, 1,   false, false, "a share {} of those drawn for the canary never arrives"},
    {ClockJump,    "clock_jump",    3600, -1e8, 1e8, false, false, "the clock on the wall jumps by {} s"},
    {DiskFull,     "disk_full",     20,   1, 1e6, false, false, "the journal's disk is full for {} writes"},
    {TornWrite,    "torn_write",    1,    1, 1,   false, false, "the power goes in the middle of a write, and the server starts again"},
    {Restart,      "restart",       30,   0, 1e6, false, false, "the server is away for {} s"},
    {Duplicates,   "duplicates",    1,    0, 1,   false, true,  "reports arrive twice and out of order, commands twice"},
    {Lies,         "lies",          0.2,  0, 1,   false, true,  "a share {} of what the driver accepts never happens"},
    {UndoFails,    "undo_fails",    1,    0, 1,   false, true,  "actions refuse to be undone"},
    {NoApproval,   "no_approval",   1,    0, 1,   false, true,  "nobody approves"},
    {Quota,        "quota",         8,    0, 1e7, false, true,  "the provider gives no more than {} instances"},
    {Herd,         "herd",          3,    0, 1e3, false, false, "{} times as many players come as usual"},
    {Partition,    "partition",     1,    0, 1,   false, false, "a region is cut off from the server: it plays on unseen, and reports afterwards"},
    {Addresses,    "addresses",     4,    0, 1e6, false, true,  "a host has no more than {} addresses for instances"},
    {Writes,       "writes",        0.5,  0, 1e3, false, false, "the game's database takes {} of the best hour's new sessions, and no more"},
    {NoAnswer,     "no_answer",     1,    0, 1,   false, true,  "nobody answers a page"},
});
// clang-format on

constexpr bool rows_are_in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (kRows[i].kind != FaultKind(i)) return false;
  return kRows.size() == kFaultKinds;
}
static_assert(rows_are_in_order());

const Row& row(FaultKind kind) {
  return kRows[std::size_t(kind)];
}

// The part up to the first of the separators; what is left begins with that separator.
std::string_view take_part(std::string_view* text) {
  const std::size_t end = std::min(text->find_first_of(":@+/"), text->size());
  const std::string_view part = text->substr(0, end);
  text->remove_prefix(end);
  return part;
}

std::unexpected<Error> wrong(std::string_view whole, std::string_view what) {
  return fail(ErrorCode::Invalid,
              fmt::format("the fault '{}': {}; write KIND[:SIZE][@FROM][+FOR][/TARGET], as in "
                          "errors:5@10m+20m",
                          whole, what));
}

Status take_size(std::string_view whole, std::string_view part, Fault* fault) {
  double size = 0;
  if (part.starts_with('x')) part.remove_prefix(1);  // "errors:x5"
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), size);
  if (error != std::errc() || end != part.data() + part.size() || !std::isfinite(size))
    return wrong(whole, fmt::format("'{}' is no number", part));
  const Row& of = row(fault->kind);
  if (size < of.least || size > of.most) {
    return wrong(whole,
                 fmt::format("{} takes a size from {:g} to {:g}", of.name, of.least, of.most));
  }
  fault->size = size;
  return {};
}

}  // namespace

std::string_view to_string(FaultKind kind) {
  return row(kind).name;
}
std::string_view describe(FaultKind kind) {
  return row(kind).says;
}
double usual_size(FaultKind kind) {
  return row(kind).usual;
}
bool harms_players(FaultKind kind) {
  return row(kind).harms;
}
bool is_of_preparation(FaultKind kind) {
  return row(kind).of_preparation;
}
bool strikes_once(FaultKind kind) {
  return kind == ClockJump || kind == DiskFull || kind == TornWrite || kind == Restart ||
         kind == InstanceLoss;
}
bool needs_a_build(FaultKind kind) {
  return kind == Leak || kind == Split || kind == SlowStart || kind == InstanceLoss ||
         kind == HostLoss || kind == RegionLoss || kind == Quota || kind == Lies ||
         kind == Partition || kind == Addresses;
}

Result<Fault> parse_fault(std::string_view whole) {
  std::string_view text = whole;
  const std::string_view name = take_part(&text);
  Fault fault;
  const auto found = std::find_if(kRows.begin(), kRows.end(),
                                  [&](const Row& candidate) { return candidate.name == name; });
  if (found == kRows.end()) {
    std::vector<std::string> names;
    for (const Row& known : kRows) names.emplace_back(known.name);
    const auto near = nearest_word(name, names);
    return wrong(whole, fmt::format("there is no kind '{}'{}", name,
                                    near ? ", did you mean '" + *near + "'?" : ""));
  }
  fault.kind = found->kind;
  fault.size = found->usual;
  while (!text.empty()) {
    const char separator = text.front();
    text.remove_prefix(1);
    if (separator == '/') {
      fault.target = text;
      break;
    }
    const std::string_view part = take_part(&text);
    if (separator == ':') {
      TRY(take_size(whole, part, &fault));
      continue;
    }
    const auto duration = parse_duration(part);
    if (!duration) return wrong(whole, duration.error().message);
    if (separator == '@')
      fault.from = *duration;
    else
      fault.lasts = *duration;
  }
  return fault;
}

std::string to_text(const Fault& fault) {
  std::string out(to_string(fault.kind));
  if (fault.size != usual_size(fault.kind)) out += fmt::format(":{}", fault.size);
  if (fault.from != Duration{}) out += "@" + format_duration(fault.from);
  if (fault.lasts) out += "+" + format_duration(*fault.lasts);
  if (!fault.target.empty()) out += "/" + fault.target;
  return out;
}

}  // namespace showcaller::sim
