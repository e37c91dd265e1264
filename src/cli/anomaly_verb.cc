// SPDX-License-Identifier: Apache-2.0
#include "cli/anomaly_verb.h"

#include <cmath>
#include <iostream>

#include <fmt/format.h>

#include "analysis/anomaly_detector.h"
#include "analysis/time_series.h"
#include "cli/cli.h"
#include "cli/series_input.h"
#include "cli/text_input.h"

namespace showcaller {
namespace {

std::string line_of(const SeriesRow& row, double score, RowForm form) {
  if (form == RowForm::Csv) {
    return fmt::format("{},{},{:.6f}\n", row.time_text, row.value_text, score);
  }
  json::object line{{"timestamp", row.time_text}, {"value", nullptr}};
  if (!std::isnan(row.value)) line["value"] = row.value;
  line["anomaly_score"] = std::round(score * 1e6) / 1e6;
  return to_json_text(line) + "\n";
}

}  // namespace

Status score_rows(std::istream& in, std::ostream& out, Duration count_step, RowForm form) {
  SeriesReader reader(in, count_step);
  AnomalyDetector detector;
  if (form == RowForm::Csv) out << "timestamp,value,anomaly_score\n";
  while (true) {
    TRY(const auto row, reader.next());
    if (!row) return {};
    out << line_of(*row, detector.score(row->time, row->value), form);
    if (in.rdbuf()->in_avail() <= 0) out.flush();
    // A reader that went away, as head does, wants no more.
    if (!out) return {};
  }
}

int anomaly_verb(const AnomalyRequest& request, OutputForm form) {
  if (form == OutputForm::Yaml)
    return failed({ErrorCode::Invalid, "rows are printed as CSV, or with -o json as JSON Lines"});
  const auto step = parse_step(request.step);
  if (!step) return failed(step.error());
  const Status status = with_text_input(request.file, [&](std::istream& in) {
    const Status scored = score_rows(in, std::cout, step->value_or(hours(1)),
                                     form == OutputForm::Json ? RowForm::JsonLines : RowForm::Csv);
    std::cout.flush();
    return scored;
  });
  return status ? int(kExitOk) : failed(status.error());
}

}  // namespace showcaller
