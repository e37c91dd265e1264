// SPDX-License-Identifier: Apache-2.0
#include "sim/report_html.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace showcaller::sim {
namespace {

constexpr double kWidth = 640, kHeight = 200, kLeft = 56, kRight = 12, kTop = 10, kBottom = 28;
constexpr std::string_view kColours[] = {"#2563eb", "#d97706", "#059669",
                                         "#dc2626", "#7c3aed", "#0891b2"};

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Rehearsal</title><style>
:root { color-scheme: light dark; --ink: #1f2937; --paper: #fff; --line: #d1d5db; --soft: #6b7280 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e5e7eb; --paper: #111827; --line: #374151; --soft: #9ca3af } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 1360px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem;
       border-bottom: 1px solid var(--line); vertical-align: top } td.n { text-align: right }
.pass { color: #059669 } .thin { color: #d97706 } .fail { color: #dc2626 } .soft { color: var(--soft) }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 1rem }
figure { margin: 0 } figcaption { font-weight: 600 } svg { width: 100%; height: auto }
svg text { fill: var(--soft); font-size: 11px } code { font-size: .85em }
</style></head><body>
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  // minutes, value
  bool stepped = false;
};

struct Extent {
  double from = 0, to = 1;
  void take(double value) {
    from = std::min(from, value);
    to = std::max(to, value);
  }
  double part(double value) const { return (value - from) / (to - from); }
};

// A round step so that about `wanted` ticks fit.
double tick_step(double range, int wanted) {
  const double rough = range / wanted;
  const double ten = std::pow(10, std::floor(std::log10(rough)));
  for (const double times : {1.0, 2.0, 5.0}) {
    if (rough <= times * ten) return times * ten;
  }
  return 10 * ten;
}

std::string line_of(const Series& series, const Extent& x, const Extent& y,
                    std::string_view colour) {
  std::string path;
  double last_y = 0;
  for (const auto& [at, value] : series.points) {
    const double px = kLeft + x.part(at) * (kWidth - kLeft - kRight);
    const double py = kHeight - kBottom - y.part(value) * (kHeight - kTop - kBottom);
    if (series.stepped && !path.empty()) path += fmt::format("L{:.1f} {:.1f}", px, last_y);
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? 'M' : 'L', px, py);
    last_y = py;
  }
  return fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\"/>", path,
                     colour);
}

std::string axes(const Extent& x, const Extent& y, std::string_view x_unit) {
  std::string out;
  const double across = tick_step(x.to - x.from, 6), up = tick_step(y.to - y.from, 4);
  for (double at = std::ceil(x.from / across) * across; at <= x.to; at += across) {
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:g}{}</text>",
                       kLeft + x.part(at) * (kWidth - kLeft - kRight), kHeight - 8, at, x_unit);
  }
  for (double at = std::ceil(y.from / up) * up; at <= y.to + 1e-9; at += up) {
    const double py = kHeight - kBottom - y.part(at) * (kHeight - kTop - kBottom);
    out += fmt::format(
        "<line x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"var(--line)\"/>"
        "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:g}</text>",
        kLeft, kWidth - kRight, py, py, kLeft - 6, py + 4, at);
  }
  return out;
}

std::string chart(std::string_view title, const std::vector<Series>& all) {
  Extent x{1e300, -1e300}, y;
  std::string keys;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const auto& [at, value] : all[i].points) {
      x.take(at);
      y.take(value);
    }
    keys += fmt::format(" <span style=\"color:{}\">&#9632; {}</span>", kColours[i % 6],
                        escaped(all[i].name));
  }
  if (x.to <= x.from) return {};  // Nothing was seen.
  std::string out = fmt::format(
      "<figure><figcaption>{}</figcaption><div>{}</div><svg viewBox=\"0 0 {} {}\" role=\"img\">{}",
      escaped(title), keys, kWidth, kHeight, axes(x, y, " min"));
  for (std::size_t i = 0; i < all.size(); ++i) out += line_of(all[i], x, y, kColours[i % 6]);
  return out + "</svg></figure>\n";
}

double in_minutes(Duration d) {
  return double(d.count()) / 60'000;
}

