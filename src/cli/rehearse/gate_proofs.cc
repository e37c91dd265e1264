// SPDX-License-Identifier: Apache-2.0
#include "cli/rehearse/gate_proofs.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include "cli/cli.h"
#include "cli/client_answers.h"
#include "model/gate_hash.h"
#include "model/manifest/manifest_from_json.h"
#include "net/http_message.h"

namespace showcaller {
namespace {

constexpr double kSame = 1e-9;  // of margins that are written in two ways

ProveGateCommand proof_of(const std::string& event, const GateSpec& gate, ProofMethod method,
                          std::int64_t runs, std::string verdict) {
  return {event, gate.name, gate_hash(gate), method, runs, std::move(verdict)};
}

// Whether the stage line judged what the gate says. A margin in points is a ratio only by each
// stage's own baseline, and what is absolute no recording has.
bool judged_as(const json::object& stage, const GateSpec& gate) {
  const json::value* metrics = stage.if_contains("metrics");
  if (!gate.worse_by_at_most_ratio || !metrics || !metrics->is_array()) return false;
  for (const json::value& each : metrics->get_array()) {
    if (!each.is_object() || get_string(each.get_object(), "name") != gate.name) continue;
    const json::object& metric = each.get_object();
    const auto same = [&](std::string_view key, const std::optional<double>& asked) {
      return !asked || std::abs(get_double(metric, key) - *asked) < kSame;
    };
    return same("worse_by_at_most", gate.worse_by_at_most_ratio) &&
           same("must_detect", gate.must_detect);
  }
  return false;
}

bool failed_by(const BacktestedStage& stage, const std::string& gate) {
  const json::value* metric = stage.metrics.if_contains(gate);
  return metric && metric->is_object() && get_string(metric->get_object(), "verdict") == "fail";
}

}  // namespace

GateProofs proven_by_rehearsal(const std::string& event, const LiveEventSpec& spec,
                               const json::object& report) {
  GateProofs out;
  const std::int64_t clean = get_int(report.at("clean").as_object(), "runs");
  if (get_string(report, "verdict") != "pass") {
    out.not_proven = {fmt::format("the rehearsal of {} did not pass, and proves no gate", event)};
  } else if (clean < kGoodOnesProving) {
    out.not_proven = {fmt::format(
        "the rehearsal of {} made {} of the {} clean runs that prove a gate; give --runs {}", event,
        clean, kGoodOnesProving, 3 * kGoodOnesProving)};
  }
  if (!out.not_proven.empty()) return out;
  for (const GateSpec& gate : spec.gates) {
    std::int64_t found = 0, faulty = 0;
    for (const json::value& fault : report.at("faults").as_array()) {
      const std::int64_t caught = get_int(fault.at("caught_by").as_object(), gate.name);
      found += caught;
      faulty += caught > 0 ? get_int(fault.as_object(), "runs") : 0;
    }
    if (found == 0) {
      out.not_proven.push_back(fmt::format(
          "gate {} of {} was the first to fail in no run; rehearse a --fault that it is there for",
          gate.name, event));
      continue;
    }
    out.proven.push_back(proof_of(
        event, gate, ProofMethod::Rehearsal, get_int(report, "runs"),
        fmt::format("the first to fail in {} of {} runs of what it found; {} clean runs went live; "
                    "seed {}",
                    found, faulty, clean, get_int(report, "seed"))));
  }
  return out;
}

GateProofs proven_by_backtest(const std::string& event, const LiveEventSpec& spec,
                              std::span<const BacktestedStage> stages) {
  GateProofs out;
  if (std::ranges::any_of(stages, &BacktestedStage::wrong)) {
    out.not_proven = {"something good was undone or something bad missed, which proves no gate"};
    return out;
  }
  for (const GateSpec& gate : spec.gates) {
    std::int64_t good = 0, bad = 0, found = 0;
    for (const BacktestedStage& stage : stages) {
      if (!judged_as(stage.stage, gate)) continue;
      (stage.bad ? bad : good) += 1;
      found += stage.bad && failed_by(stage, gate.name) ? 1 : 0;
    }
    if (good < kGoodOnesProving || found == 0) {
      out.not_proven.push_back(fmt::format(
          "gate {} was judged with its margin in {} good recordings and found something in {} of "
          "{} bad ones; it takes {} and 1",
          gate.name, good, found, bad, kGoodOnesProving));
      continue;
    }
    out.proven.push_back(
        proof_of(event, gate, ProofMethod::Backtest, good + bad,
                 fmt::format("found {} of {} bad recordings, undid none of {} good ones", found,
                             bad, good)));
  }
  return out;
}

Result<Manifest> event_on_server(const ClientContext& context, const std::string& name) {
  TRY(ApiClient client, ApiClient::open(context.address));
  TRY(const json::value answer, client.get("/api/v1/manifests/LiveEvent/" + percent_encode(name)));
  const json::value* document =
      answer.is_object() ? answer.get_object().if_contains("document") : nullptr;
  if (!document || !document->is_object())
    return fail(ErrorCode::Internal, "the server's manifest has no document");
  return manifest_from_json(document->get_object());
}

int record_proofs(const ClientContext& context, const GateProofs& proofs) {
  for (const std::string& why : proofs.not_proven)
    std::fputs(fmt::format("not recorded: {}\n", why).c_str(), stderr);
  if (proofs.proven.empty()) return kExitOk;
  return with_server(context, [&](ApiClient& client) {
    for (const ProveGateCommand& proof : proofs.proven) {
      json::object body{{"gate", proof.gate},
                        {"hash", proof.hash},
                        {"method", enum_name(proof.method)},
                        {"runs", proof.runs},
                        {"verdict", proof.verdict}};
      if (!context.reason.empty()) body["reason"] = context.reason;
      const auto receipt =
          client.post(fmt::format("/api/v1/events/{}/prove", percent_encode(proof.event)), body,
                      context.key.empty() ? "" : context.key + "/" + proof.gate);
      if (!receipt) return failed(receipt.error());
      std::fputs(fmt::format("recorded: gate {} of {} is proven: {}\n", proof.gate, proof.event,
                             proof.verdict)
                     .c_str(),
                 stderr);
    }
    return int(kExitOk);
  });
}

}  // namespace showcaller
