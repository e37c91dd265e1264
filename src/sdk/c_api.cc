// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "showcaller/client.h"
#include "showcaller/showcaller.h"

using showcaller::sdk::Client;
using showcaller::sdk::Context;
using showcaller::sdk::Labels;
using showcaller::sdk::Options;
using showcaller::sdk::Outcome;

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
    if (options->poll_ms > 0) out.poll_every = std::chrono::milliseconds(options->poll_ms);
    if (options->flush_ms > 0) out.flush_every = std::chrono::milliseconds(options->flush_ms);
  }
  return new showcaller_client{Client(std::move(out))};
}
void showcaller_client_free(showcaller_client* client) {
  delete client;
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

void showcaller_session_started(showcaller_client* client, const showcaller_labels* labels) {
  client->client.session_started(labels_of(labels));
}
void showcaller_session_ended(showcaller_client* client, showcaller_outcome outcome,
                              const showcaller_labels* labels) {
  client->client.session_ended(static_cast<Outcome>(outcome), labels_of(labels));
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
