#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The arena's bots as a probe makes them: journey after journey, each a match of its own on real game servers.

Usage: bots_test.py PROGRAM ARENA BOTS
"""
import json
import subprocess
import sys
import tempfile
import time

from real_server import RealServer

PROGRAM, ARENA, BOTS = sys.argv[1:4]

FLEET = """
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: {{ name: arena, owner: team-e2e }}
spec:
  base: 1.0.0
  builds: [ {{ version: 1.0.0, command: ["{arena}", --players, "2", --match-seconds, "0.3", --gather-seconds, "0.2"], protocols: [47] }} ]
  regions: [ {{ name: local, zone: UTC }} ]
  capacity: {{ min: {instances}, max: 4 }}
"""


def settle(server, instances):
    """The fleet, once it has so many instances that take players and no others."""
    status, text = server.ask("POST", "/api/v1/manifests", FLEET.format(arena=ARENA, instances=instances))
    assert status == 200, text
    deadline = time.monotonic() + 60
    while True:
        status, text = server.ask("GET", "/api/v1/fleets/arena/map")
        assert status == 200, text
        seen = json.loads(text)
        states = [seen["states"][state] for state in seen["instances"]["state"]]
        if states == ["ready"] * instances:
            return
        assert time.monotonic() < deadline, text
        time.sleep(0.05)


def journey(server, *options):
    made = subprocess.run([BOTS, "--url", server.url, "--token", server.token, "--fleet", "arena", "--players", "2",
                           "--journeys", "1", "--seconds", "8", *options], capture_output=True, text=True, timeout=60)
    return made.returncode, json.loads(made.stdout.splitlines()[-1])


def each_journey_is_a_match_of_its_own(server):
    for _ in range(3):
        status, totals = journey(server)
        assert status == 0 and totals["completed"] == 1 and totals["not_joined"] == 0, totals


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = RealServer(PROGRAM, folder + "/data").start()
        try:
            settle(server, 2)
            each_journey_is_a_match_of_its_own(server)
        finally:
            settle(server, 0)  # Game servers outlive their server.
            server.end()
    print("each journey of a bot is a match of its own")


main()
