// SPDX-License-Identifier: Apache-2.0
// The table of a Probe, and what has to hold in one.
#include <set>

#include <fmt/format.h>

#include "model/manifest/shapes.h"
#include "model/manifest/validate.h"
#include "model/probe_metrics.h"

namespace showcaller::manifest {
namespace {

constexpr std::size_t kStepsMax = 32;
constexpr std::string_view kStepKinds[] = {"http", "tcp", "udp", "grpc", "script"};

const Shape<HttpProbeStep>& http_step_shape() {
  static const Shape<HttpProbeStep> shape(
      "HttpProbeStep", "A request over HTTP.",
      {field("method", &HttpProbeStep::method,
             choice<std::string>({{"GET", "GET"},
                                  {"HEAD", "HEAD"},
                                  {"POST", "POST"},
                                  {"PUT", "PUT"},
                                  {"PATCH", "PATCH"},
                                  {"DELETE", "DELETE"}}),
             "What is asked for.")
           .assumed("GET"),
       field("url", &HttpProbeStep::url, text(), "Whole, or a path below the Service's URL.")
           .needed(),
       field("headers", &HttpProbeStep::headers, map_of(any_scalar_text()), "Sent with it.")
           .assumed("{}"),
       field("body", &HttpProbeStep::body, text(), "Sent with it; JSON unless a header says other.")
           .derived_as("none")});
  return shape;
}

const Shape<TcpProbeStep>& tcp_step_shape() {
  static const Shape<TcpProbeStep> shape(
      "TcpProbeStep", "A connection over TCP.",
      {field("address", &TcpProbeStep::address, text(), "host:port.").needed(),
       field("send", &TcpProbeStep::send, text(), "What is said there; the answer is read.")
           .derived_as("nothing: it accepts a connection")});
  return shape;
}

const Shape<UdpProbeStep>& udp_step_shape() {
  static const Shape<UdpProbeStep> shape(
      "UdpProbeStep", "A datagram, and the one that answers it.",
      {field("address", &UdpProbeStep::address, text(), "host:port.").needed(),
       field("send", &UdpProbeStep::send, text(), "What the datagram says.")
           .assumed("showcaller probe")});
  return shape;
}

const Shape<GrpcProbeStep>& grpc_step_shape() {
  static const Shape<GrpcProbeStep> shape(
      "GrpcProbeStep", "grpc.health.v1: it has to be SERVING.",
      {field("address", &GrpcProbeStep::address, text(), "host:port.").needed(),
       field("service", &GrpcProbeStep::service, text(), "The service that is asked about.")
           .derived_as("the server as a whole"),
       field("tls", &GrpcProbeStep::tls, boolean(),
             "By TLS, and the certificate has to be one that the prober's machine trusts.")
           .assumed("false")});
  return shape;
}

const Shape<ScriptProbeStep>& script_step_shape() {
  static const Shape<ScriptProbeStep> shape(
      "ScriptProbeStep", "A program that plays; it ends with 0 when all was well.",
      {field("command", &ScriptProbeStep::command, list(any_scalar_text(), 256),
             "The program and its arguments; no shell.")
           .needed(),
       field("env", &ScriptProbeStep::env, map_of(any_scalar_text()),
             "Its environment, beside PATH, LANG and TRACEPARENT.")
           .assumed("{}")});
  return shape;
}

const Shape<ProbeExpectation>& expectation_of_step_shape() {
  static const Shape<ProbeExpectation> shape(
      "ProbeExpectation", "What the answer has to be like.",
      {field("status", &ProbeExpectation::status, list(integer(0, 999), 32),
             "HTTP status codes, or exit codes of a script.")
           .derived_as("200 to 299; 0"),
       field("contains", &ProbeExpectation::contains, text(), "A text that it holds.")
           .derived_as("any"),
       field("json", &ProbeExpectation::json, map_of(any_json()),
             "JSON pointer → what stands there.")
           .assumed("{}"),
       field_with<ProbeExpectation, Duration>(
           "within", positive_duration(),
           [](ProbeExpectation* expect, Duration within) { expect->within = within; },
           "It takes no longer.")
           .derived_as("the probe's timeout")});
  return shape;
}

template <class Step>
Field<ProbeStep> kind_of_step(std::string key, const Shape<Step>& shape, std::string says) {
  return alternative<ProbeStep, Step>(
      std::move(key), shape, [](ProbeStep* step, Step what) { step->what = std::move(what); },
      std::move(says));
}

void finish_step(Reader& reader, const Node& node, ProbeStep* step) {
  int kinds = 0;
  for (const std::string_view kind : kStepKinds) {
    if (node.find(kind) == nullptr) continue;
    ++kinds;
    if (step->name.empty()) step->name = kind;
  }
  if (kinds != 1)
    reader.error(node.position, fmt::format("a step is one thing, and this one says {}", kinds),
                 "write one of http, tcp, udp, grpc, script");
  for (const auto& [name, pointer] : step->keep) {
    if (pointer.empty() || pointer.starts_with('/')) continue;
    reader.error_below(node, "keep." + name, "this is no JSON pointer",
                       "write `/session/id`, from the top of the answer");
  }
  for (const auto& [pointer, value] : step->expect.json) {
    if (pointer.empty() || pointer.starts_with('/')) continue;
    reader.error_below(node, "expect.json", fmt::format("'{}' is no JSON pointer", pointer),
                       "write `/state`, from the top of the answer");
  }
}

const Shape<ProbeStep>& step_shape() {
  static const Shape<ProbeStep> shape(
      "ProbeStep", "One step of the journey: one of http, tcp, udp, grpc, script.",
      {field("name", &ProbeStep::name, dns_label(), "Unique in the probe.")
           .derived_as("what it is, with a number"),
       kind_of_step("http", http_step_shape(), "A request over HTTP."),
       kind_of_step("tcp", tcp_step_shape(), "A connection over TCP."),
       kind_of_step("udp", udp_step_shape(), "A datagram and its answer."),
       kind_of_step("grpc", grpc_step_shape(), "gRPC's health check."),
       kind_of_step("script", script_step_shape(), "A program that plays."),
       object_field("expect", &ProbeStep::expect, expectation_of_step_shape(),
                    "What the answer has to be like."),
       field("keep", &ProbeStep::keep, map_of(bare_text("a JSON pointer such as /session")),
             "Name → JSON pointer into the answer; later steps say ${name}.")
           .assumed("{}")},
      finish_step);
  return shape;
}

void finish_probe(Reader& reader, const Node& node, ProbeSpec* probe) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < probe->steps.size(); ++i) {
    std::string& name = probe->steps[i].name;
    const bool derived = std::ranges::find(kStepKinds, name) != std::end(kStepKinds);
    if (derived) name = fmt::format("{}-{}", name, i + 1);
    if (!names.insert(name).second)
      reader.error_below(node, "steps", fmt::format("two steps are called '{}'", name),
                         "give them other names");
  }
  if (probe->timeout > probe->every)
    reader.error_below(node, "timeout", "a journey may take longer than until the next one",
                       "make `timeout` at most `every`");
}

}  // namespace

