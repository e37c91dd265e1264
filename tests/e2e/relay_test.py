#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Relays in front of the real server: what they serve, what they go on serving when it is gone, kill switches that were
thrown meanwhile, and what the journal tells when the line is back.

    relay_test.py PROGRAM
"""
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from real_server import RealServer

PROGRAM = os.path.abspath(sys.argv[1])
METRIC = """
apiVersion: showcaller.dev/v1
kind: Metric
metadata: { name: match.lost, owner: team-e2e }
spec: { type: binary, source: otlp, otlp: { total: matches, bad_where: { outcome: lost } } }
"""
FLAGS = """
apiVersion: showcaller.dev/v1
kind: Flag
metadata: {{ name: door, owner: team-e2e }}
spec:
  visibility: client
  variants: {{ open: true, shut: false }}
  defaultVariant: {door}
  offVariant: shut
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: {{ name: hidden, owner: team-e2e }}
spec: {{ variants: {{ a: 1 }}, defaultVariant: a }}
"""


class Relay:
    def __init__(self, folder, name, upstream, token):
        self.name, self.upstream, self.folder = name, upstream, os.path.join(folder, name)
        self.token_file = self.folder + ".token"
        with open(self.token_file, "w") as file:
            file.write(token + "\n")
        self.process = None

    def start(self):
        url_file = self.folder + ".url"
        if os.path.exists(url_file):
            os.unlink(url_file)
        with open(self.folder + ".log", "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "relay", "--upstream", self.upstream, "--token-file", self.token_file, "--region", "eu",
                 "--name", self.name, "--data", self.folder, "--port", "0", "--port-file", url_file],
                stdout=log, stderr=log)
        until(lambda: os.path.exists(url_file) and os.path.getsize(url_file), self.process)
        self.url = open(url_file).read().strip()
        return self

    def end(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)

    def ask(self, method, path, body=None, token=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", int(self.url.rsplit(":", 1)[1]), timeout=20)
        if token:
            headers["Authorization"] = "Bearer " + token
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def door(self, token):
        status, text = self.ask("POST", "/ofrep/v1/evaluate/flags/door", '{"context":{"targetingKey":"p-1"}}', token)
        return json.loads(text)["value"] if status == 200 else status

    def health(self):
        return json.loads(self.ask("GET", "/livez")[1])


def until(what, process=None):
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline, "too late"
        assert process is None or process.poll() is None, "it ended"
        time.sleep(0.02)


def first_event(relay, token, method="GET", body=None):
    connection = http.client.HTTPConnection("127.0.0.1", int(relay.url.rsplit(":", 1)[1]), timeout=20)
    connection.request(method, "/api/v1/flags/stream", body, {"Authorization": "Bearer " + token})
    answer = connection.getresponse()
    if answer.status != 200:
        return answer.status
    event = {}
    while "data" not in event:
        line = answer.readline().decode().strip()
        if ": " in line and not line.startswith(":"):
            event.__setitem__(*line.split(": ", 1))
    connection.close()
    return event


def batch(sequence):
    return json.dumps({"source": "s1", "sequence": sequence, "trust": "server", "deltas": [{"metric": "error", "n": 1}]})


# Deltas of the batches above: they belong to no session. (What relays report of evaluations is taken.)
def counted(server):
    text = server.ask("GET", "/metrics")[1]
    name = 'showcaller_telemetry_deltas_total{outcome="no_session"} '
    return int(text.split(name, 1)[1].split()[0]) if name in text else 0


def it_serves_what_the_server_serves(server, relay, tokens):
    until(lambda: relay.ask("GET", "/readyz")[0] == 200)
    until(lambda: relay.door(tokens["client"]) is False)
    assert relay.ask("POST", "/ofrep/v1/evaluate/flags/hidden", "{}", tokens["client"])[0] == 404
    assert relay.door("sc_unknown") == 401 and relay.door(None) == 401
    snapshot = first_event(relay, tokens["game-server"])
    document = json.loads(server.ask("GET", "/api/v1/flags/snapshot")[1])
    assert json.loads(snapshot["data"]) == document, snapshot
    assert first_event(relay, tokens["client"]) == 403
    decided = json.loads(first_event(relay, tokens["client"], "POST", '{"context":{"targetingKey":"p-1"}}')["data"])
    assert list(decided["flags"]) == ["door"], decided
    server.ask("POST", "/api/v1/manifests", FLAGS.format(door="open"))
    until(lambda: relay.door(tokens["client"]) is True)
    before = counted(server)
    assert relay.ask("POST", "/api/v1/telemetry", batch(1), tokens["game-server"])[0] == 202
    assert relay.ask("POST", "/api/v1/telemetry", batch(1), tokens["game-server"])[0] == 202  # Once.
    until(lambda: counted(server) == before + 1)
    # Evaluations are counted as they were answered here.
    until(lambda: evaluations_of(server, "door"))
    # A clean end hands on what waits.
    assert relay.ask("POST", "/api/v1/telemetry", batch(2), tokens["game-server"])[0] == 202
    relay.end()
    assert counted(server) == before + 2
    relay.start()
    assert relay.health()["batches_waiting"] == 0
    until(lambda: relay.health()["line"])


def evaluations_of(server, flag):
    stale = json.loads(server.ask("GET", "/api/v1/flags/stale?after=1s")[1])
    return any(row["flag"] == flag and row["evaluations"].isdigit() and int(row["evaluations"]) > 0 for row in stale["flags"])


def export(sender, matches, at):
    point = {"startTimeUnixNano": str(at - 10**9), "timeUnixNano": str(at), "asInt": str(matches), "attributes": []}
    resource = [{"key": "service.instance.id", "value": {"stringValue": sender}}]
    metric = {"name": "matches", "sum": {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [point]}}
    return json.dumps({"resourceMetrics": [{"resource": {"attributes": resource}, "scopeMetrics": [{"metrics": [metric]}]}]})


def send_points(relay, token, *what):
    return relay.ask("POST", "/v1/metrics", export(*what), token, **{"Content-Type": "application/json"})


def points(server, outcome):
    text = server.ask("GET", "/metrics")[1]
    name = 'showcaller_otlp_points_total{outcome="%s"} ' % outcome
    return int(text.split(name, 1)[1].split()[0]) if name in text else 0


def it_hands_exports_of_opentelemetry_on(server, relay, tokens):
    assert server.ask("POST", "/api/v1/manifests", METRIC)[0] == 200
    now = time.time_ns()
    assert send_points(relay, tokens["game-server"], "s1", 5, now) == (200, "{}")
    assert send_points(relay, tokens["client"], "s1", 7, now)[0] == 200, "another sender, though it says the same"
    until(lambda: points(server, "taken") == 2)
    assert send_points(relay, tokens["game-server"], "s1", 5, now)[0] == 200
    until(lambda: points(server, "repeated") == 1)
    assert send_points(relay, "sc_unknown", "s1", 5, now)[0] == 401
    assert relay.ask("POST", "/v1/metrics", "{", tokens["game-server"], **{"Content-Type": "application/json"})[0] == 200
    until(lambda: 'showcaller_relay_dropped_total{what="refused"} 1' in relay.ask("GET", "/metrics", token=tokens["operator"])[1])


def parts(server):
    status, text = server.ask("GET", "/api/v1/health")
    assert status == 200, text
    return {part["kind"] + " " + part["name"]: part["ok"] for part in json.loads(text)["parts"]}


def the_server_tells_what_it_rests_on(server, relay):
    wanted = {"journal journal": True, "evidence evidence": True, "driver process": True, "relay " + relay.name: True}
    until(lambda: parts(server) == wanted)


def cut_off_it_goes_on_and_its_switches_may_be_thrown(relay, below, tokens):
    until(lambda: not relay.health()["line"])
    assert relay.door(tokens["client"]) is True
    # Also from the disk alone.
    relay.end(signal.SIGKILL)
    relay.start()
    below.upstream = relay.url
    assert relay.door(tokens["client"]) is True
    assert relay.ask("POST", "/api/v1/telemetry", batch(3), tokens["game-server"])[0] == 202
    waiting = relay.health()["batches_waiting"]
    relay.end()  # Cut off, it keeps what it cannot hand on.
    relay.start()
    assert relay.health()["batches_waiting"] >= waiting >= 1
    assert send_points(relay, tokens["game-server"], "s2", 1, time.time_ns())[0] == 200 and relay.health()["exports_waiting"] == 1
    why = '{"reason":"players fall through it"}'
    assert relay.ask("POST", "/api/v1/flags/door/kill", why, tokens["client"])[0] == 403
    assert relay.ask("POST", "/api/v1/flags/dooor/kill", why, tokens["operator"])[0] == 404
    status, text = relay.ask("POST", "/api/v1/flags/door/kill", why, tokens["operator"])
    assert status == 200 and "off at this relay" in text, text
    assert relay.door(tokens["client"]) is False
    assert relay.ask("POST", "/api/v1/flags/door/reopen", "{}", tokens["operator"])[0] == 200
    assert relay.door(tokens["client"]) is True
    assert relay.ask("POST", "/api/v1/flags/door/kill", why, tokens["operator"])[0] == 200
    relay.end(signal.SIGKILL)  # What was acknowledged outlasts it.
    relay.start()
    assert relay.door(tokens["client"]) is False
    # A relay below this one learns of it, and tells what is thrown there.
    below.upstream = relay.url
    below.start()
    until(lambda: below.door(tokens["client"]) is False)
    assert below.ask("POST", "/api/v1/flags/hidden/kill", "{}", tokens["operator"])[0] == 200
    until(lambda: "hidden" in relay_switches(relay, tokens))


def relay_switches(relay, tokens):
    state = json.loads(relay.ask("GET", "/api/v1/relay", token=tokens["relay"])[1])
    return {key for key, flag in state["flags"].items() if flag.get("switch", {}).get("off")}


def the_journal_has_both_histories_and_a_reopening_comes_down(server, relay, below, tokens):
    def lines():
        records = json.loads(server.ask("GET", "/api/v1/history?kind=flag_switch_merged")[1])["records"]
        return {record["payload"]["flag"]: record for record in records}

    until(lambda: set(lines()) == {"door", "hidden"})
    door = lines()["door"]
    assert door["actor"] == "relay" and door["payload"]["place"] == "relay-a", door
    there = door["payload"]["there"]
    assert [(move.get("off", False), move.get("reopened", 0)) for move in there] == [(True, 0), (False, 1), (True, 1)], there
    assert all(move["actor"] == "operator" for move in there) and there[0]["reason"] == "players fall through it"
    told = run("history", "--kind", "flag_switch_merged", SHOWCALLER_SERVER=server.url, SHOWCALLER_TOKEN=server.token)
    assert "door is off; at relay-a: killed by operator" in told, told
    until(lambda: relay.health()["line"] and relay.health()["moves_untold"] == 0)
    assert server.ask("POST", "/ofrep/v1/evaluate/flags/door", "{}", tokens["client"])[1].find('"value":false') > 0
    assert server.ask("POST", "/api/v1/flags/door/reopen", '{"reason":"mended"}')[0] == 200
    until(lambda: relay.door(tokens["client"]) is True and below.door(tokens["client"]) is True)
    until(lambda: relay.health()["batches_waiting"] == 0)
    assert counted(server) == 1  # Since the server began anew: the one that waited over two ends of the relay.
    # Killed above, it is not re-opened below.
    assert server.ask("POST", "/api/v1/flags/door/kill", "{}")[0] == 200
    until(lambda: relay.door(tokens["client"]) is False)
    until(lambda: "door" in relay_switches(relay, tokens))
    assert relay.ask("POST", "/api/v1/flags/door/reopen", "{}", tokens["operator"])[0] == 409


def run(*words, **environment):
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=60, env={**os.environ, **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = RealServer(PROGRAM, folder + "/data", "--log-level", "warning").start()
        relays = []
        try:
            assert server.ask("POST", "/api/v1/manifests", FLAGS.format(door="shut"))[0] == 200
            tokens = {}
            for role in ["relay", "game-server", "client", "operator"]:
                status, text = server.ask("POST", "/api/v1/tokens", json.dumps({"name": role, "roles": [role]}))
                assert status == 201, text
                tokens[role] = json.loads(text)["token"]
            relay = Relay(folder, "relay-a", server.url, tokens["relay"])
            below = Relay(folder, "relay-b", "", tokens["relay"])
            relays = [relay, below]
            it_serves_what_the_server_serves(server, relay.start(), tokens)
            the_server_tells_what_it_rests_on(server, relay)
            it_hands_exports_of_opentelemetry_on(server, relay, tokens)
            port = server.port
            server.end(signal.SIGKILL)
            cut_off_it_goes_on_and_its_switches_may_be_thrown(relay, below, tokens)
            server.start(port)
            the_journal_has_both_histories_and_a_reopening_comes_down(server, relay, below, tokens)
        except BaseException:
            for relay in relays:
                print(relay.name, open(relay.folder + ".log").read()[-3000:] if os.path.exists(relay.folder + ".log") else "")
            raise
        finally:
            for relay in relays:
                relay.end()
            server.end()
    print("relays serve, cut off and not")


main()
