// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <utility>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "flag/flag_changes.h"
#include "flagd_evaluation_v1.grpc.pb.h"
#include "flagd_evaluation_v2.grpc.pb.h"
#include "flagd_schema_v1.grpc.pb.h"
#include "wire/flagd/flagd_services.h"
#include "wire/flagd/grpc_caller.h"
#include "wire/flagd/stream_reactor.h"
#include "wire/flagd/struct_convert.h"

namespace showcaller {
namespace {

using google::protobuf::Struct;

// The two versions differ in the names of their messages, and in what is sent of an absent value.
struct EvaluationV1 {
  using Service = ::flagd::evaluation::v1::Evaluation;
  using AllRequest = ::flagd::evaluation::v1::ResolveAllRequest;
  using AllReply = ::flagd::evaluation::v1::ResolveAllResponse;
  using BooleanRequest = ::flagd::evaluation::v1::ResolveBooleanRequest;
  using BooleanReply = ::flagd::evaluation::v1::ResolveBooleanResponse;
  using StringRequest = ::flagd::evaluation::v1::ResolveStringRequest;
  using StringReply = ::flagd::evaluation::v1::ResolveStringResponse;
  using FloatRequest = ::flagd::evaluation::v1::ResolveFloatRequest;
  using FloatReply = ::flagd::evaluation::v1::ResolveFloatResponse;
  using IntRequest = ::flagd::evaluation::v1::ResolveIntRequest;
  using IntReply = ::flagd::evaluation::v1::ResolveIntResponse;
  using ObjectRequest = ::flagd::evaluation::v1::ResolveObjectRequest;
  using ObjectReply = ::flagd::evaluation::v1::ResolveObjectResponse;
  using StreamRequest = ::flagd::evaluation::v1::EventStreamRequest;
  using StreamReply = ::flagd::evaluation::v1::EventStreamResponse;
};

struct EvaluationSchemaV1 : EvaluationV1 {
  using Service = ::schema::v1::Evaluation;
};

struct EvaluationV2 {
  using Service = ::flagd::evaluation::v2::Evaluation;
  using AllRequest = ::flagd::evaluation::v2::ResolveAllRequest;
  using AllReply = ::flagd::evaluation::v2::ResolveAllResponse;
  using BooleanRequest = ::flagd::evaluation::v2::ResolveBooleanRequest;
  using BooleanReply = ::flagd::evaluation::v2::ResolveBooleanResponse;
  using StringRequest = ::flagd::evaluation::v2::ResolveStringRequest;
  using StringReply = ::flagd::evaluation::v2::ResolveStringResponse;
  using FloatRequest = ::flagd::evaluation::v2::ResolveFloatRequest;
  using FloatReply = ::flagd::evaluation::v2::ResolveFloatResponse;
  using IntRequest = ::flagd::evaluation::v2::ResolveIntRequest;
  using IntReply = ::flagd::evaluation::v2::ResolveIntResponse;
  using ObjectRequest = ::flagd::evaluation::v2::ResolveObjectRequest;
  using ObjectReply = ::flagd::evaluation::v2::ResolveObjectResponse;
  using StreamRequest = ::flagd::evaluation::v2::EventStreamRequest;
  using StreamReply = ::flagd::evaluation::v2::EventStreamResponse;
};

// flagd's codes and words, which its providers switch on.
grpc::Status status_of(FlagError error) {
  switch (error) {
    case FlagError::None:
      return grpc::Status::OK;
    case FlagError::FlagNotFound:
      return {grpc::StatusCode::NOT_FOUND, "Flag not found"};
    case FlagError::TypeMismatch:
      return {grpc::StatusCode::INVALID_ARGUMENT, "Type mismatch error"};
    case FlagError::ParseError:
      return {grpc::StatusCode::DATA_LOSS, "Error parsing input or configuration"};
    default:
      return {grpc::StatusCode::UNKNOWN, "General error"};
  }
}

// An object alone is an object to protobuf.
Evaluation as_object(const Evaluation& evaluation) {
  if (evaluation.value == nullptr || evaluation.value->is_object()) return evaluation;
  return {.error = FlagError::TypeMismatch, .metadata = evaluation.metadata};
}

template <class Reply>
void set_value(const json::value& value, Reply* reply) {
  if constexpr (requires { reply->mutable_value(); } && !requires { reply->set_value(""); }) {
    fill(value.get_object(), reply->mutable_value());
  } else if constexpr (requires { reply->mutable_value(); }) {
    reply->set_value(value.get_string().data(), value.get_string().size());
  } else if constexpr (std::is_same_v<decltype(reply->value()), bool>) {
    reply->set_value(value.get_bool());
  } else if constexpr (std::is_same_v<decltype(reply->value()), double>) {
    reply->set_value(value.to_number<double>());
  } else {
    reply->set_value(*lossless_integer(value));
  }
}

template <class Reply>
void fill_reply(const Evaluation& evaluation, Reply* reply) {
  reply->set_reason(std::string(to_string(evaluation.reason)));
  fill(*evaluation.metadata, reply->mutable_metadata());
  if (evaluation.value == nullptr) return;
  reply->set_variant(evaluation.variant.data(), evaluation.variant.size());
  set_value(*evaluation.value, reply);
}

template <class AnyFlag>
void fill_any(const Evaluation& evaluation, AnyFlag* flag) {
  flag->set_reason(std::string(to_string(evaluation.reason)));
  fill(*evaluation.metadata, flag->mutable_metadata());
  if (evaluation.value == nullptr) return;
  flag->set_variant(evaluation.variant.data(), evaluation.variant.size());
  const json::value& value = *evaluation.value;
  if (value.is_bool()) {
    flag->set_bool_value(value.get_bool());
  } else if (value.is_string()) {
    flag->set_string_value(value.get_string().data(), value.get_string().size());
  } else if (value.is_number()) {
    flag->set_double_value(value.to_number<double>());
  } else if (value.is_object()) {
    fill(value.get_object(), flag->mutable_object_value());
  }
}

// What the streams of one version are told of a change, made once for all that saw the same; asked
// by the thread of the streams alone.
class ChangeNotices {
 public:
  // Null: nothing differs.
  const Struct* between(const SharedFlags& before, const SharedFlags& after) {
    if (before == after) return nullptr;
    if (notices_.size() >= kNoticesMax) notices_.clear();
    const auto [at, is_new] = notices_.try_emplace({before, after});
    if (is_new) {
      for (const auto& [key, kind] : changes_between(*before, *after)) {
        Struct* change = (*at->second.mutable_fields())[key].mutable_struct_value();
        (*change->mutable_fields())["type"].set_string_value(std::string(to_string(kind)));
      }
    }
    return at->second.fields_size() > 0 ? &at->second : nullptr;
  }