const Shape<ProbeSpec>& probe_shape() {
  static const Shape<ProbeSpec> shape(
      "Probe", "A synthetic player's journey, made again and again.",
      {field("service", &ProbeSpec::service, dns_label(), "The Service whose URL paths lie below.")
           .derived_as("none: URLs are whole"),
       field("every", &ProbeSpec::every, positive_duration(), "How often.").assumed("30s"),
       field("jitter", &ProbeSpec::jitter_ppm, percent(), "Of `every`, sooner or later by chance.")
           .assumed("10%"),
       field("timeout", &ProbeSpec::timeout, positive_duration(), "Of the whole journey.")
           .assumed("10s"),
       field("retries", &ProbeSpec::retries, integer(0, 10),
             "How often a journey that failed is made again at once; the last one counts.")
           .assumed("1"),
       field("failures", &ProbeSpec::failures, integer(1, 100),
             "So many in a row from one place, and it is not ready.")
           .assumed("2"),
       field("regions", &ProbeSpec::regions, list(dns_label(), 64),
             "Where it is made from: by a server or a `showcaller probe run` of that region.")
           .derived_as("wherever the server is"),
       list_field("steps", &ProbeSpec::steps, step_shape(), "The journey, in order.", kStepsMax)
           .needed()},
      finish_probe);
  return shape;
}

void validate_probe(Reader& reader, const Draft& draft, const References& references) {
  const auto& probe = draft.manifest.as<ProbeSpec>();
  if (probe.steps.empty())
    reader.error_at(draft.root, "spec.steps", "the journey has no step",
                    "add one such as `- http: { url: \"http://127.0.0.1:8080/healthz\" }`");
  const bool has_service =
      !probe.service.empty() &&
      references.require(reader, draft.root, "spec.service", Kind::Service, probe.service);
  for (std::size_t i = 0; i < probe.steps.size(); ++i) {
    const std::string path = fmt::format("spec.steps[{}]", i);
    const auto* http = std::get_if<HttpProbeStep>(&probe.steps[i].what);
    const auto* script = std::get_if<ScriptProbeStep>(&probe.steps[i].what);
    if (http && http->url.starts_with('/') && !has_service && probe.service.empty())
      reader.error_at(draft.root, path + ".http.url", "a path, and no Service that it lies below",
                      "write the whole URL, or add `service:`");
    if (script && (script->command.empty() || script->command.front().empty()))
      reader.error_at(draft.root, path + ".script.command", "there is no program to run",
                      "write the program and its arguments as a list");
  }
}

void check_probe_of_metric(Reader& reader, const References& references, const Node& root,
                           std::string_view path, std::string_view metric) {
  const auto probe = probe_of_metric(metric);
  if (!probe || references.find(Kind::Metric, metric) != nullptr ||
      references.find(Kind::Probe, *probe) != nullptr)
    return;
  for (const Manifest* service : references.all(Kind::Service)) {
    const auto& probes = service->as<ServiceSpec>().probes;
    if (std::ranges::find(probes, *probe) != probes.end()) return;
  }
  references.report_missing(reader, root, path, fmt::format("there is no Probe '{}'", *probe),
                            suggestion(*probe, references.names(Kind::Probe)));
}

}  // namespace showcaller::manifest
