#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Traces of the real server: a collector that is a real HTTP server here, an action's service that says what it heard,
and OpenTelemetry's own library (npm) reading the same bytes. Without npm that last story is skipped, and it says so.

    trace_test.py PROGRAM SOURCE_FOLDER BINARY_FOLDER
"""
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from real_server import RealServer

PROGRAM, SOURCE, BINARY = map(os.path.abspath, sys.argv[1:4])
SKIPPED = 77  # What ctest is told means skipped.
CALLER = "0af7651916cd43dd8448eb211c80319c"
MANIFESTS = """
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: door, owner: team-e2e }
spec: { variants: { open: true, shut: false }, defaultVariant: shut }
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: grants, owner: team-e2e }
spec: { url: "URL", probes: [enter] }
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: feast, owner: team-e2e }
spec:
  changes:
    - flag: { key: door, to: open }
    - action: { do: grants/open, undo: grants/close }
  readiness: { probes: [enter] }
  rollout: { stages: [ { name: world, exposure: 100%, bake: 1h, gated: false } ] }
"""


class Site(http.server.ThreadingHTTPServer):
    """Collector and service in one: /v1/traces takes spans, anything else is an action that is well."""

    def __init__(self):
        self.bodies, self.keys, self.heard, self.away = [], [], [], 0
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path != "/v1/traces":
                    site.heard.append(self.headers.get("traceparent"))
                elif site.away > 0:
                    site.away -= 1
                    self.send_response(503)
                    self.send_header("Retry-After", "0")
                    return self.end_headers()
                else:
                    site.bodies.append(body)
                    site.keys.append(self.headers.get("api-key"))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def spans(self):
        return [span for body in list(self.bodies) for span in spans_in(body)]

    def wait_for(self, good):
        deadline = time.monotonic() + 20
        while not good(self.spans()):
            assert time.monotonic() < deadline, self.spans()
            time.sleep(0.02)
        return self.spans()


def fields(data):
    """The fields of a protobuf message, in order: (number, value)."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = varint()
        size = {0: None, 1: 8, 5: 4}.get(tag & 7)
        if tag & 7 == 0:
            yield tag >> 3, varint()
            continue
        size = varint() if tag & 7 == 2 else size
        yield tag >> 3, data[at:at + size]
        at += size


def attributes(items):
    out = {}
    for item in items:
        pair = dict(fields(item))
        value = dict(fields(pair[2]))
        out[pair[1].decode()] = value[1].decode() if 1 in value else value.get(3, value.get(2))
    return out


def spans_in(body):
    """Spans of an ExportTraceServiceRequest."""
    for _, resource_spans in fields(body):
        resource = attributes(v for n, v in fields(dict(fields(resource_spans))[1]) if n == 1)
        for number, scope_spans in fields(resource_spans):
            for inner, span in fields(scope_spans) if number == 2 else ():
                if inner != 2:
                    continue
                parts = list(fields(span))
                one = dict(parts)
                links = [dict(fields(v)) for n, v in parts if n == 13]
                yield {"trace": one[1].hex(), "id": one[2].hex(), "parent": one.get(4, b"").hex(), "name": one[5].decode(),
                       "kind": one[6], "attributes": attributes(v for n, v in parts if n == 9), "resource": resource,
                       "links": [{"trace": l[1].hex(), "span": l[2].hex(), "state": l.get(3, b"").decode()} for l in links]}


def post(server, path, body, **headers):
    status, text = server.ask("POST", path, body, **headers)
    assert status == 200, text
    return json.loads(text)


def an_event_has_a_trace_that_its_caller_is_linked_to(server, site):
    site.away = 2  # The collector is not there at first: nothing is lost.
    post(server, "/api/v1/manifests", MANIFESTS.replace("URL", site.url), **{
        "Content-Type": "application/yaml", "traceparent": f"00-{CALLER}-b7ad6b7169203331-01", "tracestate": "congo=1"})
    spans = site.wait_for(lambda all: any(s["name"] == "do action:grants/open" for s in all))
    root = next(s for s in spans if s["name"] == "LiveEvent feast")
    assert root["parent"] == "" and root["trace"] != CALLER, root
    assert root["links"][0]["trace"] == CALLER and root["links"][0]["state"] == "congo=1", root
    request = next(s for s in spans if s["trace"] == CALLER)
    assert request["name"] == "POST /api/v1/manifests" and request["parent"] == "b7ad6b7169203331", request
    assert request["id"] == root["links"][0]["span"] and request["kind"] == 2, request
    action = next(s for s in spans if s["name"] == "do action:grants/open")
    assert action["trace"] == root["trace"] and action["kind"] == 3, action
    assert site.heard == [f"00-{root['trace']}-{action['id']}-01"], site.heard
    resource = root["resource"]
    assert resource["service.name"] == "stage-left" and resource["deployment.environment"] == "e2e", resource
    assert len(resource["service.instance.id"]) == 36 and set(site.keys) == {"a b"}, (resource, site.keys)
    names = {s["name"] for s in spans if s["trace"] == root["trace"]}
    assert {"validation", "do flag:door"} <= names, names
    return root["trace"]