 private:
  static constexpr std::size_t kNoticesMax = 16;  // of as many selections, or of one that changes
  std::map<std::pair<SharedFlags, SharedFlags>, Struct> notices_;
};

// provider_ready, then configuration_change and keep_alive until it ends.
template <class Api>
class EventSteps {
 public:
  EventSteps(const FlagdServicePorts& ports, ChangeNotices* notices, GrpcCaller caller)
      : ports_(ports), notices_(notices), caller_(std::move(caller)) {
    if (const auto limit = ports.options->stream_deadline; limit.count() > 0)
      deadline_ = std::chrono::steady_clock::now() + limit;
  }

  StreamStep<typename Api::StreamReply> operator()(SteadyTime now) {
    StreamStep<typename Api::StreamReply> step;
    const auto flags = ports_.feed->flags(caller_.view());
    if (now >= deadline_) {
      step.end = grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED,
                              "stream closed due to server-side timeout");
    } else if (!flags) {
      step.end = to_grpc_status(flags.error());
    } else if (seen_ == nullptr) {
      step.message.emplace().set_type("provider_ready");
    } else if (const Struct* changed = notices_->between(seen_, *flags)) {
      step.message.emplace().set_type("configuration_change");
      auto& data = *step.message->mutable_data()->mutable_fields();
      *data["flags"].mutable_struct_value() = *changed;
    } else if (now - sent_ >= ports_.options->keep_alive_every) {
      step.message.emplace().set_type("keep_alive");
    }
    if (flags) seen_ = *flags;
    if (step.message) sent_ = now;
    step.look_again = std::min<SteadyTime>(deadline_, sent_ + ports_.options->keep_alive_every);
    return step;
  }

 private:
  FlagdServicePorts ports_;
  ChangeNotices* notices_;
  GrpcCaller caller_;
  SharedFlags seen_;
  SteadyTime sent_{};
  SteadyTime deadline_ = SteadyTime::max();
};

template <class Api>
class EvaluationService final : public Api::Service::CallbackService {
  using Context = grpc::CallbackServerContext;
  using Unary = grpc::ServerUnaryReactor;

 public:
  explicit EvaluationService(const FlagdServicePorts& ports) : ports_(ports) {}

