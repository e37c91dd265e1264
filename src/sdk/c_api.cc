// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "showcaller/client.h"
#include "showcaller/showcaller.h"

using showcaller::sdk::Client;
using showcaller::sdk::Context;
using showcaller::sdk::Details;
using showcaller::sdk::ErrorCode;
using showcaller::sdk::Event;
using showcaller::sdk::EventDetails;
using showcaller::sdk::Hook;
using showcaller::sdk::HookContext;
using showcaller::sdk::Labels;
using showcaller::sdk::Options;
using showcaller::sdk::Outcome;
using showcaller::sdk::Rules;
using showcaller::sdk::Value;

struct showcaller_client {
  Client client;
};
struct showcaller_context {
  Context context;
};

namespace {

std::string_view text(const char* value) {
  return value != nullptr ? value : "";
}

const Context& context_of(const showcaller_context* context) {
  static const Context none;
  return context != nullptr ? context->context : none;
}

Labels labels_of(const showcaller_labels* labels) {
  if (labels == nullptr) return {};
  return {text(labels->event), text(labels->arm), text(labels->instance), text(labels->unit),
          text(labels->stratum)};
}

size_t copy_out(const std::string& value, char* buffer, size_t size) {
  if (buffer != nullptr && size > 0) {
    const size_t copied = std::min(value.size(), size - 1);
    std::memcpy(buffer, value.data(), copied);
    buffer[copied] = '\0';
  }
  return value.size();
}

template <std::size_t kSize>
void put_text(std::string_view value, char (&out)[kSize]) {
  const std::size_t copied = std::min(value.size(), kSize - 1);
  std::memcpy(out, value.data(), copied);
  out[copied] = '\0';
}

template <class T>
void put_details(const Details<T>& from, showcaller_details* out) {
  if (out == nullptr) return;
  put_text(from.variant, out->variant);
  put_text(to_string(from.reason), out->reason);
  put_text(from.error == ErrorCode::None ? "" : to_string(from.error), out->error);
  put_text(from.message, out->message);
}

// What comes of an evaluation that is asked for with its reasons.
template <class T>
T value_of(const Details<T>& from, showcaller_details* details) {
  put_details(from, details);
  return from.value;
}

class HookOfC final : public Hook {
 public:
  explicit HookOfC(const showcaller_hook& hook) : hook_(hook) {}

  std::optional<Context> before(const HookContext& at) override {
    if (hook_.before == nullptr) return std::nullopt;
    showcaller_context more;
    hook_.before(hook_.user, std::string(at.flag).c_str(), &more);
    return more.context;
  }
  void after(const HookContext& at, const Details<Value>& details) override {
    tell(hook_.after, at, details);
  }
  void error(const HookContext& at, ErrorCode code, std::string_view message) override {
    Details<Value> details;
    details.error = code;
    details.message = message;
    tell(hook_.error, at, details);
  }
  void finally(const HookContext& at, const Details<Value>& details) override {
    tell(hook_.finally, at, details);
  }

 private:
  using Told = void (*)(void*, const char*, const showcaller_details*);
  void tell(Told told, const HookContext& at, const Details<Value>& details) const {
    if (told == nullptr) return;
    showcaller_details out{};
    put_details(details, &out);
    told(hook_.user, std::string(at.flag).c_str(), &out);
  }

  const showcaller_hook hook_;
};

}  // namespace