def what_went_on_over_a_restart_is_told_as_a_whole(server, site, trace):
    server.end()
    server.start()
    post(server, "/api/v1/events/feast/ready", json.dumps({"check": "probe:enter"}))
    spans = site.wait_for(lambda all: any(s["name"] == "preparation" for s in all))
    known = [s for s in spans if s["trace"] == trace]
    assert any(s["name"] == "readiness probe:enter" for s in known), known
    assert len({s["id"] for s in known}) == len(known), "a span was told twice"
    root = next(s for s in known if s["name"] == "LiveEvent feast")
    assert all(s["parent"] == root["id"] for s in known if s != root), known


SECOND = """
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: encore, owner: team-e2e }
spec:
  schedule: { start: 2099-01-01T00:00:00Z }
  priority: 7
  changes: [ { flag: { key: door, to: open } } ]
  rollout: { stages: [ { name: all, exposure: 100%, bake: 1m, gated: false } ] }
"""


def what_a_killed_server_had_not_told_the_next_one_tells(server, site):
    site.wait_for(lambda all: os.path.exists(os.path.join(server.data, "spans-untold")))
    site.away = 1_000_000
    post(server, "/api/v1/manifests", SECOND, **{"Content-Type": "application/yaml"})
    deadline = time.monotonic() + 20
    while site.away == 1_000_000:  # It has been told at least once that the collector is away.
        assert time.monotonic() < deadline
        time.sleep(0.02)
    server.end(signal.SIGKILL)
    before = {s["id"] for s in site.spans()}
    site.away = 0
    server.start()
    spans = site.wait_for(lambda all: any(s["name"] == "LiveEvent encore" for s in all))
    root = next(s for s in spans if s["name"] == "LiveEvent encore")
    site.wait_for(lambda all: any(s["name"] == "validation" and s["trace"] == root["trace"] for s in all))
    again = [s for s in site.spans() if s["id"] in before]
    assert len(again) == len(before), "what was told is not told again"


def log_lines_say_where_they_belong(server, trace):
    lines = [json.loads(line) for line in open(server.log)]
    staged = next(line for line in lines if line.get("kind") == "stage_entered")
    assert staged["trace_id"] == trace and len(staged["span_id"]) == 16 and staged["event"] == "feast", staged
    assert staged["seq"] > 0, staged
    reached = [line["message"] for line in lines if "collector" in line["message"]]
    assert any("503" in line for line in reached) and any("takes spans again" in line for line in reached), reached


def an_allocation_hands_its_trace_on(server):
    status, text = server.ask("POST", "/api/v1/allocations", json.dumps({"session": "s", "fleet": "none", "players": ["p"]}),
                              traceparent=f"00-{CALLER}-b7ad6b7169203331-01")
    assert status >= 400 and json.loads(text)["trace"] == CALLER, text


def what_is_counted_is_told(server, site):
    status, text = server.ask("GET", "/metrics")
    sent = next(line for line in text.splitlines() if line.startswith('showcaller_spans_total{outcome="sent"}'))
    assert status == 200 and int(sent.split()[1]) > 0, sent


def opentelemetry_reads_the_same(site, folder):
    modules = os.path.join(BINARY, "opentelemetry")
    home = os.path.join(SOURCE, "tests", "opentelemetry")
    installed = subprocess.run([os.path.join(SOURCE, "tools", "install_npm"), home, modules], timeout=120)
    if installed.returncode == SKIPPED:
        print("SKIPPED: OpenTelemetry's library is not there, so nothing was held against it")
        return
    installed.check_returncode()
    files = []
    for i, body in enumerate(site.bodies):
        files.append(os.path.join(folder, f"{i}.pb"))
        with open(files[-1], "wb") as file:
            file.write(body)
    done = subprocess.run(["node", os.path.join(home, "read_spans.cjs"), os.path.join(modules, "node_modules"), *files],
                          capture_output=True, text=True, timeout=60, check=True)
    theirs = [span for line in done.stdout.splitlines() for resource in json.loads(line)["resourceSpans"]
              for scope in resource["scopeSpans"] for span in scope["spans"]]
    assert [s["name"] for s in theirs] == [s["name"] for s in site.spans()], theirs
    for span in theirs:
        assert int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"]) > 1.7e18, span
    assert any(s.get("status", {}).get("code") == "STATUS_CODE_OK" for s in theirs), theirs


def main():
    folder = tempfile.mkdtemp(prefix="showcaller-trace-")
    site = Site()
    os.environ.update({"OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b", "OTEL_SERVICE_NAME": "stage-left",
                       "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=e2e"})
    server = RealServer(PROGRAM, os.path.join(folder, "state"), "--otlp-endpoint", site.url, "--pass-every", "20ms")
    try:
        server.start()
        trace = an_event_has_a_trace_that_its_caller_is_linked_to(server, site)
        what_went_on_over_a_restart_is_told_as_a_whole(server, site, trace)
        what_a_killed_server_had_not_told_the_next_one_tells(server, site)
        log_lines_say_where_they_belong(server, trace)
        an_allocation_hands_its_trace_on(server)
        what_is_counted_is_told(server, site)
        opentelemetry_reads_the_same(site, folder)
    finally:
        server.end()
        site.shutdown()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
