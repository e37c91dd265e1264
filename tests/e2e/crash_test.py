#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the real server with SIGKILL at random moments while commands flow, and starts it again.

Every acknowledged command is there after the restart, none twice; the chain holds; every living game server is adopted.
Usage: crash_test.py PROGRAM [KILLS]. A failure prints the seed that repeats its choices.
"""
import http.client
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


class Server:
    def __init__(self, program, data):
        self.program, self.data = program, data
        self.process = self.port = self.token = None

    def start(self):
        url_file = os.path.join(self.data, "url")
        if os.path.exists(url_file):
            os.unlink(url_file)
        self.log = open(os.path.join(self.data, "log"), "ab")
        self.process = subprocess.Popen(
            [self.program, "serve", "--data", os.path.join(self.data, "state"), "--port", "0", "--port-file", url_file,
             "--log-level", "warning"], stderr=self.log, stdout=self.log)
        deadline = time.monotonic() + 60
        while not os.path.exists(url_file):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("the server did not start: " + open(os.path.join(self.data, "log")).read()[-2000:])
            time.sleep(0.01)
        self.port = int(open(url_file).read().strip().rsplit(":", 1)[1])
        self.token = open(os.path.join(self.data, "state", "admin.token")).read().strip()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)

    def request(self, method, path, body=None, key=None, connection=None):
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None


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
            connection = connection or http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
            status, answer = server.request("POST", f"/api/v1/line/{verb}", body, key, connection)
            if status == 200:
                acknowledged[key] = answer["seq"]
        except (OSError, http.client.HTTPException, ValueError):
            return  # The server is gone: its answer is not known.


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
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else int(os.environ.get("SHOWCALLER_KILLS", "20"))
    seed = int(os.environ.get("SHOWCALLER_SEED", random.SystemRandom().randrange(1 << 32)))
    chance = random.Random(seed)
    print(f"seed {seed}, {kills} kills")
    before = sleepers()
    data = tempfile.mkdtemp(prefix="showcaller-crash.")
    server = Server(program, data)
    acknowledged, tried = {}, {"keys": set(), "round": 0}
    try:
        server.start()
        status, answer = server.request("POST", "/api/v1/manifests", MANIFEST)
        assert status == 200, answer
        deadline = time.monotonic() + 30
        while len(sleepers() - before) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        mine = sleepers() - before
        assert len(mine) == 3, f"{len(mine)} game servers run, not 3"
        for tried["round"] in range(kills):
            stop = threading.Event()
            threads = [threading.Thread(target=hammer, args=(server, w, acknowledged, tried, stop)) for w in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.02, 0.4))
            server.kill()
            stop.set()
            for thread in threads:
                thread.join()
            server.start()
            assert sleepers() - before == mine, "a restart touched the game servers"
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
        server.stop()
        doctor = subprocess.run([program, "doctor", "--data", os.path.join(data, "state")], capture_output=True, text=True)
        assert doctor.returncode == 0, doctor.stdout + doctor.stderr
        assert sleepers() - before == mine, "stopping the server ended game servers"
        print(f"{len(acknowledged)} acknowledged of {len(tried['keys'])} tried, {len(records)} records, all there once")
        print(doctor.stdout.strip())
    finally:
        if server.process and server.process.poll() is None:
            server.kill()
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
