#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`rehearse --record` from beginning to end: a gate that only warns acts once a rehearsal has proven it to a real server.

Usage: rehearse_test.py PROGRAM
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from real_server import RealServer

PROGRAM = sys.argv[1]

GAME = """
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: raids, owner: raids }
spec: { members: [ann] }
---
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: house, owner: raids }
spec: { gates: { unproven: warn } }
---
apiVersion: showcaller.dev/v1
kind: Metric
metadata: { name: session.error, owner: raids }
spec: { type: binary, better: lower }
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: shop-v2, owner: raids }
spec: { variants: { "on": true, "off": false }, defaultVariant: "off" }
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: shop, owner: raids }
spec:
  changes: [ { flag: { key: shop-v2, to: "on" } } ]
  rollout:
    stages:
      - { name: canary, exposure: 20%, bake: { min: 5m, max: 40m } }
      - { name: world, exposure: 100%, bake: 1m, gated: false }
  analysis: { tick: 10s, warmup: 20s }
  gates:
    - { metric: session.error, worse_by_at_most: 0%, must_detect: 3x, on_fail: rollback }
"""
# How many play depends on the hour: the same runs whenever the test runs.
EVENING = "2026-12-12T18:00:00Z"
PEOPLE = "players: 4000\nsession: { length: 2m, players: 4, crashes: 0% }\nregions: [ { name: eu } ]\n"


class RehearseRecord(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="rehearse-")
        self.server = RealServer(PROGRAM, os.path.join(self.folder, "state")).start()
        for name, text in (("game.yaml", GAME), ("people.yaml", PEOPLE)):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as out:
                out.write(text)

    def tearDown(self):
        self.server.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run_program(self, *words):
        environment = {**os.environ, "SHOWCALLER_SERVER": self.server.url, "SHOWCALLER_TOKEN": self.server.token}
        done = subprocess.run([PROGRAM, *words], cwd=self.folder, env=environment, capture_output=True, text=True,
                              timeout=240)
        return done.returncode, done.stdout + done.stderr

    def rehearse(self, *words):
        return self.run_program("rehearse", "game.yaml", "--event", "shop", "--population", "people.yaml", "--fault",
                                "errors:8", "--at", EVENING, "--record", *words)

    def proofs(self):
        answer = self.server.ask("GET", "/api/v1/history?limit=1000")[1]
        return [r for r in json.loads(answer)["records"] if r["kind"] == "gate_proven"]

    def test_a_gate_acts_once_a_rehearsal_has_proven_it(self):
        self.assertEqual(self.run_program("apply", "game.yaml")[0], 0)
        self.assertIn("gate session.error only warns", self.run_program("status", "shop")[1])
        code, told = self.rehearse("--runs", "3", "--publish")
        self.assertIn("published as rehearsal", told)
        [kept] = json.loads(self.server.ask("GET", "/api/v1/rehearsals")[1])
        self.assertEqual((kept["event"], kept["by"]), ("shop", "admin"))
        self.assertEqual(json.loads(self.server.ask("GET", f"/api/v1/rehearsals/{kept['id']}")[1])["report"]["event"], "shop")
        self.assertIn("not recorded: the rehearsal of shop made", told)
        self.assertEqual(self.proofs(), [])
        code, told = self.rehearse("--runs", "60", "--level", "evidence")
        self.assertEqual(code, 0, told)
        self.assertIn("recorded: gate session.error of shop is proven", told)
        [proof] = self.proofs()
        payload = proof["payload"]
        self.assertEqual((payload["gate"], payload["method"]), ("session.error", "rehearsal"))
        self.assertGreaterEqual(payload["runs"], 40)
        self.assertNotIn("only warns", self.run_program("status", "shop")[1])

    def test_a_server_that_does_not_know_the_gate_says_so(self):
        code, told = self.rehearse("--runs", "60", "--level", "evidence")
        self.assertNotEqual(code, 0, told)
        self.assertIn("there is no LiveEvent 'shop'", told)
        self.assertEqual(self.proofs(), [])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=2, warnings="ignore")
