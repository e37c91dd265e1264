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
    MetricRow{"showcaller_process_resident_bytes", SeriesType::Gauge,
              "Memory of the server process.", ""},
    MetricRow{"showcaller_process_cpu_seconds", SeriesType::Counter,
              "Processor time of the server process.", "", 1e-3},
};

// Of a relay; docs/relay.md has them.
inline constexpr std::array kRelayMetricTable{
    MetricRow{"showcaller_relay_line", SeriesType::Gauge,
              "1 while what is above the relay answers.", ""},
    MetricRow{"showcaller_relay_batches_waiting", SeriesType::Gauge,
              "Batches of telemetry that wait for the line.", ""},
    MetricRow{"showcaller_relay_dropped", SeriesType::Counter,
              "What had to make room while the line was cut (batch, evaluation), or was refused "
              "above.",
              "what"},
    kFlagStreamsRow,
    kTelemetryBatchesRow,
    kTelemetryDeltasRow,
};

}  // namespace showcaller
