#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drills on a real server and real arena game servers: kills and pauses, and what is refused.

What a drill says of itself is held against the machine: killed processes are gone and replaced, paused ones are stopped
(state T) and go on by themselves, also when the server is killed in the middle, and when somebody stops the drill.
Usage: drill_test.py PROGRAM ARENA
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from real_server import RealServer

PROGRAM, ARENA = sys.argv[1], sys.argv[2]

FLEET = """
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: {{ name: {name}, owner: team-e2e{labels} }}
spec:
  base: 1.0.0
  builds: [ {{ version: 1.0.0, command: ["{arena}"] }} ]
  regions: [ {{ name: local, zone: UTC }} ]
  capacity: {{ min: 4, max: 8 }}
  health: {{ period: {period}, failures: 3, start_timeout: 30s }}
"""

DRILL = """
apiVersion: showcaller.dev/v1
kind: Drill
metadata: {{ name: {name}, owner: team-e2e }}
spec:
  fleet: {fleet}
  injects: [ {inject} ]
  expect: [ {expect} ]
  stop_when: [ {{ lasts_over: 2m }} ]
"""


def state_of(pid):
    """R, S, T (stopped), ...; empty: there is none."""
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


class Drills(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="drill-")
        self.server = RealServer(PROGRAM, os.path.join(self.folder, "state")).start()
        self.runs = []

    def tearDown(self):
        for run in self.runs:
            if run.poll() is None:
                run.kill()
                run.wait()
        if self.server.process.poll() is not None:
            self.server.start()  # Its game servers outlive a killed server: a failed test ends them too.
        self.apply(FLEET.format(name="staging", labels="", arena=ARENA, period="1s").replace("min: 4", "min: 0"))
        self.until(lambda: not self.game_pids(), "the fleet to be empty")
        self.server.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, method, path, body=None):
        connection = self.server.connect()
        status, text = self.server.ask(method, path, body, connection=connection)
        connection.close()
        return status, json.loads(text or "{}")

    def apply(self, text):
        status, answer = self.ask("POST", "/api/v1/manifests", text)
        self.assertEqual(status, 200, answer)

    def until(self, holds, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not holds():
            self.assertLess(time.monotonic(), deadline, f"waited in vain for {what}: {self.ask('GET', '/api/v1/drills')}")
            time.sleep(0.05)

    def reports(self):
        """By instance, what its shim says of it."""
        out = {}
        for root, _, files in os.walk(os.path.join(self.folder, "state")):
            if "state.json" in files and "spec.json" in files:
                out[os.path.basename(root)] = json.load(open(os.path.join(root, "state.json")))
        return out

    def game_pids(self):
        """By instance, of game servers whose shim says that they run."""
        pids = {name: report.get("game", {}).get("pid", 0) for name, report in self.reports().items()}
        return {name: pid for name, pid in pids.items() if pid and state_of(pid) not in ("", "Z")}

    def ready_instances(self):
        return [i for i in self.ask("GET", "/api/v1/instances?fleet=staging")[1] if i.get("state") == "ready"]

    def staging_fleet(self, period="1s"):
        self.apply(FLEET.format(name="staging", labels=", labels: { stage: staging }", arena=ARENA, period=period))
        self.until(lambda: len(self.ready_instances()) == 4, "four ready instances")

    def begin(self, name, inject, expect):
        file = os.path.join(self.folder, name + ".yaml")
        with open(file, "w") as out:
            out.write(DRILL.format(name=name, fleet="staging", inject=inject, expect=expect))
        environment = {**os.environ, "SHOWCALLER_TOKEN": self.server.token}
        run = subprocess.Popen([PROGRAM, "drill", "run", file, "--against", self.server.url, "-o", "json"],
                               env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.runs.append(run)
        return run

    def strike(self, drill, inject):
        self.until(lambda: inject in self.ask("GET", f"/api/v1/drills/{drill}")[1].get("strikes", {}), "the inject")
        return self.ask("GET", f"/api/v1/drills/{drill}")[1]["strikes"][inject]["instances"]

    def kinds(self):
        return [r["kind"] for r in self.ask("GET", "/api/v1/history?limit=1000")[1]["records"]]

    def test_killed_instances_are_replaced(self):
        self.staging_fleet()
        before = self.game_pids()
        run = self.begin("kills", "{ name: dead, at: 1s, fault: { kind: kill, size: 0.5 } }",
                         "{ that: capacity_restored, within: 30s }")
        out, err = run.communicate(timeout=90)
        self.assertEqual(run.returncode, 0, out + err)
        told = json.loads(out)
        self.assertEqual(told["verdict"], "pass")
        victims = told["strikes"]["dead"]["instances"]
        self.assertEqual(len(victims), 2)
        for victim in victims:
            self.assertIn(state_of(before[victim]), ("", "Z"), "it was killed")
        inject = told["report"]["injects"][0]
        self.assertLess(inject["detected_after_s"], 15)
        self.assertGreater(inject["recovered_after_s"], 0)
        self.assertEqual(len(self.ready_instances()), 4)
        kinds = self.kinds()
        for kind in ("drill_started", "drill_injected", "drill_ended"):
            self.assertEqual(kinds.count(kind), 1, kind)
        self.assertLess(kinds.index("drill_injected"), kinds.index("drill_ended"))

    def test_a_pause_ends_though_client_and_server_are_killed(self):
        self.staging_fleet(period="60s")  # Nobody misses its pings meanwhile.
        run = self.begin("pauses", "{ name: still, at: 0s, fault: { kind: pause, size: 0.25 }, for: 6s }",
                         "{ that: quarantine, within: 30s }")
        [victim] = self.strike("pauses", "still")
        pid = self.game_pids()[victim]
        self.until(lambda: state_of(pid) == "T", "the game server to be stopped")
        run.kill()
        run.wait()
        self.server.end(signal.SIGKILL)
        deadline = time.monotonic() + 20
        while state_of(pid) == "T":
            self.assertLess(time.monotonic(), deadline, "nobody let it go on")
            time.sleep(0.05)
        self.assertIn(state_of(pid), ("S", "R"), "it lives on")
        self.server.start()
        self.until(lambda: self.ask("GET", "/api/v1/drills/pauses")[1]["verdict"], "the drill to be over")
        drill = self.ask("GET", "/api/v1/drills/pauses")[1]
        self.assertEqual((drill["verdict"], drill["reason"]),
                         ("stopped", "the server was started anew in the middle of it"))

    def test_who_stops_a_drill_ends_its_pauses(self):
        self.staging_fleet(period="60s")
        run = self.begin("long", "{ name: still, at: 0s, fault: { kind: pause, size: 0.25 }, for: 10m }",
                         "{ that: capacity_restored, within: 1m }")
        [victim] = self.strike("long", "still")
        pid = self.game_pids()[victim]
        self.until(lambda: state_of(pid) == "T", "the game server to be stopped")
        status, answer = self.ask("POST", "/api/v1/drills/long/stop", json.dumps({"reason": "enough"}))
        self.assertEqual(status, 200, answer)
        self.until(lambda: state_of(pid) in ("S", "R"), "it to go on", 20)
        out, err = run.communicate(timeout=30)
        self.assertEqual(run.returncode, 3, out + err)
        told = json.loads(out)
        self.assertEqual((told["verdict"], told["reason"]), ("stopped", "enough"))
        self.assertEqual(told["report"]["injects"][0]["name"], "still")

    def test_what_no_server_should_do_is_refused(self):
        self.staging_fleet()
        self.apply(FLEET.format(name="live", labels="", arena="/bin/true", period="1s").replace("min: 4", "min: 0"))
        expect = "{ that: capacity_restored, within: 1m }"
        for fleet, inject, status, says in (
            ("live", "{ fault: { kind: kill } }", 403, "is not labelled `stage: staging`"),
            ("staging", "{ fault: { kind: crashes } }", 400, "a server can only kill and pause"),
            ("staging", "{ fault: { kind: net_cut } }", 400, "does not say how long"),
            ("staging", "{ fault: { kind: net_loss, size: 3 }, for: 1m }", 400, "is of a size of 3"),
            ("staging", "{ fault: { kind: pause } }", 400, "does not say how long"),
            ("staging", "{ fault: { kind: kill, size: 3 } }", 400, "is of a size of 3"),
        ):
            self.apply(DRILL.format(name="wrong", fleet=fleet, inject=inject, expect=expect))
            answer = self.ask("POST", "/api/v1/drills/wrong/run", "{}")
            self.assertEqual(answer[0], status, answer)
            self.assertIn(says, answer[1]["detail"])
        self.assertEqual(self.ask("POST", "/api/v1/drills/nosuch/run", "{}")[0], 404)
        self.assertEqual(self.ask("POST", "/api/v1/drills/wrong/stop", "{}")[0], 409)
        self.assertNotIn("drill_started", self.kinds())

    def restart_with_tc(self, script):
        """The server finds this tc before the machine's own."""
        folder = os.path.join(self.folder, "bin")
        os.makedirs(folder)
        path = os.path.join(folder, "tc")
        with open(path, "w") as out:
            out.write(f"#!/bin/sh\necho \"$*\" >> {self.folder}/tc.log\n{script}")
        os.chmod(path, 0o755)
        self.server.end()
        before = os.environ["PATH"]
        os.environ["PATH"] = folder + ":" + before
        try:
            self.server.start()
        finally:
            os.environ["PATH"] = before

    def tc_log(self):
        try:
            return open(os.path.join(self.folder, "tc.log")).read()
        except OSError:
            return ""

    def test_the_network_is_disturbed_and_taken_back_though_the_server_is_killed(self):
        self.restart_with_tc(f"case $1 in -j) echo '[]' ;; -batch) cat >> {self.folder}/tc.log ;; esac\n")
        self.staging_fleet()
        inject = "{ name: cut, fault: { kind: net_cut, share: 0.25 }, for: 10m }"
        self.begin("cuts", inject, "{ that: capacity_restored, within: 1m }")
        [victim] = self.strike("cuts", "cut")
        [port] = self.reports()[victim]["instance"]["ports"]
        self.until(lambda: f"match ip sport {port} 0xffff" in self.tc_log(), "the instance's port to be cut off")
        self.assertIn("delay 0ms loss 100%", self.tc_log())
        status, answer = self.ask("POST", "/api/v1/drills/cuts/stop", json.dumps({"reason": "enough"}))
        self.assertEqual(status, 200, answer)
        self.until(lambda: self.tc_log().endswith("qdisc del dev lo root\n"), "the network to be as it was")
        self.begin("cuts", inject, "{ that: capacity_restored, within: 1m }")
        self.until(lambda: not self.tc_log().endswith("qdisc del dev lo root\n"), "it to be cut off again")
        self.until(lambda: self.tc_log().rstrip().endswith("flowid 5ca1:1"), "it to be cut off again")
        self.server.end(signal.SIGKILL)
        deadline = time.monotonic() + 20
        while not self.tc_log().endswith("qdisc del dev lo root\n"):
            self.assertLess(time.monotonic(), deadline, "nobody took it back")
            time.sleep(0.05)

    def test_where_the_machine_has_no_netem_a_drill_is_refused_or_leaves_it_out(self):
        self.restart_with_tc("[ $1 = -j ] && echo '[]'\n[ $1 != -batch ] || "
                             "{ echo 'Error: Specified qdisc kind is unknown.' >&2; exit 1; }\n")
        self.staging_fleet()
        lossy = "{ name: lossy, fault: { kind: net_loss }, for: 1s"
        self.apply(DRILL.format(name="lossy", fleet="staging", inject=lossy + " }",
                                expect="{ that: capacity_restored, within: 1m }"))
        status, answer = self.ask("POST", "/api/v1/drills/lossy/run", "{}")
        self.assertEqual(status, 501, answer)
        self.assertIn("inject 'lossy' cannot be played here", answer["detail"])
        self.assertIn("(Error: Specified qdisc kind is unknown.)", answer["detail"])
        self.assertIn("CAP_NET_ADMIN and a kernel with netem", answer["remedies"][0])
        self.assertNotIn("drill_started", self.kinds())
        run = self.begin("either", lossy + ", optional: true }, { name: dead, fault: { kind: kill, size: 0.25 } }",
                         "{ that: capacity_restored, within: 30s, after: dead }")
        out, err = run.communicate(timeout=90)
        self.assertEqual(run.returncode, 0, out + err)
        told = json.loads(out)
        self.assertIn("netem", told["report"]["injects"][0]["left_out"])
        self.assertEqual(list(told["strikes"]), ["dead"])

    def test_on_this_machine_the_network_is_disturbed_or_refused(self):
        self.staging_fleet()
        self.apply(DRILL.format(name="slow", fleet="staging",
                                inject="{ name: slow, fault: { kind: net_delay, size: 50, share: 1 }, for: 5s }",
                                expect="{ that: capacity_restored, within: 1s }"))
        status, answer = self.ask("POST", "/api/v1/drills/slow/run", "{}")
        if status != 200:
            self.assertEqual(status, 501, answer)
            self.assertIn("inject 'slow' cannot be played here", answer["detail"])
            return
        show = lambda: subprocess.run(["tc", "qdisc", "show", "dev", "lo"], capture_output=True, text=True).stdout
        self.until(lambda: "delay 50ms" in show(), "netem on lo")
        self.until(lambda: "netem" not in show(), "netem to be gone")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=2, warnings="ignore")
