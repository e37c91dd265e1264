/* SPDX-License-Identifier: Apache-2.0
 * The client for C and for everything that binds to C. The same promises as client.h: evaluating
 * and reporting never wait; nothing throws. Strings are UTF-8 and end with a zero; NULL stands for
 * empty where a string is optional. Threads: a client may be used from any thread; a context by any
 * number of threads once no one changes it.
 */
#ifndef SHOWCALLER_SHOWCALLER_H
#define SHOWCALLER_SHOWCALLER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct showcaller_client showcaller_client;
typedef struct showcaller_context showcaller_context;

typedef struct showcaller_options {
  const char* url; /* NULL: no server; flags come from state_file alone */
  const char* token;
  const char* state_file;
  const char* trust; /* "client" (NULL) or "server" */
  const char* instance;
  int64_t poll_ms;  /* 0: 5,000 */
  int64_t flush_ms; /* 0: 5,000 */
} showcaller_options;

typedef struct showcaller_labels {
  const char* event;
  const char* arm; /* "canary", "baseline" or NULL */
  const char* instance;
  const char* unit;
  const char* stratum;
} showcaller_labels;

typedef enum showcaller_outcome {
  SHOWCALLER_COMPLETED = 0,
  SHOWCALLER_FAILED = 1,
  SHOWCALLER_CRASHED = 2
} showcaller_outcome;

typedef enum showcaller_status {
  SHOWCALLER_NOT_READY = 0,
  SHOWCALLER_READY = 1,
  SHOWCALLER_STALE = 2
} showcaller_status;

showcaller_client* showcaller_client_new(const showcaller_options* options);
void showcaller_client_free(showcaller_client* client);
showcaller_status showcaller_client_status(const showcaller_client* client);
/* 1: ready, 0: time is up. */
int showcaller_client_wait(const showcaller_client* client, int64_t timeout_ms);
void showcaller_client_trace(showcaller_client* client, const char* traceparent);

showcaller_context* showcaller_context_new(const char* targeting_key);
void showcaller_context_free(showcaller_context* context);
void showcaller_context_text(showcaller_context* context, const char* key, const char* value);
void showcaller_context_number(showcaller_context* context, const char* key, double value);
void showcaller_context_flag(showcaller_context* context, const char* key, int value);
/* 1: taken, 0: not JSON. */
int showcaller_context_json(showcaller_context* context, const char* key, const char* json);

/* The context may be NULL. */
int showcaller_boolean(const showcaller_client* client, const char* key, int fallback,
                       const showcaller_context* context);
int64_t showcaller_integer(const showcaller_client* client, const char* key, int64_t fallback,
                           const showcaller_context* context);
double showcaller_number(const showcaller_client* client, const char* key, double fallback,
                         const showcaller_context* context);
/* Writes the value and a zero, cut to the buffer; gives the whole length without the zero. */
size_t showcaller_string(const showcaller_client* client, const char* key, const char* fallback,
                         const showcaller_context* context, char* buffer, size_t size);
size_t showcaller_object(const showcaller_client* client, const char* key, const char* fallback,
                         const showcaller_context* context, char* buffer, size_t size);

/* The labels may be NULL. */
void showcaller_session_started(showcaller_client* client, const showcaller_labels* labels);
void showcaller_session_ended(showcaller_client* client, showcaller_outcome outcome,
                              const showcaller_labels* labels);
void showcaller_error(showcaller_client* client, const showcaller_labels* labels);
void showcaller_latency(showcaller_client* client, const char* metric, double milliseconds,
                        const showcaller_labels* labels);
void showcaller_count(showcaller_client* client, const char* metric, int64_t observed,
                      int64_t happened, const showcaller_labels* labels);
void showcaller_exposed(showcaller_client* client, const showcaller_labels* labels);
int64_t showcaller_dropped(const showcaller_client* client);

#ifdef __cplusplus
}
#endif

#endif
