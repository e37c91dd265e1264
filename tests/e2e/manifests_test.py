#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Manifests through the real program: README's first event word by word, and files as people have them.

    manifests_test.py PROGRAM SOURCE_DIR
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

HEAD = "apiVersion: showcaller.dev/v1\nkind: {kind}\nmetadata: {{ name: {name}, owner: team-e2e }}\n"


class House:
    """A folder to work in, and a server that keeps its state there."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.env = dict(os.environ, NO_COLOR="1", SHOWCALLER_TOKEN_FILE=os.path.join(folder, "state", "admin.token"))
        url = os.path.join(folder, "url")
        self.server = subprocess.Popen([program, "serve", "--data", os.path.join(folder, "state"), "--port", "0",
                                        "--port-file", url, "--log-level", "error"])
        deadline = time.monotonic() + 60
        while not (os.path.exists(url) and os.path.getsize(url)):
            assert self.server.poll() is None and time.monotonic() < deadline, "the server did not start"
            time.sleep(0.02)
        self.env["SHOWCALLER_SERVER"] = open(url).read().strip()

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(timeout=30)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run(self, *words, code=0):
        """What it prints, of both outputs; the exit code must be as said."""
        done = subprocess.run([self.program, *words], env=self.env, capture_output=True, text=True, timeout=60)
        told = done.stdout + done.stderr
        assert done.returncode == code, f"{words}: exit code {done.returncode} instead of {code}\n{told}"
        return told


def flag(name, more=""):
    return HEAD.format(kind="Flag", name=name) + f"spec: {{ variants: {{ a: true, b: false }} }}\n{more}"


def first_event_of_the_readme(program, source):
    text = open(os.path.join(source, "README.md"), encoding="utf-8").read()
    block = re.search(r"## A first event\n\n```\n(.*?)```", text, re.S).group(1)
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, "build"))
        os.symlink(os.path.dirname(program), os.path.join(folder, "build", "release"))
        shell = subprocess.Popen(["bash", "-euo", "pipefail", "-c", block], cwd=folder, text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, start_new_session=True)
        watchdog = time.monotonic() + 120
        while shell.poll() is None and time.monotonic() < watchdog:
            time.sleep(0.05)
        code = shell.poll()
        os.killpg(shell.pid, signal.SIGTERM)  # The server that the block left running.
        told = shell.communicate(timeout=30)[0]
        assert code == 0, f"README's first event: exit code {code}\n{told}"
        assert "winter-raid is RollingOut" in told and "winter-raid is RolledBack" in told, told


def schema_is_that_of_all_kinds(house):
    assert json.loads(house.run("schema"))["title"] == "A Showcaller manifest"
    assert json.loads(house.run("schema", "fleet"))["title"] == "A Showcaller Fleet"
    assert "kind: LiveEvent" in house.run("init")


def files_are_read_one_by_one(house):
    padding = "# " + "x" * 98 + "\n"
    for i in range(30):
        house.write(f"many/{i:02}.yaml", flag(f"f{i}", padding * 480))
    house.write("many/30.yaml", "\ufeff" + flag("marked"))
    house.write("many/31.yaml", "%YAML 1.2\n---\n" + flag("directed"))
    house.write("many/32.json", json.dumps({"apiVersion": "showcaller.dev/v1", "kind": "Team",
                                            "metadata": {"name": "team-e2e"}, "spec": {}}))
    many = os.path.join(house.folder, "many")
    for verb in ("validate", "plan", "apply", "drift"):
        house.run(verb, many)
    broken = house.write("broken/0.yaml", "spec: [\n")
    house.write("broken/1.yaml", flag("fine"))
    told = house.run("plan", os.path.join(house.folder, "broken"), code=2)
    assert re.search(re.escape(broken) + r":\d+:\d+: error: ", told), told
    assert "1.yaml" not in told, told


def what_cannot_work_is_told(house):
    grant = house.write("grant.yaml", HEAD.format(kind="LiveEvent", name="grant") +
                        "spec:\n  changes: [ { action: { do: grants/open, undo: grants/close } } ]\n")
    assert "warning: spec.changes[0].action.do" in house.run("validate", grant)
    assert "there is no Service 'grants'" in house.run("apply", grant, code=2)
    house.write("fleet.yaml", HEAD.format(kind="Fleet", name="e2e") +
                "spec: { builds: [ { version: 1, command: [/bin/true] } ], capacity: { min: 0, max: 4 } }\n")
    idle = house.write("idle.yaml", HEAD.format(kind="LiveEvent", name="idle") +
                       "spec:\n  changes: [ { build: { fleet: e2e, version: 1 } } ]\n")
    house.run("apply", os.path.join(house.folder, "fleet.yaml"))
    assert "already the base" in house.run("plan", idle, code=1)
    told = house.run("apply", idle, code=1)
    assert "LiveEvent 'idle' is rejected: build 1 is already the base" in told, told


def ten_lines_are_planned(house):
    fleet = house.write("ten/fleet.yaml", HEAD.format(kind="Fleet", name="ten") +
                        "spec: { builds: [ { version: 1, command: [/bin/true] }, { version: 2, command: [/bin/true] } ] }\n")
    event = house.write("ten/event.yaml", HEAD.format(kind="LiveEvent", name="ten") +
                        "spec:\n  changes:\n    - build: { fleet: ten, version: 2 }\n")
    told = house.run("plan", fleet, event)
    for words in ("layer build:ten", "stage canary 1% bake 30m: at worst 1% of sessions for 1h30m",
                  "rollback takes 1h10s at worst", "allowed 1h5m10s"):
        assert words in told, told


def drift_tells_both_sides(house):
    doors = house.write("doors/a.yaml", flag("door"))
    house.run("apply", doors)
    event = house.write("doors/b.yaml", HEAD.format(kind="LiveEvent", name="opening") +
                        "spec:\n  changes: [ { flag: { key: door, to: b } } ]\n")
    assert "LiveEvent/opening is not on the server" in house.run("drift", event, code=1)
    house.run("apply", event)
    house.run("drift", event)
    house.run("rollback", "opening")
    house.run("watch", "opening", "--until", "RolledBack", "--timeout", "30s")
    house.run("drift", event)  # It is over, and is what the file says.
    told = house.run("drift", doors, code=1)  # Other flags of the same team are only there.
    assert "Flag/f0 is not in the files" in told and "Team/" not in told, told
    assert "Team/team-e2e is not in the files" in house.run("drift", doors, "--all", code=1)


def a_dry_run_says_what_follows_and_does_nothing(house):
    house.run("apply", house.write("tried.yaml", flag("tried") + "---\n" + HEAD.format(kind="LiveEvent", name="trial") +
                                   "spec:\n  changes: [ { flag: { key: tried, to: b } } ]\n"))
    house.run("watch", "trial", "--until", "RollingOut", "--timeout", "30s")
    seq = json.loads(house.run("status", "-o", "json"))["seq"]
    for words in (("flag", "kill", "tried"), ("hold", "trial"), ("rollback", "trial"), ("stop-the-line",),
                  ("token", "create", "ann", "--role", "viewer")):
        told = house.run(*words, "--dry-run")
        assert "would write" in told and "nothing was done" in told, told
    assert "is not held" in house.run("resume", "trial", "--dry-run", code=1)
    assert json.loads(house.run("status", "-o", "json"))["seq"] == seq
    assert "--dry-run" in house.run("privacy", "erase", "p-17", "--dry-run", code=2)


def what_went_wrong_is_told(house):
    house.run("rollback", "trial", "--reason", "players fall through the floor")
    house.run("watch", "trial", "--until", "RolledBack", "--timeout", "30s")
    [incident] = [each for each in json.loads(house.run("incident", "list", "-o", "json")) if each["subject"] == "event/trial"]
    assert incident["kind"] == "rollback" and incident["state"] == "over", incident
    told = house.run("incident", "show", str(incident["id"]))
    assert "trial is rolled back" in told and "what changed before it" in told and "stage        trial" in told, told
    assert "there is no incident 999999" in house.run("incident", "show", "999999", code=1)


def main():
    program, source = os.path.abspath(sys.argv[1]), sys.argv[2]
    first_event_of_the_readme(program, source)
    with tempfile.TemporaryDirectory() as folder:
        house = House(program, folder)
        try:
            for story in (schema_is_that_of_all_kinds, files_are_read_one_by_one, ten_lines_are_planned,
                          what_cannot_work_is_told, drift_tells_both_sides, a_dry_run_says_what_follows_and_does_nothing,
                          what_went_wrong_is_told):
                story(house)
                print(story.__name__, "passed", flush=True)
        finally:
            house.stop()


main()
