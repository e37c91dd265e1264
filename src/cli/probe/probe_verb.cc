// SPDX-License-Identifier: Apache-2.0
#include "cli/probe/probe_verb.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "cli/cli.h"
#include "cli/client_answers.h"
#include "cli/probe/own_prober.h"
#include "cli/serve/otlp_words.h"
#include "cli/signals.h"
#include "codec/telemetry.h"
#include "flow/probe_schedule.h"
#include "host/probe_runner.h"
#include "model/manifest/manifest.h"

namespace showcaller {
namespace {

using ProbeClock = std::chrono::steady_clock;
constexpr auto kAskEvery = std::chrono::seconds(10);  // what there is to do
constexpr auto kLookEvery = std::chrono::milliseconds(50);

Result<ProbeCall> call_from(const json::object& work, const std::string& region) {
  const json::value* document = get_if(work, "document");
  if (!document || !document->is_object())
    return fail(ErrorCode::Invalid, "the server's answer has no probe; is it of another version?");
  TRY(const Manifest manifest, manifest_from_json(document->get_object()));
  if (manifest.kind() != Kind::Probe)
    return fail(ErrorCode::Invalid, fmt::format("{} is no Probe", manifest.key()));
  return ProbeCall{manifest.name, region, get_string(work, "base_url"),
                   get_string(work, "traceparent"), manifest.as<ProbeSpec>()};
}

// What the server wants made from the region.
Result<std::vector<ProbeCall>> work_of(ApiClient& client, const ProbeRequest& request) {
  TRY(const json::value answer,
      client.get(fmt::format("/api/v1/probes/{}/work", percent_encode(request.region))));
  std::vector<ProbeCall> out;
  for (const json::value& one : answer.as_array()) {
    TRY(ProbeCall call, call_from(one.as_object(), request.region));
    const bool asked = request.names.empty() ||
                       std::ranges::find(request.names, call.probe) != request.names.end();
    if (asked) out.push_back(std::move(call));
  }
  return out;
}

// By name, wherever it is made from: for a journey at once.
Result<ProbeCall> named(ApiClient& client, const std::string& name, const std::string& region) {
  TRY(const json::value answer, client.get("/api/v1/manifests/Probe/" + percent_encode(name)));
  json::object work{{"document", answer.as_object().at("document")}};
  TRY(ProbeCall call, call_from(work, region));
  if (call.spec.service.empty()) return call;
  TRY(const json::value service,
      client.get("/api/v1/manifests/Service/" + percent_encode(call.spec.service)));
  const auto* spec = service.as_object().at("document").as_object().if_contains("spec");
  if (spec && spec->is_object()) call.base_url = get_string(spec->get_object(), "url");
  return call;
}

json::object result_view(const ProbeCall& call, const ProbeResult& result) {
  json::array steps;
  for (const ProbeStepResult& step : result.steps)
    steps.push_back({{"step", step.step}, {"ms", step.took.count()}, {"wrong", step.wrong}});
  return {{"probe", call.probe},       {"good", result.good()},       {"wrong", result.wrong},
          {"ms", result.took.count()}, {"journeys", result.journeys}, {"steps", std::move(steps)}};
}

// As OpenTelemetry's own variables say; null: no collector is named.
Result<std::unique_ptr<OtlpExporter>> open_exporter(const std::string& region) {
  TRY(auto options, otlp_from_words("", process_environment));
  if (!options) return nullptr;
  add_own_resource(&options->resource, "prober/" + region);
  return std::make_unique<OtlpExporter>(*std::move(options));
}

int run_once(ApiClient& client, const ClientContext& context, const ProbeRequest& request,
             SpanSink* spans) {
  OwnProber prober(spans);
  json::array out;
  bool good = true;
  for (const std::string& name : request.names) {
    const auto call = named(client, name, request.region);
    if (!call) return failed(call.error());
    const ProbeResult result = prober.journeys.make(*call);
    good = good && result.good();
    out.push_back(result_view(*call, result));
  }
  print_value(out, context.form, {"probe", "good", "ms", "journeys", "wrong"});
  return good ? kExitOk : kExitRefused;
}

// The prober of a region: asks what there is to do, makes what is due, reports what came of it.
class RegionProber {
 public:
  RegionProber(ApiClient client, ProbeRequest request, SpanSink* spans)
      : client_(std::move(client)),
        request_(std::move(request)),
        source_(new_idempotency_key()),
        prober_(spans) {}

