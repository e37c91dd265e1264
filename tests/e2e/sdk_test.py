#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The SDK as others use it: installed, found by cmake, its examples built against that and run with the real server.

    sdk_test.py PROGRAM SOURCE_FOLDER BUILD_FOLDER
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

from real_server import RealServer

PROGRAM, SOURCE, BUILD = (os.path.abspath(path) for path in sys.argv[1:4])
FLAG = """
apiVersion: showcaller.dev/v1
kind: Flag
metadata: {{ name: door, owner: team-e2e }}
spec:
  visibility: client
  variants: {{ open: true, shut: false }}
  defaultVariant: {variant}
  targeting: {{ if: [ {{ in: [ {{ var: group }}, [staff] ] }}, open, null ] }}
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: {{ name: hidden, owner: team-e2e }}
spec: {{ variants: {{ a: 1 }}, defaultVariant: a }}
"""

OTHER_TEAM = """
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: team-other, owner: team-other }
spec: { members: [ann] }
"""


def run(*words, **options):
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def install_and_build(folder):
    """Where the examples are, built with nothing but what was installed."""
    run("cmake", "--install", BUILD, "--component", "sdk", "--prefix", folder + "/sdk")
    shown = run("nm", "-DC", "--defined-only", folder + "/sdk/lib/libshowcaller_sdk.so") if os.path.exists(
        folder + "/sdk/lib/libshowcaller_sdk.so") else None
    if shown is not None:
        foreign = [line for line in shown.splitlines() if "showcaller_" not in line and "showcaller::sdk::" not in line]
        assert not foreign, foreign[:10]
    # An example of our own build's would find our own targets: this one is copied away from them.
    run("cp", "-r", SOURCE + "/examples/sdk", folder + "/example")
    run("cmake", "-S", folder + "/example", "-B", folder + "/build", "-DCMAKE_PREFIX_PATH=" + folder + "/sdk")
    run("cmake", "--build", folder + "/build")
    return folder + "/build"


def token(server, name, role):
    status, text = server.ask("POST", "/api/v1/tokens", json.dumps({"name": name, "roles": [role]}))
    assert status == 201, text
    return json.loads(text)["token"]


def apply(server, variant):
    status, text = server.ask("POST", "/api/v1/manifests", FLAG.format(variant=variant))
    assert status == 200, text


def read_until(process, wanted):
    lines = []
    while not lines or not lines[-1].startswith(wanted):
        line = process.stdout.readline()
        assert line, lines
        lines.append(line.strip())
    return lines


def read(process, count):
    """So many lines, in any order: they come from two threads."""
    return sorted(process.stdout.readline().strip() for _ in range(count))


def both_are_told_when_the_door_opens(server, examples, folder):
    apply(server, "shut")
    game_server = subprocess.Popen([examples + "/door", server.url, token(server, "games", "game-server"),
                                    folder + "/flags.json"], stdout=subprocess.PIPE, text=True)
    player = subprocess.Popen([examples + "/door_c", server.url, token(server, "players", "client")],
                              stdout=subprocess.PIPE, text=True)
    assert read_until(game_server, "door is")[0] == "changed: door hidden"
    # A client's token shows it what is for clients alone.
    assert read_until(player, "changed:") == ["changed: door"]
    began = time.monotonic()
    apply(server, "open")
    assert read(game_server, 2) == ["changed: door", "door is open (DEFAULT)"]
    assert read(player, 2) == ["changed: door", "door is open (DEFAULT)"]
    # By the stream: far sooner than it would ask.
    assert time.monotonic() - began < 4
    assert game_server.wait(timeout=20) == 0 and player.wait(timeout=20) == 0
    status, text = server.ask("GET", "/metrics")
    batches = re.search(r'showcaller_telemetry_batches_total{outcome="ok"} (\d+)', text)
    assert status == 200 and batches and int(batches[1]) >= 2, text


def the_server_knows_who_asked_for_what(server):
    """Both told how often they evaluated the door, which the list of stale flags says of one whose owner is gone."""
    status, text = server.ask("POST", "/api/v1/manifests", OTHER_TEAM)
    assert status == 200, text
    status, text = server.ask("GET", "/api/v1/flags/stale?after=90d")
    assert status == 200, text
    asked = {row["flag"]: row["evaluations"] for row in json.loads(text)["flags"]}
    assert int(asked["door"]) >= 4 and asked["hidden"] == "0", asked


def node_asks_by_the_ordinary_providers(server):
    """What was skipped, if anything."""
    modules = BUILD + "/example_node"
    installed = subprocess.run([SOURCE + "/tools/install_npm", SOURCE + "/examples/node", modules], capture_output=True,
                               text=True, timeout=300)
    if installed.returncode == 77:
        return "; Node's example was skipped: " + installed.stderr.strip()
    assert installed.returncode == 0, installed.stderr
    run("cp", SOURCE + "/examples/node/door.mjs", modules)
    flagd = next(json.loads(line) for line in open(server.log) if line.startswith("{") and '"flagd"' in line)["address"]
    players = token(server, "node", "client")
    wanted = "door is open (DEFAULT), so come in\n"
    assert run("node", modules + "/door.mjs", "ofrep", server.url, players) == wanted
    assert run("node", modules + "/door.mjs", "flagd", flagd) == wanted
    return ""


def without_a_server_the_last_flags_serve(server, examples, folder):
    server.end()
    saved = json.load(open(folder + "/flags.json"))
    assert saved["document"]["flags"]["door"]["defaultVariant"] == "open", saved


def main():
    with tempfile.TemporaryDirectory() as folder:
        examples = install_and_build(folder)
        server = RealServer(PROGRAM, folder + "/data", "--flagd-port", "0", "--flagd-open").start()
        try:
            both_are_told_when_the_door_opens(server, examples, folder)
            the_server_knows_who_asked_for_what(server)
            skipped = node_asks_by_the_ordinary_providers(server)
            without_a_server_the_last_flags_serve(server, examples, folder)
        finally:
            server.end()
    print("the SDK, installed and used" + skipped)


main()