  Unary* ResolveBoolean(Context* context, const typename Api::BooleanRequest* request,
                        typename Api::BooleanReply* reply) override {
    return resolve(context, *request, FlagType::Boolean, reply);
  }
  Unary* ResolveString(Context* context, const typename Api::StringRequest* request,
                       typename Api::StringReply* reply) override {
    return resolve(context, *request, FlagType::String, reply);
  }
  Unary* ResolveFloat(Context* context, const typename Api::FloatRequest* request,
                      typename Api::FloatReply* reply) override {
    return resolve(context, *request, FlagType::Float, reply);
  }
  Unary* ResolveInt(Context* context, const typename Api::IntRequest* request,
                    typename Api::IntReply* reply) override {
    return resolve(context, *request, FlagType::Integer, reply);
  }
  Unary* ResolveObject(Context* context, const typename Api::ObjectRequest* request,
                       typename Api::ObjectReply* reply) override {
    return resolve(context, *request, FlagType::Object, reply);
  }

  Unary* ResolveAll(Context* context, const typename Api::AllRequest* request,
                    typename Api::AllReply* reply) override {
    return with_flags(context, request->context(), "", [&](const FlagSet& flags, const auto& who) {
      const Instant now = ports_.feed->now();
      std::vector<std::uint32_t> answers;
      answers.reserve(flags.size());
      flags.evaluate_all(who, now, [&](std::string_view name, const Evaluation& evaluation) {
        count(evaluation);
        answers.push_back(evaluation.answer);
        // A list fits no field of the message, and an error none of its flags.
        const bool is_list = evaluation.value != nullptr && evaluation.value->is_array();
        if (evaluation.error == FlagError::None && !is_list)
          fill_any(evaluation, &(*reply->mutable_flags())[std::string(name)]);
      });
      ports_.feed->answered(flags, answers);
      fill(flags.metadata(), reply->mutable_metadata());
      return grpc::Status::OK;
    });
  }

  grpc::ServerWriteReactor<typename Api::StreamReply>* EventStream(
      Context* context, const typename Api::StreamRequest*) override {
    return StreamReactor<typename Api::StreamReply>::open(
        ports_.streams, EventSteps<Api>(ports_, &notices_, caller_of(*context)));
  }

 private:
  template <class Request, class Reply>
  Unary* resolve(Context* context, const Request& request, FlagType type, Reply* reply) {
    const std::string& key = request.flag_key();
    return with_flags(context, request.context(), key, [&](const FlagSet& flags, const auto& who) {
      Evaluation evaluation = flags.evaluate(key, who, ports_.feed->now(), type);
      if (const std::uint32_t answer = evaluation.answer; answer != 0)
        ports_.feed->answered(flags, {&answer, 1});
      if (type == FlagType::Object) evaluation = as_object(evaluation);
      count(evaluation);
      if (evaluation.error == FlagError::None) fill_reply(evaluation, reply);
      return status_of(evaluation.error);
    });
  }

  // Answers with the status that `evaluate` gives for the caller's flags and context.
  template <class Evaluate>
  Unary* with_flags(Context* context, const Struct& attributes, std::string_view flag,
                    Evaluate evaluate) {
    Unary* reactor = context->DefaultReactor();
    const GrpcCaller caller = caller_of(*context);
    const auto flags = ports_.feed->flags(caller.view());
    if (!flags) {
      reactor->Finish(to_grpc_status(flags.error()));
      return reactor;
    }
    const StructContext asked(attributes);
    const EvaluationContext added =
        added_context(ports_.options->context,
                      [&](const std::string& name) { return metadata_value(*context, name); });
    const auto who = EvaluationContext::layered(&added, &asked.context());
    ports_.feed->evaluated(who, flag);
    reactor->Finish(evaluate(**flags, who));
    return reactor;
  }

  void count(const Evaluation& evaluation) {
    (*ports_.counts)[std::size_t(evaluation.reason)].fetch_add(1, std::memory_order_relaxed);
  }

  FlagdServicePorts ports_;
  ChangeNotices notices_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_evaluation_service_v1(const FlagdServicePorts& ports) {
  return std::make_unique<EvaluationService<EvaluationV1>>(ports);
}
std::unique_ptr<grpc::Service> make_evaluation_service_schema_v1(const FlagdServicePorts& ports) {
  return std::make_unique<EvaluationService<EvaluationSchemaV1>>(ports);
}
std::unique_ptr<grpc::Service> make_evaluation_service_v2(const FlagdServicePorts& ports) {
  return std::make_unique<EvaluationService<EvaluationV2>>(ports);
}

}  // namespace showcaller
