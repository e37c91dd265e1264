#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the real server with SIGKILL at random moments while commands flow, and starts it again.

Every acknowledged command is there after the restart, none twice; the chain holds; the world folded from record 1
equals the live one, which was read from snapshots; every living game server is adopted; each effect of a change-set's
actions happened once, and once undone, though the server died between the call and its answer; every player whose
allocation was answered with the canary is in the ledger.
Usage: crash_test.py PROGRAM [KILLS]; 20 kills, 200 in the nightly form. A failure prints the seed that repeats its choices.
"""
import http.client
import http.server
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from real_server import RealServer

MANIFEST = """
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: sleepers, owner: team-e2e }
spec:
  base: 1.0.0
  builds: [ { version: 1.0.0, command: [/bin/sleep, "600"] } ]
  regions: [ { name: local, zone: UTC } ]
  capacity: { min: 3, max: 3 }
  health: { start_timeout: 10m }
"""


# A game server of few words: Ready, Health, and Ready again soon after a session came.
GAME_SERVER = """
import json, os, time, urllib.request
url = "http://127.0.0.1:" + os.environ["AGONES_SDK_HTTP_PORT"]
def call(path, body=None):
    request = urllib.request.Request(url + path, body, {"Content-Type": "application/json"})
    return json.loads(urllib.request.urlopen(request, timeout=5).read() or b"{}")
call("/ready", b"{}")
while True:
    call("/health", b"{}")
    if call("/gameserver").get("status", {}).get("state") == "Allocated":
        call("/ready", b"{}")
    time.sleep(0.2)
"""

RAID = """
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: {{ name: raid, owner: team-e2e }}
spec:
  base: 1.0.0
  builds: [ {{ version: 1.0.0, command: {command} }}, {{ version: 1.1.0, command: {command} }} ]
  regions: [ {{ name: local, zone: UTC }} ]
  capacity: {{ min: 6, max: 12, buffer: 3, canary_min: 3 }}
  health: {{ start_timeout: 10m }}
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: {{ name: raid-night, owner: team-e2e }}
spec:
  changes:
    - build: {{ fleet: raid, version: 1.1.0 }}
  rollout:
    stages:
      - {{ name: half, exposure: 50%, bake: 10h, gated: false }}
      - {{ name: world, exposure: 100%, bake: 10h, gated: false }}
"""

EVENT = """
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: {{ name: feast-{n}, owner: team-e2e }}
spec:
  changes:
    - action: {{ do: grants/open-{n}, undo: grants/close-{n} }}
  rollout:
    stages:
      - {{ name: world, exposure: 100%, bake: 1h, gated: false }}