std::string charts_of(const ToldRun& told) {
  Series players{"all", {}}, canary{"on the canary", {}}, exposure{"share admitted, %", {}, true},
      headroom{"free over used", {}};
  for (const Sample& sample : told.run.samples) {
    const double at = in_minutes(sample.at);
    players.points.emplace_back(at, double(sample.players));
    canary.points.emplace_back(at, double(sample.canary_players));
    exposure.points.emplace_back(at, double(sample.exposure_ppm) / 10'000);
    headroom.points.emplace_back(at, sample.headroom);
  }
  std::map<std::string, Series> evidence;
  for (const EvidencePoint& point : told.run.evidence) {
    const std::string name = point.stream.substr(point.stream.rfind('/') + 1) + " " + point.metric;
    evidence[name].points.emplace_back(in_minutes(point.at), point.log10_e);
  }
  std::vector<Series> looks;
  for (auto& [name, series] : evidence) {
    series.name = name;
    looks.push_back(std::move(series));
  }
  return fmt::format(
      "<h2>A run: {}</h2><p class=\"soft\">{} after {}; seed {}</p>"
      "<div class=\"charts\">{}{}{}{}</div>",
      escaped(told.title), escaped(to_string(told.run.ending)), format_duration(told.run.took),
      told.run.seed, chart("Players", {players, canary}), chart("Exposure", {exposure}),
      chart("Headroom", {headroom}),
      looks.empty() ? "" : chart("Evidence against the canary, log10 E", looks));
}

std::string spread_cell(const json::object& row, std::string_view key) {
  const json::value* spread = row.if_contains(key);
  if (!spread || !spread->is_object()) return "<td></td>";
  const json::object& s = spread->get_object();
  return fmt::format("<td class=\"n\">{:.0f} / {:.0f} / {:.0f}</td>", get_double(s, "median"),
                     get_double(s, "p99"), get_double(s, "worst"));
}

std::string counts_cell(const json::object& counts) {
  std::string out;
  for (const auto& [name, count] : counts)
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count.as_int64(),
                       escaped(std::string_view(name)));
  return "<td>" + out + "</td>";
}

std::string faults_table(const json::array& faults) {
  std::string out =
      "<h2>Faults</h2><table><tr><th>fault<th>what<th>ended<th>caught by<th>after"
      "<th>harmed players<br><span class=\"soft\">median / p99 / "
      "worst</span><th>player-seconds</tr>";
  for (const json::value& value : faults) {
    const json::object& fault = value.as_object();
    out += fmt::format(
        "<tr><td><code>{}</code><td class=\"soft\">{}</td>{}{}<td>{}</td>{}{}</tr>",
        escaped(get_string(fault, "fault")), escaped(get_string(fault, "says")),
        counts_cell(fault.at("endings").as_object()),
        counts_cell(fault.at("caught_by").as_object()), escaped(get_string(fault, "found_after")),
        spread_cell(fault, "harmed_players"), spread_cell(fault, "harm_player_seconds"));
  }
  return out + "</table>";
}

std::string stages_table(const json::array& stages) {
  std::string out =
      "<h2>Stages</h2><table><tr><th>stage<th>exposure<th>lasts<th>harmed players<br>"
      "<span class=\"soft\">median / p99 / worst</span><th>player-seconds<th>sessions refused</tr>";
  for (const json::value& value : stages) {
    const json::object& stage = value.as_object();
    out += fmt::format("<tr><td>{}<td>{:.4g} %<td>{}</td>{}{}{}</tr>",
                       escaped(get_string(stage, "stage")), 100 * get_double(stage, "exposure"),
                       get_string(stage, "lasts"), spread_cell(stage, "harmed_players"),
                       spread_cell(stage, "harm_player_seconds"),
                       spread_cell(stage, "sessions_refused"));
  }
  return out + "</table>";
}

std::string list_of(std::string_view title, const json::array& lines) {
  if (lines.empty()) return {};
  std::string out = fmt::format("<h2>{}</h2><ul>", title);
  for (const json::value& line : lines) {
    if (line.is_string()) {
      out += "<li>" + escaped(std::string_view(line.get_string()));
      continue;
    }
    const json::object& surprise = line.as_object();
    out +=
        fmt::format("<li>{} ({}): {}<br><code>{}</code>", escaped(get_string(surprise, "fault")),
                    escaped(get_string(surprise, "ending")), escaped(get_string(surprise, "why")),
                    escaped(get_string(surprise, "replay")));
  }
  return out + "</ul>";
}

}  // namespace

std::string report_html(const json::object& report, std::span<const ToldRun> told) {
  const std::string verdict = get_string(report, "verdict");
  const json::object& live = report.at("clean").as_object().at("live").as_object();
  std::string out(kHead);
  out += fmt::format(
      "<h1>{}: <span class=\"{}\">{}</span></h1><p>{} runs. With nothing wrong {} of {} went live "
      "(at 95 %: {:.0f} to {:.0f} %).</p>",
      escaped(get_string(report, "event")), verdict, verdict, get_int(report, "runs"),
      get_int(live, "count"), get_int(live, "of"), 100 * get_double(live, "at_least"),
      100 * get_double(live, "at_most"));
  out += list_of("Why", report.at("why").as_array());
  out += list_of("Advice", report.at("advice").as_array());
  out += stages_table(report.at("stages").as_array());
  out += faults_table(report.at("faults").as_array());
  for (const ToldRun& run : told) out += charts_of(run);
  out += list_of("Surprises", report.at("surprises").as_array());
  return out + "</body></html>\n";
}

}  // namespace showcaller::sim
