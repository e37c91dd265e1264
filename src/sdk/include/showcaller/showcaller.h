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
  const char* name; /* told to hooks and handlers */
  int at_server; /* 1: flags come decided for the client's context, for tokens that see no rule */
  int no_stream; /* 1: changes are asked for every poll_ms */
} showcaller_options; /* fields are only ever added; what is not set is zero */

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
  SHOWCALLER_STALE = 2,
  SHOWCALLER_FAILED_TO_START = 3 /* no flags yet, and the server was not reached or refused */
} showcaller_status;

typedef enum showcaller_event_kind {
  SHOWCALLER_EVENT_READY = 0,
  SHOWCALLER_EVENT_ERROR = 1,
  SHOWCALLER_EVENT_STALE = 2,
  SHOWCALLER_EVENT_CONFIGURATION_CHANGED = 3,
  SHOWCALLER_EVENT_RECONCILING = 4,
  SHOWCALLER_EVENT_CONTEXT_CHANGED = 5
} showcaller_event_kind;

/* Lives as long as the handler is being called. */
typedef struct showcaller_event {
  showcaller_event_kind kind;
  const char* client;
  const char* message;
  const char* const* flags_changed; /* keys */
  size_t flags_changed_count;
} showcaller_event;
typedef void (*showcaller_handler)(void* user, const showcaller_event* event);

/* Why a value was given, in OpenFeature's words: "TARGETING_MATCH", "FLAG_NOT_FOUND"; texts that do
 * not fit are cut. */
typedef struct showcaller_details {
  char variant[128];
  char reason[24];
  char error[24]; /* empty: none */
  char message[256];
} showcaller_details;

/* Around every evaluation of a client; each may be NULL. Attributes that before() sets in `more`
 * are laid over the context. */
typedef struct showcaller_hook {
  void* user;
  void (*before)(void* user, const char* flag, showcaller_context* more);
  void (*after)(void* user, const char* flag, const showcaller_details* details);
  void (*error)(void* user, const char* flag, const showcaller_details* details);
  void (*finally)(void* user, const char* flag, const showcaller_details* details);
} showcaller_hook;

showcaller_client* showcaller_client_new(const showcaller_options* options);
void showcaller_client_free(showcaller_client* client);
/* Delivers what was reported if that takes less than a second, and ends what goes on in the
 * background. */
void showcaller_client_shutdown(showcaller_client* client);
showcaller_status showcaller_client_status(const showcaller_client* client);
/* 1: ready, 0: time is up. */
int showcaller_client_wait(const showcaller_client* client, int64_t timeout_ms);
/* Under what a call adds; of this client, of all clients. Copied. */
void showcaller_client_context(showcaller_client* client, const showcaller_context* context);
void showcaller_global_context(const showcaller_context* context);
/* Called from a background thread, or at once when it is so already. The number ends it. */
uint64_t showcaller_client_on(showcaller_client* client, showcaller_event_kind kind,
                              showcaller_handler handler, void* user);
void showcaller_client_off(showcaller_client* client, uint64_t number);
/* Copied; it stays to the client's end. */
void showcaller_client_hook(showcaller_client* client, const showcaller_hook* hook);
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

/* What the flag says of itself, a JSON object: "withdrawn" and "message" while a feature is done
 * without, "killed", and what its manifest has. */
size_t showcaller_metadata(const showcaller_client* client, const char* key, char* buffer,
                           size_t size);

/* The same, and why. */
int showcaller_boolean_details(const showcaller_client* client, const char* key, int fallback,
                               const showcaller_context* context, showcaller_details* details);
int64_t showcaller_integer_details(const showcaller_client* client, const char* key,
                                   int64_t fallback, const showcaller_context* context,
                                   showcaller_details* details);
double showcaller_number_details(const showcaller_client* client, const char* key, double fallback,
                                 const showcaller_context* context, showcaller_details* details);
size_t showcaller_string_details(const showcaller_client* client, const char* key,
                                 const char* fallback, const showcaller_context* context,
                                 char* buffer, size_t size, showcaller_details* details);
size_t showcaller_object_details(const showcaller_client* client, const char* key,
                                 const char* fallback, const showcaller_context* context,
                                 char* buffer, size_t size, showcaller_details* details);

/* The labels may be NULL. */
void showcaller_session_started(showcaller_client* client, const showcaller_labels* labels);
void showcaller_session_ended(showcaller_client* client, showcaller_outcome outcome,
                              const showcaller_labels* labels);
void showcaller_crash(showcaller_client* client, const showcaller_labels* labels);
void showcaller_error(showcaller_client* client, const showcaller_labels* labels);
void showcaller_latency(showcaller_client* client, const char* metric, double milliseconds,
                        const showcaller_labels* labels);
void showcaller_count(showcaller_client* client, const char* metric, int64_t observed,
                      int64_t happened, const showcaller_labels* labels);
void showcaller_exposed(showcaller_client* client, const showcaller_labels* labels);
int64_t showcaller_dropped(const showcaller_client* client);

/* A circuit breaker for something that the game depends on; breaker.h tells how it moves. One a
 * dependency, from any thread, with or without a client. */
typedef struct showcaller_breaker showcaller_breaker;
typedef struct showcaller_breaker_options {
  double failure_share;       /* 0: 0.5 */
  int32_t calls_min;          /* 0: 10 */
  int32_t trials;             /* 0: 2 */
  int64_t window_ms;          /* 0: 60,000 */
  int64_t open_for_ms;        /* 0: 30,000 */
} showcaller_breaker_options; /* fields are only ever added; what is not set is zero */

typedef enum showcaller_breaker_standing {
  SHOWCALLER_BREAKER_CLOSED = 0,
  SHOWCALLER_BREAKER_OPEN = 1,
  SHOWCALLER_BREAKER_HALF_OPEN = 2
} showcaller_breaker_standing;

showcaller_breaker* showcaller_breaker_new(
    const showcaller_breaker_options* options); /* NULL: all as said */
void showcaller_breaker_free(showcaller_breaker* breaker);
/* 0: make no call now. Else tell what came of it, once, with the number given here. */
uint64_t showcaller_breaker_begin(showcaller_breaker* breaker);
void showcaller_breaker_end(showcaller_breaker* breaker, uint64_t call, int succeeded);
showcaller_breaker_standing showcaller_breaker_state(const showcaller_breaker* breaker);
/* While it is open: until a call may be tried. */
int64_t showcaller_breaker_wait_ms(const showcaller_breaker* breaker);

#ifdef __cplusplus
}
#endif

#endif