  void run(const std::stop_token& stop) {
    auto ask_at = ProbeClock::now();
    while (!stop.stop_requested()) {
      if (ProbeClock::now() >= ask_at) {
        ask();
        ask_at = ProbeClock::now() + kAskEvery;
      }
      make_due();
      report(take_finished());
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, kLookEvery, [this] { return !finished_.empty(); });
    }
  }

 private:
  struct Due {
    ProbeCall call;
    ProbeClock::time_point at{};
    std::uint64_t journey = 1;
    bool under_way = false, wanted = true;
  };
  struct Finished {
    std::string probe;
    ProbeResult result;
  };

  void ask() {
    auto work = work_of(client_, request_);
    tell(work ? Status() : std::unexpected(work.error()));
    if (!work) return;  // Goes on with what it knows.
    std::lock_guard lock(mutex_);
    for (auto& [name, due] : due_) due.wanted = false;
    for (ProbeCall& call : *work) {
      Due& due = due_[call.probe];
      due.call = std::move(call);
      due.wanted = true;
    }
    std::erase_if(due_,
                  [](const auto& one) { return !one.second.wanted && !one.second.under_way; });
  }

  void make_due() {
    std::vector<ProbeCall> calls;
    {
      std::lock_guard lock(mutex_);
      for (auto& [name, due] : due_) {
        if (due.under_way || !due.wanted || ProbeClock::now() < due.at) continue;
        due.under_way = true;
        calls.push_back(due.call);
      }
    }
    for (const ProbeCall& call : calls) {
      prober_.journeys.run(call, [this, name = call.probe](ProbeResult result) {
        std::lock_guard lock(mutex_);
        Due& due = due_[name];
        due.under_way = false;
        due.at = ProbeClock::now() +
                 std::chrono::milliseconds(
                     pause_before(due.call.spec, name, request_.region, ++due.journey).count());
        if (result.journeys > 0) finished_.push_back({name, std::move(result)});
        changed_.notify_all();
      });
    }
  }

  std::deque<Finished> take_finished() {
    std::lock_guard lock(mutex_);
    return std::exchange(finished_, {});
  }

  // What cannot be reported is told, and left: the next outcome is newer.
  void report(const std::deque<Finished>& finished) {
    if (finished.empty()) return;
    TelemetryBatch batch;
    batch.source = source_;
    batch.sequence = ++sequence_;
    batch.trust = Trust::Probe;
    for (const Finished& one : finished) {
      for (const ReportedDelta& delta : deltas_of(one.probe, request_.region, one.result)) {
        TelemetryDelta& out = batch.deltas.emplace_back();
        out.metric = delta.metric;
        out.stratum = delta.stratum;
        out.n = delta.n;
        out.x = delta.x;
        out.histogram = delta.histogram;
      }
      if (!one.result.good()) fmt::print(stderr, "{} fails: {}\n", one.probe, one.result.wrong);
    }
    const auto body = parse_json(encode_telemetry(batch));
    if (!body) return tell(std::unexpected(body.error()));
    const auto told = client_.post("/api/v1/telemetry", *body);
    tell(told ? Status() : std::unexpected(told.error()));
  }

  // Once an outage.
  void tell(const Status& status) {
    const std::string message = status ? "" : status.error().message;
    if (message == told_) return;
    if (!message.empty()) fmt::print(stderr, "{}\n", message);
    if (message.empty()) fmt::print(stderr, "the server answers again\n");
    told_ = message;
  }

  ApiClient client_;
  const ProbeRequest request_;
  const std::string source_;
  std::int64_t sequence_ = 0;
  std::string told_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, Due> due_;
  std::deque<Finished> finished_;
  OwnProber prober_;  // Ends first: its outcomes come here.
};

}  // namespace

int run_probes_verb(const ClientContext& context, const ProbeRequest& request) {
  if (request.once && request.names.empty())
    return failed({ErrorCode::Invalid, "a journey at once is of one probe; name it"});
  if (!request.once && request.region.empty())
    return failed({ErrorCode::Invalid, "say with --region where this is, or --once"});
  if (!request.once) block_end_signals();
  auto client = ApiClient::open(context.address);
  if (!client) return failed(client.error());
  const auto exporter = open_exporter(request.region);
  if (!exporter) return failed(exporter.error());
  if (request.once) return run_once(*client, context, request, exporter->get());
  RegionProber prober(*std::move(client), request, exporter->get());
  std::jthread thread([&prober](const std::stop_token& stop) { prober.run(stop); });
  wait_for_end_signal();
  return kExitOk;
}

}  // namespace showcaller
