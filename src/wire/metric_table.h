// SPDX-License-Identifier: Apache-2.0
// Every metric of the program. docs/metrics.md is printed from here; a test compares the two.
#pragma once

#include <array>

#include "wire/metrics.h"

namespace showcaller {

// What servers and relays tell alike.
inline constexpr MetricRow kFlagStreamsRow{"showcaller_flag_streams", SeriesType::Gauge,
                                           "Streams that tell of changed flags, of every protocol.",
                                           ""};
inline constexpr MetricRow kTelemetryBatchesRow{
    "showcaller_telemetry_batches", SeriesType::Counter,
    "Telemetry batches, by outcome (ok, repeated, or an error code).", "outcome"};
inline constexpr MetricRow kTelemetryDeltasRow{
    "showcaller_telemetry_deltas", SeriesType::Counter,
    "Deltas of telemetry, by what became of them: taken, or why they were dropped.", "outcome"};

inline constexpr std::array kMetricTable{
    MetricRow{"showcaller_http_requests", SeriesType::Counter,
              "Requests answered, by route pattern; `none` for what is no request of a route.",
              "route method status"},
    MetricRow{"showcaller_http_request_seconds", SeriesType::Histogram,
              "From the last byte of a request to its answer being ready.", "route"},
    MetricRow{"showcaller_http_connections", SeriesType::Gauge, "Connections open now.", ""},
    MetricRow{"showcaller_http_connections_accepted", SeriesType::Counter, "Connections accepted.",
              ""},
    MetricRow{"showcaller_http_connections_refused", SeriesType::Counter,
              "Connections refused because there were too many.", ""},
    MetricRow{"showcaller_http_timeouts", SeriesType::Counter,
              "Connections ended because the peer took too long.", ""},
    MetricRow{"showcaller_http_slow_readers_dropped", SeriesType::Counter,
              "Streams ended because their reader was too slow.", ""},
    MetricRow{"showcaller_http_worker_queue", SeriesType::Gauge,
              "Slow requests that wait for a worker.", ""},
    MetricRow{"showcaller_watchers", SeriesType::Gauge, "Readers of /api/v1/watch.", ""},
    kFlagStreamsRow,
    MetricRow{
        "showcaller_flag_stream_events", SeriesType::Counter,
        "Told to readers of /api/v1/flags/stream: `snapshot`s of all flags, `delta`s of those "
        "that changed.",
        "event"},
    MetricRow{
        "showcaller_commands", SeriesType::Counter,
        "Commands answered, by verb and outcome (ok, repeated, or an error code). Tokens are "
        "`token`, a player's rows `privacy-export` and `privacy-erase`, a list of players held "
        "against an event `ledger-admitted`.",
        "verb outcome"},
    MetricRow{"showcaller_command_seconds", SeriesType::Histogram,
              "From a command's arrival to its durable acknowledgement.", ""},
    kTelemetryBatchesRow,
    kTelemetryDeltasRow,
    MetricRow{"showcaller_otlp_exports", SeriesType::Counter,
              "Exports of data points by OTLP, by outcome (ok, partial, or an error code).",
              "outcome"},
    MetricRow{"showcaller_otlp_points", SeriesType::Counter,
              "Data points that came by OTLP, by what became of them: taken, or why they were not.",
              "outcome"},
    MetricRow{"showcaller_otlp_deltas", SeriesType::Counter,
              "Deltas that data points were made into, by what became of them.", "outcome"},
    MetricRow{"showcaller_allocations", SeriesType::Counter,
              "Allocation requests, by outcome (ok or an error code).", "outcome"},
    MetricRow{"showcaller_journal_seq", SeriesType::Gauge, "Number of the last durable record.",
              ""},
    MetricRow{"showcaller_journal_epoch", SeriesType::Gauge,
              "The epoch in which this server writes.", ""},
    MetricRow{"showcaller_journal_commits", SeriesType::Counter,
              "Batches of records made durable, each with one fsync.", ""},
    MetricRow{"showcaller_mailbox_letters", SeriesType::Gauge, "Inputs that wait for the engine.",
              ""},
    MetricRow{
        "showcaller_spans", SeriesType::Counter,
        "Spans for the collector, by outcome: sent, dropped (it was away, and they made room), "
        "refused (by it).",
        "outcome"},
    MetricRow{"showcaller_span_retries", SeriesType::Counter,
              "Requests to the collector that had to be sent again.", ""},
    MetricRow{"showcaller_spans_waiting", SeriesType::Gauge, "Spans that wait for the collector.",
              ""},
    MetricRow{"showcaller_events", SeriesType::Gauge, "LiveEvents, by phase.", "phase"},
    MetricRow{"showcaller_events_held", SeriesType::Gauge, "LiveEvents that are held.", ""},
    MetricRow{"showcaller_event_exposure_ratio", SeriesType::Gauge,
              "Share of eligible units that the present stage admits.", "event"},
    MetricRow{"showcaller_event_sessions", SeriesType::Gauge,
              "Sealed sessions of the present revision, by arm.", "event arm"},
    MetricRow{"showcaller_instances", SeriesType::Gauge,
              "Game server processes, by fleet and phase.", "fleet phase"},
    MetricRow{"showcaller_quarantines", SeriesType::Gauge, "Quarantines in force.", ""},
    MetricRow{"showcaller_alerts", SeriesType::Gauge,
              "Open alerts, by severity and state (firing, acknowledged).", "severity state"},
    MetricRow{"showcaller_alert_messages", SeriesType::Counter,
              "Messages to the routes of teams, by what came of them: delivered, failed (tried "
              "again unless given up), dead (given up).",
              "outcome"},
    MetricRow{"showcaller_silences", SeriesType::Gauge, "Silences in force.", ""},
    MetricRow{"showcaller_lines_stopped", SeriesType::Gauge, "Scopes whose line is stopped.", ""},
    MetricRow{"showcaller_features_withdrawn", SeriesType::Gauge,
              "Features that a service does without now.", "service"},
    MetricRow{"showcaller_breaker_open", SeriesType::Gauge,
              "1 while no action calls the service (its circuit breaker is open), 0.5 while a few "
              "are tried.",
              "service"},
    MetricRow{"showcaller_process_resident_bytes", SeriesType::Gauge,
              "Memory of the server process.", ""},
    MetricRow{"showcaller_process_cpu_seconds", SeriesType::Counter,
              "Processor time of the server process.", "", 1e-3},
};

// What somebody should be told of, as conditions over the metrics above: what
// `showcaller export prometheus-rules` prints.
struct AlertRow {
  std::string_view name;
  std::string_view metric;  // of the table, that it is about
  std::string_view when;    // PromQL
  std::string_view lasts;   // how long before it is told
  std::string_view severity;
  std::string_view says;  // to whom it is told; $labels and $value are Prometheus' own
  std::string_view then;  // what to do
};
inline constexpr std::array kAlertTable{
    AlertRow{
        "ShowcallerGone", "showcaller_journal_seq", "absent(showcaller_journal_seq)", "2m", "page",
        "No Showcaller server is scraped.",
        "Events go on from the last plan and exposure does not grow. Start it: showcaller serve."},
    AlertRow{"ShowcallerRollbackStuck", "showcaller_events",
             "showcaller_events{phase=\"RollbackStuck\"} > 0", "0m", "page",
             "{{ $value }} rollbacks are stuck.",
             "showcaller status names them; showcaller explain EVENT says at which step."},
    AlertRow{"ShowcallerJournalStands", "showcaller_journal_commits",
             "showcaller_mailbox_letters > 0 and rate(showcaller_journal_commits_total[5m]) == 0",
             "1m", "page", "Commands wait and nothing is written to the journal.",
             "Is the disk full? The server's log says what the journal refuses."},
    AlertRow{
        "ShowcallerMailboxFills", "showcaller_mailbox_letters", "showcaller_mailbox_letters > 5000",
        "2m", "page", "{{ $value }} inputs wait for the engine.",
        "At 10,000 commands are refused with 429. Which verb is it: showcaller_commands_total."},
    AlertRow{"ShowcallerCommandsSlow", "showcaller_command_seconds",
             "showcaller:command_seconds:p99_5m > 1", "10m", "ticket",
             "The slowest percent of commands takes {{ $value }} s.",
             "Compare showcaller_journal_commits_total with the disk's own latency."},
    AlertRow{
        "ShowcallerRequestsFail", "showcaller_http_requests",
        "sum by (route) (rate(showcaller_http_requests_total{status=~\"5..\"}[5m])) > 0.01 * sum "
        "by (route) (rate(showcaller_http_requests_total[5m]))",
        "5m", "page", "More than one percent of {{ $labels.route }} is answered with 5xx.",
        "The log has each of them with its trace."},
    AlertRow{"ShowcallerEventsHeld", "showcaller_events_held", "showcaller_events_held > 0", "1h",
             "ticket", "{{ $value }} events have been held for an hour.",
             "showcaller status says why; showcaller resume EVENT or showcaller rollback EVENT."},
    AlertRow{"ShowcallerLineStopped", "showcaller_lines_stopped", "showcaller_lines_stopped > 0",
             "4h", "ticket", "A line has been stopped for four hours.",
             "showcaller status names who stopped it; showcaller resume-the-line ends it."},
    AlertRow{"ShowcallerQuarantines", "showcaller_quarantines", "showcaller_quarantines > 0", "30m",
             "ticket", "{{ $value }} quarantines have lasted for half an hour.",
             "showcaller get quarantines says of what, and why."},
    AlertRow{"ShowcallerFeaturesWithdrawn", "showcaller_features_withdrawn",
             "showcaller_features_withdrawn > 0", "5m", "ticket",
             "{{ $labels.service }} does without {{ $value }} features.",
             "showcaller get services says which, and what the service is measured by."},
    AlertRow{"ShowcallerDependencyDown", "showcaller_breaker_open", "showcaller_breaker_open == 1",
             "2m", "page", "No action calls {{ $labels.service }}: too many of its calls failed.",
             "Steps of events wait for it. Is the service up?"},
    AlertRow{"ShowcallerTelemetryRefused", "showcaller_telemetry_batches",
             "showcaller:telemetry_batches:not_ok_ratio_5m > 0.05", "10m", "ticket",
             "More than five percent of telemetry batches are refused.",
             "By why: showcaller_telemetry_batches_total."},
    AlertRow{"ShowcallerOtlpRefused", "showcaller_otlp_exports",
             "showcaller:otlp_exports:not_ok_ratio_5m > 0.05", "10m", "ticket",
             "More than five percent of OTLP exports are refused, or only partly taken.",
             "By why: showcaller_otlp_exports_total; the answers say which instrument."},
};

// Of a relay; docs/relay.md has them.
inline constexpr std::array kRelayMetricTable{
    MetricRow{"showcaller_relay_line", SeriesType::Gauge,
              "1 while what is above the relay answers.", ""},
    MetricRow{"showcaller_relay_batches_waiting", SeriesType::Gauge,
              "Batches of telemetry that wait for the line.", ""},
    MetricRow{"showcaller_relay_dropped", SeriesType::Counter,
              "What had to make room while the line was cut (batch, evaluation, export), or was "
              "refused above.",
              "what"},
    kFlagStreamsRow,
    kTelemetryBatchesRow,
    kTelemetryDeltasRow,
};

}  // namespace showcaller