extern "C" {

showcaller_client* showcaller_client_new(const showcaller_options* options) {
  Options out;
  if (options != nullptr) {
    out.url = text(options->url);
    out.token = text(options->token);
    out.state_file = text(options->state_file);
    out.instance = text(options->instance);
    if (options->trust != nullptr) out.trust = options->trust;
    out.name = text(options->name);
    if (options->at_server != 0) out.rules = Rules::AtServer;
    out.stream = options->no_stream == 0;
    if (options->poll_ms > 0) out.poll_every = std::chrono::milliseconds(options->poll_ms);
    if (options->flush_ms > 0) out.flush_every = std::chrono::milliseconds(options->flush_ms);
  }
  return new showcaller_client{Client(std::move(out))};
}
void showcaller_client_free(showcaller_client* client) {
  delete client;
}
void showcaller_client_shutdown(showcaller_client* client) {
  client->client.shutdown();
}
void showcaller_client_context(showcaller_client* client, const showcaller_context* context) {
  client->client.set_context(context_of(context));
}
void showcaller_global_context(const showcaller_context* context) {
  Client::set_global_context(context_of(context));
}
uint64_t showcaller_client_on(showcaller_client* client, showcaller_event_kind kind,
                              showcaller_handler handler, void* user) {
  return client->client.on(static_cast<Event>(kind), [handler, user](const EventDetails& told) {
    std::vector<const char*> keys;
    for (const std::string& key : told.flags_changed) keys.push_back(key.c_str());
    const showcaller_event event{static_cast<showcaller_event_kind>(told.event),
                                 told.client.c_str(), told.message.c_str(), keys.data(),
                                 keys.size()};
    handler(user, &event);
  });
}
void showcaller_client_off(showcaller_client* client, uint64_t number) {
  client->client.off(number);
}
void showcaller_client_hook(showcaller_client* client, const showcaller_hook* hook) {
  client->client.add_hook(std::make_shared<HookOfC>(*hook));
}
showcaller_status showcaller_client_status(const showcaller_client* client) {
  return static_cast<showcaller_status>(client->client.status());
}
int showcaller_client_wait(const showcaller_client* client, int64_t timeout_ms) {
  return client->client.wait_until_ready(std::chrono::milliseconds(timeout_ms));
}
void showcaller_client_trace(showcaller_client* client, const char* traceparent) {
  client->client.set_trace(text(traceparent));
}

showcaller_context* showcaller_context_new(const char* targeting_key) {
  auto* out = new showcaller_context;
  if (targeting_key != nullptr) out->context.set_targeting_key(targeting_key);
  return out;
}
void showcaller_context_free(showcaller_context* context) {
  delete context;
}
void showcaller_context_text(showcaller_context* context, const char* key, const char* value) {
  context->context.set(text(key), text(value));
}
void showcaller_context_number(showcaller_context* context, const char* key, double value) {
  context->context.set(text(key), value);
}
void showcaller_context_flag(showcaller_context* context, const char* key, int value) {
  context->context.set(text(key), value != 0);
}
int showcaller_context_json(showcaller_context* context, const char* key, const char* json) {
  return context->context.set_json(text(key), text(json));
}

int showcaller_boolean(const showcaller_client* client, const char* key, int fallback,
                       const showcaller_context* context) {
  return client->client.boolean(text(key), fallback != 0, context_of(context));
}
int64_t showcaller_integer(const showcaller_client* client, const char* key, int64_t fallback,
                           const showcaller_context* context) {
  return client->client.integer(text(key), fallback, context_of(context));
}
double showcaller_number(const showcaller_client* client, const char* key, double fallback,
                         const showcaller_context* context) {
  return client->client.number(text(key), fallback, context_of(context));
}
size_t showcaller_string(const showcaller_client* client, const char* key, const char* fallback,
                         const showcaller_context* context, char* buffer, size_t size) {
  return copy_out(client->client.string(text(key), text(fallback), context_of(context)), buffer,
                  size);
}
size_t showcaller_object(const showcaller_client* client, const char* key, const char* fallback,
                         const showcaller_context* context, char* buffer, size_t size) {
  return copy_out(client->client.object(text(key), text(fallback), context_of(context)), buffer,
                  size);
}

size_t showcaller_metadata(const showcaller_client* client, const char* key, char* buffer,
                           size_t size) {
  return copy_out(client->client.metadata(text(key)), buffer, size);
}

int showcaller_boolean_details(const showcaller_client* client, const char* key, int fallback,
                               const showcaller_context* context, showcaller_details* details) {
  return value_of(client->client.boolean_details(text(key), fallback != 0, context_of(context)),
                  details);
}
int64_t showcaller_integer_details(const showcaller_client* client, const char* key,
                                   int64_t fallback, const showcaller_context* context,
                                   showcaller_details* details) {
  return value_of(client->client.integer_details(text(key), fallback, context_of(context)),
                  details);
}
double showcaller_number_details(const showcaller_client* client, const char* key, double fallback,
                                 const showcaller_context* context, showcaller_details* details) {
  return value_of(client->client.number_details(text(key), fallback, context_of(context)), details);
}
size_t showcaller_string_details(const showcaller_client* client, const char* key,
                                 const char* fallback, const showcaller_context* context,
                                 char* buffer, size_t size, showcaller_details* details) {
  return copy_out(
      value_of(client->client.string_details(text(key), text(fallback), context_of(context)),
               details),
      buffer, size);
}
size_t showcaller_object_details(const showcaller_client* client, const char* key,
                                 const char* fallback, const showcaller_context* context,
                                 char* buffer, size_t size, showcaller_details* details) {
  return copy_out(
      value_of(client->client.object_details(text(key), text(fallback), context_of(context)),
               details),
      buffer, size);
}

void showcaller_session_started(showcaller_client* client, const showcaller_labels* labels) {
  client->client.session_started(labels_of(labels));
}
void showcaller_session_ended(showcaller_client* client, showcaller_outcome outcome,
                              const showcaller_labels* labels) {
  client->client.session_ended(static_cast<Outcome>(outcome), labels_of(labels));
}
void showcaller_crash(showcaller_client* client, const showcaller_labels* labels) {
  client->client.crash(labels_of(labels));
}
void showcaller_error(showcaller_client* client, const showcaller_labels* labels) {
  client->client.error(labels_of(labels));
}
void showcaller_latency(showcaller_client* client, const char* metric, double milliseconds,
                        const showcaller_labels* labels) {
  client->client.latency(text(metric), milliseconds, labels_of(labels));
}
void showcaller_count(showcaller_client* client, const char* metric, int64_t observed,
                      int64_t happened, const showcaller_labels* labels) {
  client->client.count(text(metric), observed, happened, labels_of(labels));
}
void showcaller_exposed(showcaller_client* client, const showcaller_labels* labels) {
  client->client.exposed(labels_of(labels));
}
int64_t showcaller_dropped(const showcaller_client* client) {
  return client->client.dropped();
}

}  // extern "C"
