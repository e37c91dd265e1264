// SPDX-License-Identifier: Apache-2.0
// Port: what answers a metric's queries, a server such as Prometheus.
//
// Threads: ask() by any, and it never blocks; done is called exactly once, on any thread, also when
// the port closes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace showcaller {

// One series of an instant query's answer.
struct QuerySample {
  std::string series;  // its labels, in one order: what a count is told from another by
  std::string group;   // who counted: the label `instance`, where there is one
  double value = 0;
};

class MetricQueries {
 public:
  virtual ~MetricQueries() = default;

  // Unavailable: nobody answers, or not in time. Invalid: the query is refused, or is no instant
  // vector of numbers. Limit: more series than allowed. The message says which server and why.
  using Done = std::function<void(Result<std::vector<QuerySample>>)>;
  virtual void ask(const std::string& query, Done done) = 0;
};

}  // namespace showcaller
