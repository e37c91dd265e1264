#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Metrics that others count, judged by the real server: OpenTelemetry's own exporters (npm; left out where there is none, and it
says so), and a real Prometheus that scrapes a real endpoint, goes away and comes back.

    metrics_in_test.py PROGRAM SOURCE_FOLDER BINARY_FOLDER
"""
import glob
import gzip
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from real_server import RealServer

PROGRAM, SOURCE, BINARY = map(os.path.abspath, sys.argv[1:4])
MANIFESTS = """
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: door, owner: ops }
spec: { variants: { open: true, shut: false }, defaultVariant: shut }
---
apiVersion: showcaller.dev/v1
kind: Metric
metadata: { name: match.lost, owner: ops }
spec: { type: binary, source: otlp, otlp: { total: matches.ended, bad_where: { outcome: lost } } }
---
apiVersion: showcaller.dev/v1
kind: Metric
metadata: { name: join.slow, owner: ops }
spec: { type: binary, unit: ms, source: otlp, otlp: { total: join.time, bad_above: 250 } }
---
apiVersion: showcaller.dev/v1
kind: Metric
metadata: { name: load.time, owner: ops }
spec: { type: quantile, unit: ms, source: otlp }
---
apiVersion: showcaller.dev/v1
kind: Metric
metadata: { name: grants.failed, owner: ops }
spec:
  type: binary
  source: prometheus
  queries:
    total: sum by (instance) (grants_total{event="{{event}}", arm="{{arm}}"})
    bad: sum by (instance) (grants_total{event="{{event}}", arm="{{arm}}", outcome="failed"})
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: parade, owner: ops }
spec:
  changes:
    - flag: { key: door, to: open }
  rollout:
    unit: player
    stages:
      - { name: half, exposure: 50%, bake: 1h }
      - { name: world, exposure: 100%, bake: 1h }
  gates:
    - { name: lost, metric: match.lost, at_most: 90%, on_fail: hold }
    - { name: slow, metric: join.slow, at_most: 99%, on_fail: hold }
    - { name: load, metric: load.time, quantile: 0.9, at_most: 1000, on_fail: hold }
    - { name: grants, metric: grants.failed, at_most: 50%, on_fail: hold }
  analysis: { tick: 1s }