"""


class Grants(http.server.ThreadingHTTPServer):
    """Who is told to open and close, and does each once: by Idempotency-Key, as docs/lifecycle.md asks of a receiver."""

    def __init__(self, chance):
        self.lock, self.calls, self.effects = threading.Lock(), 0, []  # effects: (path, key), in order

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler):
                handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
                effect = (handler.path, handler.headers["Idempotency-Key"])
                with self.lock:
                    self.calls += 1
                    if effect not in self.effects:
                        self.effects.append(effect)
                    delay = chance.choice([0, 0, 0.05, 0.4])
                time.sleep(delay)  # The effect is there, and the answer on its way when the server dies.
                handler.send_response(200)
                handler.end_headers()

            def log_message(handler, *arguments):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Server(RealServer):
    def request(self, method, path, body=None, key=None, connection=None):
        headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
        status, text = self.ask(method, path, body, connection=connection, **headers)
        return status, json.loads(text) if text else None


def hammer(server, worker, acknowledged, tried, stop):
    """Stops and resumes a line of its own, over and over; keeps what was acknowledged."""
    number = 0
    connection = None
    while not stop.is_set():
        number += 1
        key = f"w{worker}-{tried['round']}-{number}"
        verb = "stop" if number % 2 else "resume"
        body = json.dumps({"scope": f"owner/w{worker}-{tried['round']}", "reason": key})
        tried["keys"].add(key)
        try:
            connection = connection or server.connect()
            status, answer = server.request("POST", f"/api/v1/line/{verb}", body, key, connection)
            if status == 200:
                acknowledged[key] = answer["seq"]
        except (OSError, http.client.HTTPException, ValueError):
            return  # The server is gone: its answer is not known.


def feasts(server, number, stop):
    """An event whose action takes effect outside, and soon after the order to take it back."""
    try:
        server.request("POST", "/api/v1/manifests", EVENT.format(n=number), f"apply-{number}")
        while not stop.is_set():
            _, event = server.request("GET", f"/api/v1/events/feast-{number}")
            if event["phase"] == "RollingOut":
                server.request("POST", f"/api/v1/events/feast-{number}/rollback", "{}")
                return
            stop.wait(0.02)
    except (OSError, http.client.HTTPException, ValueError):
        return


def plays(server, number, exposed, stop):
    """Sessions one after another; keeps those whose answer said canary, with their players."""
    session = 0
    while not stop.is_set():
        session += 1
        name = f"s{number}-{session}"
        players = [f"player-{number}-{session}-{i}" for i in range(2)]
        body = json.dumps({"session": name, "fleet": "raid", "party": name, "players": players})
        try:
            status, answer = server.request("POST", "/api/v1/allocations", body)
            if status < 300 and any(arm["arm"] == "canary" and not arm.get("spilled") for arm in answer["arms"]):
                exposed[name] = players
            stop.wait(0 if status < 300 else 0.02)
        except (OSError, http.client.HTTPException, ValueError):
            return


def check_ledger(server, exposed):
    """Whoever was told is in the ledger. The last page of rows is bounded, so each is asked for by name."""
    _, ledger = server.request("GET", "/api/v1/ledger/raid-night")
    assert ledger["count"] >= 2 * len(exposed), f"{ledger['count']} rows for {len(exposed)} sessions"
    for name, players in exposed.items():
        for player in players:
            _, rows = server.request("POST", "/api/v1/privacy/export", json.dumps({"player": player}))
            assert [row["session"] for row in rows["rows"]] == [name], f"{player} of {name} has {rows}"


def take_back_all(server):
    """Every event is rolled back in the end; returns how many there were."""
    deadline = time.monotonic() + 60
    while True:
        _, events = server.request("GET", "/api/v1/events")
        events = events["events"] if isinstance(events, dict) else events
        going = [e for e in events if e["phase"] not in ("RolledBack", "Cancelled")]
        if not going:
            return [e["name"] for e in events]
        assert time.monotonic() < deadline, f"not taken back: {going}"
        for event in going:
            if event["phase"] not in ("RollingBack", "Draft", "Validated", "Approved"):
                server.request("POST", f"/api/v1/events/{event['name']}/rollback", "{}")
            elif event["phase"] != "RollingBack":
                server.request("POST", f"/api/v1/events/{event['name']}/cancel", "{}")
        time.sleep(0.1)


def check_effects(grants, names):
    by_path = {}
    for path, key in grants.effects:
        by_path.setdefault(path, []).append(key)
    for path, keys in by_path.items():
        assert len(keys) == 1, f"{path} took effect {len(keys)} times, under {keys}"
    for name in names:
        number = name.split("-")[1]
        opened, closed = f"/api/open-{number}", f"/api/close-{number}"
        if opened not in by_path:
            continue
        assert closed in by_path, f"{opened} was never undone"
        order = [path for path, _ in grants.effects]
        assert order.index(opened) < order.index(closed), f"{closed} came before {opened}"
    return len([path for path in by_path if "open" in path])


def history(server):
    records, start = [], 1
    while start is not None:
        _, page = server.request("GET", f"/api/v1/history?from={start}&limit=1000")
        records += page["records"]
        start = page["next"]
    return records


def sleepers():
    out = subprocess.run(["pgrep", "-f", "-x", "/bin/sleep 600"], capture_output=True, text=True).stdout
    return set(out.split())


def main():
    program = os.path.abspath(sys.argv[1])
    usual = "200" if os.environ.get("SHOWCALLER_NIGHTLY") else "20"
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else int(os.environ.get("SHOWCALLER_KILLS", usual))
    seed = int(os.environ.get("SHOWCALLER_SEED", random.SystemRandom().randrange(1 << 32)))
    chance = random.Random(seed)
    print(f"seed {seed}, {kills} kills")
    before = sleepers()
    data = tempfile.mkdtemp(prefix="showcaller-crash.")
    server = Server(program, os.path.join(data, "state"), "--log-level", "warning", "--snapshot-every", "50")
    grants = Grants(random.Random(seed + 1))
    exposed = {}
    acknowledged, tried = {}, {"keys": set(), "round": 0}
    try:
        server.start()
        service = f"""
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: {{ name: grants, owner: team-e2e }}
spec: {{ url: "http://127.0.0.1:{grants.server_port}/api" }}
"""
        status, answer = server.request("POST", "/api/v1/manifests", MANIFEST + service)
        assert status == 200, answer
        deadline = time.monotonic() + 30
        while len(sleepers() - before) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        mine = sleepers() - before
        assert len(mine) == 3, f"{len(mine)} game servers run, not 3"
        game_server = os.path.join(data, "game_server.py")
        with open(game_server, "w") as file:
            file.write(GAME_SERVER)
        raid = RAID.format(command=json.dumps([sys.executable, game_server]))
        status, answer = server.request("POST", "/api/v1/manifests", raid)
        assert status == 200, answer
        deadline = time.monotonic() + 60
        while server.request("GET", "/api/v1/events/raid-night")[1]["phase"] != "RollingOut":
            assert time.monotonic() < deadline, server.request("GET", "/api/v1/events/raid-night")
            time.sleep(0.1)
        for tried["round"] in range(kills):
            stop = threading.Event()
            threads = [threading.Thread(target=hammer, args=(server, w, acknowledged, tried, stop)) for w in range(4)]
            threads.append(threading.Thread(target=feasts, args=(server, tried["round"], stop)))
            threads.append(threading.Thread(target=plays, args=(server, tried["round"], exposed, stop)))
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.02, 0.6))
            server.end(signal.SIGKILL)
            stop.set()
            for thread in threads:
                thread.join()
            server.start()
            assert sleepers() - before == mine, "a restart touched the game servers"
        snapshots = [name for name in os.listdir(os.path.join(data, "state")) if ".snapshot-" in name]
        assert snapshots, "no start was from a snapshot"
        assert exposed, "no allocation was answered with the canary"
        check_ledger(server, exposed)
        names = [name for name in take_back_all(server) if name.startswith("feast-")]
        opened = check_effects(grants, names)
        records = history(server)
        assert [r["seq"] for r in records] == list(range(1, len(records) + 1)), "the journal has gaps"
        effects = {}
        for record in records:
            if record["kind"] in ("line_stopped", "line_resumed"):
                key = record["payload"]["reason"]
                assert key not in effects, f"{key} happened twice: records {effects[key]} and {record['seq']}"
                effects[key] = record["seq"]
        for key, seq in acknowledged.items():
            assert effects.get(key) == seq, f"{key} was acknowledged as {seq} and is {effects.get(key)}"
        assert set(effects) <= tried["keys"]
        # A command sent again after a restart has no second effect.
        key, seq = next(iter(acknowledged.items()))
        worker, of_round, number = key[1:].split("-")
        verb = "stop" if int(number) % 2 else "resume"
        status, answer = server.request("POST", f"/api/v1/line/{verb}", json.dumps({"scope": f"owner/w{worker}-{of_round}", "reason": key}), key)
        assert status == 200 and answer["repeated"], answer
        server.end()
        doctor = subprocess.run([program, "doctor", "--data", os.path.join(data, "state")], capture_output=True, text=True)
        assert doctor.returncode == 0, doctor.stdout + doctor.stderr
        # The server wrote its live world when it stopped; doctor folded the journal from record 1.
        assert f"snapshot  good at record {records[-1]['seq']}" in doctor.stdout, doctor.stdout
        assert sleepers() - before == mine, "stopping the server ended game servers"
        print(f"{len(exposed)} sessions of the canary, each in the ledger")
        print(f"{len(acknowledged)} acknowledged of {len(tried['keys'])} tried, {len(records)} records, all there once; "
              f"{opened} effects of {len(names)} events, each once and once undone, in {grants.calls} calls")
        print(doctor.stdout.strip())
    finally:
        if server.process and server.process.poll() is None:
            server.end(signal.SIGKILL)
        root = os.path.join(data, "state", "instances")
        for pid in subprocess.run(["pgrep", "-f", root], capture_output=True, text=True).stdout.split():
            os.kill(int(pid), signal.SIGTERM)
        for pid in sleepers() - before:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main()
