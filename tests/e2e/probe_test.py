#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Probes of the real program: journeys of the server itself and of a prober elsewhere, what an event makes of them,
and one journey from the command line.

    probe_test.py PROGRAM
"""
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

PROGRAM = os.path.abspath(sys.argv[1])
MANIFESTS = """
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: game, owner: team-e2e }
spec: { url: "URL/api" }
---
apiVersion: showcaller.dev/v1
kind: Probe
metadata: { name: enter, owner: team-e2e }
spec:
  service: game
  every: 200ms
  timeout: 200ms
  steps:
    - name: enter
      http: { method: POST, url: /enter, body: "{}" }
      expect: { json: { /state: open } }
      keep: { session: /session }
    - name: play
      http: { url: "/sessions/${session}" }
      expect: { status: [204] }
    - script: { command: [/bin/sh, -c, 'test "$0" = s-1 && test -z "$SHOWCALLER_SECRET"', "${session}"] }
---
apiVersion: showcaller.dev/v1
kind: Probe
metadata: { name: from-afar, owner: team-e2e }
spec:
  regions: [ap]
  every: 200ms
  timeout: 200ms
  steps: [ { http: { url: "URL/api/from/${region}" } } ]
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: door, owner: team-e2e }
spec: { variants: { open: true, shut: false }, defaultVariant: shut }
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: feast, owner: team-e2e }
spec:
  changes: [ { flag: { key: door, to: open } } ]
  readiness: { probes: [enter, from-afar] }
  rollout: { stages: [ { name: world, exposure: 100%, bake: 1h, gated: false } ] }
"""


class Game(http.server.ThreadingHTTPServer):
    def __init__(self):
        self.state, self.traces, self.asked = "shut", set(), set()
        game = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, body=b""):
                game.asked.add(self.path)
                game.traces.add(self.headers.get("traceparent"))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(200, json.dumps({"state": game.state, "session": "s-1"}).encode())

            def do_GET(self):
                self.answer(204)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


def run(server, *words, token=None):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SHOWCALLER_")}
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=60,
                          env={**clean, "SHOWCALLER_SERVER": server.url, "SHOWCALLER_TOKEN": token or server.token})


def wait_for(what, good):
    deadline = time.monotonic() + 20
    while True:
        seen = what()
        if good(seen):
            return seen
        assert time.monotonic() < deadline, seen
        time.sleep(0.05)


def event(server):
    return json.loads(server.ask("GET", "/api/v1/events/feast")[1])


def probes(server):
    return {p["probe"]: p for p in json.loads(server.ask("GET", "/api/v1/probes")[1])}


def an_event_waits_for_its_probes(server, game):
    status, text = server.ask("POST", "/api/v1/manifests", MANIFESTS.replace("URL", game.url),
                              traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                              **{"Content-Type": "application/yaml"})
    assert status == 200, text
    known = wait_for(lambda: probes(server), lambda p: p["enter"]["places"])
    assert known["enter"]["says"] == 'enter: /state is "shut" instead of "open"', known
    assert known["from-afar"]["says"] == "ap: no journey yet", known
    wait_for(lambda: event(server)["readiness"], lambda r: "enter: /state" in r.get("probe:enter", {}).get("detail", ""))
    game.state = "open"
    wait_for(lambda: event(server)["readiness"], lambda r: r["probe:enter"].get("ready"))
    assert "/api/sessions/s-1" in game.asked, game.asked
    assert event(server)["phase"] == "Preparing", event(server)
    assert any(t and re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", t) for t in game.traces), game.traces


def a_prober_elsewhere_reports_from_its_region(server, game):
    made = run(server, "token", "create", "ap-prober", "--role", "prober", "-o", "json")
    token = json.loads(made.stdout)["token"]
    assert server.ask("GET", "/api/v1/events", token=token)[0] == 403, "a prober reads nothing else"
    prober = subprocess.Popen([PROGRAM, "probe", "run", "--region", "ap"], stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "SHOWCALLER_SERVER": server.url, "SHOWCALLER_TOKEN": token})
    try:
        wait_for(lambda: event(server)["phase"], lambda phase: phase == "RollingOut")
        assert "/api/from/ap" in game.asked, game.asked
        assert probes(server)["from-afar"]["places"][0]["region"] == "ap", probes(server)
    finally:
        prober.send_signal(signal.SIGTERM)
        _, said = prober.communicate(timeout=20)
    assert prober.returncode == 0 and "token" not in said, said


def a_client_is_no_probe(server):
    made = run(server, "token", "create", "player", "--role", "client", "-o", "json")
    token = json.loads(made.stdout)["token"]
    before = probes(server)["from-afar"]["places"][0]["failed"]
    batch = {"source": "s", "sequence": 1, "trust": "probe", "deltas": [{"metric": "probe.from-afar", "stratum": "ap", "n": 1, "x": 1}]}
    status, text = server.ask("POST", "/api/v1/telemetry", json.dumps(batch), token=token)
    assert status in (200, 202) and json.loads(text)["dropped"] == {"no_session": 1}, text
    assert probes(server)["from-afar"]["places"][0]["failed"] == before


def one_journey_at_once(server, game):
    done = run(server, "probe", "run", "enter", "--once", "-o", "json")
    told = json.loads(done.stdout)[0]
    assert done.returncode == 0 and told["good"] and [s["step"] for s in told["steps"]] == ["enter", "play", "script-3"], done
    game.state = "shut"
    done = run(server, "probe", "run", "enter", "--once")
    assert done.returncode == 1 and "instead of" in done.stdout, done
    assert run(server, "probe", "list").stdout.count("\n") >= 3
    assert run(server, "probe", "run").returncode == 2
    wait_for(lambda: open(server.log).read(), lambda log: "probe enter fails: enter: /state" in log)


# The last journey is under way when the server is told to end: its outcome finds the host still there.
SLOW = """
apiVersion: showcaller.dev/v1
kind: Probe
metadata: { name: slow, owner: team-e2e }
spec: { every: 1s, timeout: 1s, steps: [ { http: { url: "URL/slow" } } ] }
"""


def what_is_under_way_outlives_no_server(server, game):
    asked = threading.Event()
    answer = game.RequestHandlerClass.do_GET

    def never(handler):
        if handler.path != "/slow":
            return answer(handler)
        asked.set()
        threading.Event().wait(3)

    game.RequestHandlerClass.do_GET = never
    status, text = server.ask("POST", "/api/v1/manifests", SLOW.replace("URL", game.url), **{"Content-Type": "application/yaml"})
    assert status == 200 and asked.wait(20), text
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=20) == 0, open(server.log).read()[-2000:]
    # The host was still there to hear how it ended.
    assert "probe slow fails" in open(server.log).read(), open(server.log).read()[-2000:]


def main():
    folder = tempfile.mkdtemp(prefix="showcaller-probe-")
    os.environ["SHOWCALLER_SECRET"] = "never for scripts"
    game = Game()
    server = RealServer(PROGRAM, os.path.join(folder, "state"), "--pass-every", "20ms")
    try:
        server.start()
        an_event_waits_for_its_probes(server, game)
        a_prober_elsewhere_reports_from_its_region(server, game)
        a_client_is_no_probe(server)
        one_journey_at_once(server, game)
        what_is_under_way_outlives_no_server(server, game)
    finally:
        server.end()
        game.shutdown()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
