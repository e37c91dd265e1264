// SPDX-License-Identifier: Apache-2.0
// A server behind the SDK's transport that keeps state: flags with a tag, the batches it counted,
// and faults on demand.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "codec/telemetry.h"
#include "flag/flag_set.h"
#include "showcaller/transport.h"

namespace showcaller::sdk {

class FakeServer : public Transport {
 public:
  void set_flags(std::string text) {
    const std::lock_guard lock(mutex_);
    flags_ = std::move(text);
  }
  // What every answer is instead, until cleared with 200. 0: no answer at all.
  void fail_with(int status, std::int64_t retry_after_s = 0) {
    const std::lock_guard lock(mutex_);
    status_ = status;
    retry_after_s_ = retry_after_s;
  }
  // Counts the next batches, but their answers are lost.
  void lose_answers(int count) {
    const std::lock_guard lock(mutex_);
    lose_ = count;
  }

  TransportResponse send(const TransportRequest& request) override {
    const std::lock_guard lock(mutex_);
    ++requests_;
    last_ = request;
    if (status_ == 0) return {.error = "no connection"};
    if (status_ != 200) return {.status = status_, .retry_after_s = retry_after_s_};
    return request.method == "GET" ? snapshot(request) : telemetry(request);
  }

  int requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  int snapshots_sent() {
    const std::lock_guard lock(mutex_);
    return snapshots_sent_;
  }
  TransportRequest last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }
  std::vector<TelemetryBatch> batches() {
    const std::lock_guard lock(mutex_);
    return batches_;
  }
  // Of everything counted: metric/event/arm/instance/unit → n, x.
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> totals() {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> out;
    for (const auto& batch : batches_) {
      for (const auto& d : batch.deltas) {
        const std::string arm = d.arm ? std::string(showcaller::to_string(*d.arm)) : "";
        auto& total = out[d.metric + "/" + d.event + "/" + arm + "/" + d.instance + "/" + d.unit];
        total.first += d.histogram ? std::int64_t(d.histogram->count()) : d.n;
        total.second += d.x;
      }
    }
    return out;
  }

 private:
  TransportResponse snapshot(const TransportRequest& request) {
    const std::string etag = "\"" + std::to_string(std::hash<std::string>()(flags_)) + "\"";
    for (const auto& [name, value] : request.headers) {
      if (name == "If-None-Match" && value == etag) return {.status = 304, .etag = etag};
    }
    ++snapshots_sent_;
    return {.status = 200, .body = flags_, .etag = etag};
  }

  TransportResponse telemetry(const TransportRequest& request) {
    auto batch = decode_telemetry(request.body);
    if (!batch) return {.status = 400, .body = batch.error().message};
    if (counted_.emplace(batch->source, batch->sequence).second)
      batches_.push_back(*std::move(batch));
    if (lose_ > 0) {
      --lose_;
      return {.error = "connection reset"};
    }
    return {.status = 202};
  }

  std::mutex mutex_;
  std::string flags_ = R"({"flags":{}})";
  int status_ = 200;
  std::int64_t retry_after_s_ = 0;
  int lose_ = 0;
  int requests_ = 0;
  int snapshots_sent_ = 0;
  TransportRequest last_;
  std::set<std::pair<std::string, std::int64_t>> counted_;
  std::vector<TelemetryBatch> batches_;
};

}  // namespace showcaller::sdk