"""


class Endpoint:
    """A service's /metrics, which counts on with each scrape."""

    def __init__(self):
        self.granted = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.granted += 50
                body = "".join(f'grants_total{{event="parade",arm="{arm}",outcome="{outcome}"}} {count}\n'
                               for arm in ("canary", "baseline")
                               for outcome, count in (("ok", outer.granted), ("failed", outer.granted // 25)))
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(("# TYPE grants_total counter\n" + body).encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def address(self):
        return "127.0.0.1:%d" % self.server.server_address[1]


class Prometheus:
    def __init__(self, folder, target):
        self.folder = folder
        with open(os.path.join(folder, "prometheus.yml"), "w") as file:
            file.write("global: { scrape_interval: 1s, scrape_timeout: 1s }\n"
                       "scrape_configs: [ { job_name: grants, static_configs: [ { targets: ['%s'] } ] } ]\n" % target)

    def start(self, port=0):
        log = os.path.join(self.folder, "prometheus.log")
        open(log, "w").close()
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                ["prometheus", "--config.file=" + os.path.join(self.folder, "prometheus.yml"),
                 "--storage.tsdb.path=" + os.path.join(self.folder, "tsdb"), "--web.listen-address=127.0.0.1:%d" % port],
                stdout=out, stderr=out)
        deadline = time.monotonic() + 30
        while True:
            found = re.search(r'msg="Listening on" address=127.0.0.1:(\d+)', open(log).read())
            if found:
                self.port = int(found.group(1))
                return self
            assert self.process.poll() is None and time.monotonic() < deadline, open(log).read()[-2000:]
            time.sleep(0.05)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)


def until(what, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        seen = condition()
        if seen:
            return seen
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def gate(server, name):
    status, text = server.ask("GET", "/api/v1/events/parade")
    assert status == 200, text
    return json.loads(text).get("gates", {}).get(name, {})


def judged(server, metric):
    """What the evidence has of the canary's metric so far, all ticks together: n, x and the values of its histogram."""
    n = x = values = 0
    for path in glob.glob(os.path.join(server.data, "evidence", "parade+r1+v*.evidence")):
        for line in open(path):
            tick = json.loads(line[65:]).get("absolute", {}).get(metric, {})
            histogram = tick.get("histogram", {})
            n, x = n + tick.get("n", 0), x + tick.get("x", 0)
            values += histogram.get("zero", 0) + sum(histogram.get("counts", []))
    return n, x, values


def counted(server, name):
    status, text = server.ask("GET", "/metrics")
    assert status == 200, text
    found = re.search(r"^%s (\S+)$" % re.escape(name), text, re.M)
    return float(found.group(1)) if found else 0


def test_what_is_answered(server):
    for path in ("/v1/metrics", "/api/v1/otlp/v1/metrics"):
        status, text = server.ask("POST", path, b"{}", **{"Content-Type": "application/json"})
        assert (status, text) == (200, "{}"), (status, text)
    packed = gzip.compress(b'{"resourceMetrics":[]}')
    status, text = server.ask("POST", "/v1/metrics", packed,
                              **{"Content-Type": "application/json", "Content-Encoding": "gzip"})
    assert (status, text) == (200, "{}"), (status, text)
    status, text = server.ask("POST", "/v1/metrics", b'{"resourceMetrics":[{]}', **{"Content-Type": "application/json"})
    assert status == 400 and json.loads(text)["code"] == 3 and "byte 21" in json.loads(text)["message"], (status, text)
    status, _ = server.ask("POST", "/v1/metrics", b"\x0a\xff", **{"Content-Type": "application/x-protobuf"})
    assert status == 400, status
    status, _ = server.ask("POST", "/v1/metrics", b"a: b", **{"Content-Type": "application/yaml"})
    assert status == 415, status
    status, _ = server.ask("POST", "/v1/metrics", b"{}", token="nobody", **{"Content-Type": "application/json"})
    assert status == 401, status


def test_opentelemetry(server, into):
    token = open(os.path.join(server.data, "game-servers.token")).read().strip()
    for encoding in ("protobuf", "json"):
        before = counted(server, 'showcaller_otlp_points_total{outcome="taken"}')
        done = subprocess.run(
            ["node", os.path.join(SOURCE, "tests/opentelemetry/clients.mjs"), encoding, server.url + "/v1/metrics", token],
            capture_output=True, text=True, timeout=120, env={**os.environ, "NODE_FOLDER": into})
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["said"] == [], done.stdout
        # Two series of matches and one of each histogram, of two servers; each exports its totals once more at its end.
        assert counted(server, 'showcaller_otlp_points_total{outcome="taken"}') - before == 2 * 2 * 4, encoding
    # The gauge and nobody's counter are nobody's.
    assert counted(server, 'showcaller_otlp_points_total{outcome="unmapped"}') == 2 * 2 * 2 * 2
    # 40 of 100 of the canary's were lost, twice; the join took longer than a quarter of a second in 74 of 100.
    until("what was lost is judged", lambda: judged(server, "match.lost") == (200, 80, 0))
    assert judged(server, "join.slow") == (200, 148, 0), judged(server, "join.slow")
    assert judged(server, "load.time") == (0, 0, 200), judged(server, "load.time")


def test_prometheus(server, prometheus):
    until("Prometheus' counts are judged", lambda: judged(server, "grants.failed")[0] > 0)
    until("the gate sees", lambda: gate(server, "grants").get("verdict") != "blind")
    prometheus.end()
    blind = until("the gate is blind", lambda: gate(server, "grants").get("verdict") == "blind" and gate(server, "grants"))
    assert "Prometheus at http://127.0.0.1" in blind["why"], blind
    before = judged(server, "grants.failed")
    prometheus.start(prometheus.port)
    until("it sees again", lambda: gate(server, "grants").get("verdict") != "blind")
    n, x, _ = until("and counts on", lambda: judged(server, "grants.failed")[0] > before[0] and judged(server, "grants.failed"))
    assert 0.02 < x / n < 0.06, (n, x)


def main():
    with tempfile.TemporaryDirectory(prefix="showcaller-e2e-") as folder:
        endpoint = Endpoint()
        prometheus = Prometheus(folder, endpoint.address()).start() if shutil.which("prometheus") else None
        words = ["--prometheus", "http://127.0.0.1:%d" % prometheus.port] if prometheus else []
        server = RealServer(PROGRAM, os.path.join(folder, "state"), *words)
        try:
            server.start()
            test_what_is_answered(server)
            status, text = server.ask("POST", "/api/v1/manifests", MANIFESTS, **{"Content-Type": "application/yaml"})
            assert status == 200, (status, text)
            until("it rolls out", lambda: json.loads(server.ask("GET", "/api/v1/events/parade")[1])["phase"] == "RollingOut")
            until("its stage is judged", lambda: gate(server, ""))
            into = os.path.join(BINARY, "opentelemetry-npm")
            installed = subprocess.run([os.path.join(SOURCE, "tools/install_npm"), os.path.join(SOURCE, "tests/opentelemetry"), into])
            if installed.returncode == 0:
                test_opentelemetry(server, into)
            else:
                print("OpenTelemetry's exporters are left out: npm has none")
            if prometheus:
                test_prometheus(server, prometheus)
            else:
                print("Prometheus is left out: it is not installed")
        finally:
            server.end()
            if prometheus:
                prometheus.end()
            endpoint.server.shutdown()
    print("ok")


if __name__ == "__main__":
    main()
