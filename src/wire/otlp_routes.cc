// SPDX-License-Identifier: Apache-2.0
// OTLP/HTTP in: POST /v1/metrics, where exporters send by default, and the same below the API's own
// prefix. Answers are ExportMetricsServiceResponse or google.rpc.Status, in the encoding that was
// asked in. Source: "OTLP Specification 1.x", OTLP/HTTP.
#include "codec/gzip.h"
#include "codec/otlp.h"
#include "wire/api_routes.h"
#include "wire/otlp_exports.h"
#include "wire/problem.h"

namespace showcaller {
namespace {

constexpr std::size_t kUnpackedBytesMax = 32u << 20;
// A tick is as long; what is full then is empty.
constexpr int kPointsRetryAfterS = 10;

RpcCode rpc_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::Invalid:
    case ErrorCode::Unsupported:
      return RpcCode::InvalidArgument;
    case ErrorCode::Limit:
      return RpcCode::ResourceExhausted;
    case ErrorCode::Unavailable:
      return RpcCode::Unavailable;
    default:
      return RpcCode::Internal;
  }
}

HttpResponse otlp_answer(int status, std::string body, OtlpEncoding encoding) {
  HttpResponse response{.status = status, .headers = {}, .body = std::move(body)};
  response.headers.add("Content-Type", content_type_of(encoding));
  if (status == 429 || status == 503)
    response.headers.add("Retry-After", std::to_string(kPointsRetryAfterS));
  return response;
}

// One export from its bytes to its answer.
class OtlpExchange {
 public:
  OtlpExchange(const ApiPorts& ports, const RequestContext& context, OtlpEncoding encoding)
      : ports_(ports), context_(context), encoding_(encoding) {}

  HttpResponse answer() {
    std::string unpacked;
    std::string_view body = context_.request.body;
    const std::string_view packed = context_.request.headers.get("Content-Encoding");
    if (equal_ignoring_case(packed, "gzip")) {
      auto whole = gunzip(body, kUnpackedBytesMax);
      if (!whole) return refuse(whole.error(), 413);
      unpacked = *std::move(whole);
      body = unpacked;
    } else if (!packed.empty() && !equal_ignoring_case(packed, "identity")) {
      return refuse({ErrorCode::Unsupported, "only gzip is unpacked here; send that, or nothing"},
                    413);
    }
    DataPoints points;
    if (const Status read = decode_otlp_metrics(body, encoding_, {}, &points); !read)
      return refuse(read.error(), 413);
    auto receipt =
        ports_.backend->take_points(points, context_.actor, sender_below(context_.request.headers));
    if (!receipt) return refuse(receipt.error(), 429);
    return took(*receipt);
  }

 private:
  void count(std::string_view outcome) {
    ports_.metrics->counter("showcaller_otlp_exports", {outcome}).add();
  }

  HttpResponse took(const PointsReceipt& receipt) {
    count(receipt.rejected > 0 ? "partial" : "ok");
    for (const auto& [why, points] : receipt.points)
      ports_.metrics->counter("showcaller_otlp_points", {why}).add(std::uint64_t(points));
    for (const auto& [why, deltas] : receipt.deltas)
      ports_.metrics->counter("showcaller_otlp_deltas", {why}).add(std::uint64_t(deltas));
    return otlp_answer(200, encode_otlp_response({receipt.rejected, receipt.why}, encoding_),
                       encoding_);
  }

  // Too large is no matter of when while it is read; once it is, 429 says that it may come again.
  HttpResponse refuse(const Error& error, int over_limit) {
    count(to_string(error.code));
    const int status = error.code == ErrorCode::Limit         ? over_limit
                       : error.code == ErrorCode::Unsupported ? 400
                                                              : status_of(error.code);
    return otlp_answer(status, encode_rpc_status(rpc_code_of(error.code), error.message, encoding_),
                       encoding_);
  }

  const ApiPorts& ports_;
  const RequestContext& context_;
  OtlpEncoding encoding_;
};

// Where exporters send by default, and the same below the API's own prefix.
void add_metrics_routes(Router* router, const RouteHandler& handler) {
  const auto encoded = std::vector<std::string>{"application/x-protobuf", "application/json"};
  for (const auto& [pattern, id] :
       {std::pair<std::string_view, std::string>("/v1/metrics", "otlpMetrics"),
        {kOtlpMetricsPath, "otlpMetricsBelowApi"}}) {
    router->add(
        {.method = "POST",
         .pattern = std::string(pattern),
         .id = id,
         .tag = "sessions",
         .summary = "Data points of OpenTelemetry (OTLP/HTTP), as protobuf or JSON, gzip or not",
         .access = "report",
         .body = BodyRule::Required,
         .body_bytes_max = kLargeBodyBytesMax,
         .body_types = encoded,
         .other_answers = {{400, "It is no export; a google.rpc.Status says where.", ""},
                           {429, "Send it again later; Retry-After says when.", ""}},
         .other_answer_type = "application/x-protobuf",
         .slow = true,
         .handler = handler});
  }
}

// The router saw to it that it is one of the two.
OtlpEncoding encoding_of(const RequestContext& context) {
  return *otlp_encoding(context.request.headers.get("Content-Type"));
}

}  // namespace

void add_otlp_routes(Router* router, const ApiPorts& ports) {
  add_metrics_routes(router, [ports](const auto& context, Answer answer) {
    answer.send(OtlpExchange(ports, *context, encoding_of(*context)).answer());
  });
}

SenderBelow sender_below(const HttpHeaders& headers) {
  return {std::string(headers.get(kOtlpSenderHeader)),
          headers.get(kOtlpTrustHeader, "server") == "server"};
}

void add_otlp_relay_routes(Router* router, TakeExport take) {
  add_metrics_routes(router, [take = std::move(take)](const auto& context, Answer answer) {
    const HttpRequest& request = context->request;
    take({.type = std::string(request.headers.get("Content-Type")),
          .encoding = std::string(request.headers.get("Content-Encoding")),
          .sender = sender_below(request.headers),
          .body = request.body},
         context->actor);
    const OtlpEncoding encoding = encoding_of(*context);
    answer.send(otlp_answer(200, encode_otlp_response({}, encoding), encoding));
  });
}

}  // namespace showcaller
