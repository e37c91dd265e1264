#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real server and the real command line, where a test of parts cannot see what went wrong.

    serve_test.py PROGRAM
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from real_server import RealServer

PROGRAM = os.path.abspath(sys.argv[1])
MANIFESTS = """
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: sleepers, owner: team-e2e }
spec:
  base: 1.0.0
  builds: [ { version: 1.0.0, command: [/bin/sleep, "60"] } ]
  regions: [ { name: local, zone: UTC } ]
  capacity: { min: 1, max: 1 }
  health: { start_timeout: 10m }
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: door, owner: team-e2e }
spec: { variants: { open: true, shut: false }, defaultVariant: shut }
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: shop, owner: team-e2e }
spec: { degradation_order: [ { feature: previews } ] }
---
apiVersion: showcaller.dev/v1
kind: Metric
metadata: { name: frames.dropped, owner: team-e2e }
spec: { type: count, better: lower, source: otlp, otlp: { total: dropped.frames } }
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: feast, owner: team-e2e }
spec:
  changes: [ { flag: { key: door, to: open } } ]
  rollout: { stages: [ { name: world, exposure: 100%, bake: 1h, gated: false } ] }
"""


class Server(RealServer):
    def __init__(self, data, *options):
        super().__init__(PROGRAM, data, *options)

    def cli(self, *words, **environment):
        return run(*words, SHOWCALLER_SERVER=self.url, SHOWCALLER_TOKEN=self.token, **environment)


def run(*words, **environment):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SHOWCALLER_")}
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=60, env={**clean, **environment})


def what_is_no_text_is_refused_and_the_journal_is_read_again(server):
    status, _ = server.ask("POST", "/api/v1/line/stop", "{}", **{"Idempotency-Key": "k\xff"})
    assert status == 400, status
    status, _ = server.ask("POST", "/api/v1/line/stop", b'{"reason": "\xff"}')
    assert status == 400, status
    status, text = server.ask("GET", "/api/v1/events/%ff")
    assert status == 400 and json.loads(text)["code"] == "invalid", text
    assert server.ask("POST", "/api/v1/line/stop", "{}", **{"Idempotency-Key": "k"})[0] == 200
    server.end(signal.SIGKILL)
    server.start()
    status, text = server.ask("GET", "/api/v1/history")
    assert status == 200 and any(r.get("key") == "admin/k" for r in json.loads(text)["records"]), text
    assert server.ask("POST", "/api/v1/line/resume", "{}")[0] == 200


def a_watcher_learns_after_a_restart_what_it_missed(server):
    connection = server.connect()
    connection.request("GET", "/api/v1/watch?after=0", headers={
        "Authorization": "Bearer " + server.token, "Last-Event-ID": "1"})
    stream, event = connection.getresponse(), b""
    while not event.startswith(b"event:"):
        event = stream.readline()
    assert event == b"event: missed\n", event
    connection.close()


def a_watch_ends_when_its_time_is_over(server):
    began = time.monotonic()
    done = server.cli("watch", "--timeout", "1s")
    assert done.returncode == 1 and time.monotonic() - began < 10, done
    done = server.cli("watch", "feast", "--until", "Retired", "--timeout", "1s", "-o", "yaml")
    assert done.returncode == 1 and "feast is " in done.stderr and done.stdout.startswith("---\n"), done
    done = server.cli("watch", "--until", "Live")
    assert done.returncode == 2 and "name it" in done.stderr, done


def errors_say_what_to_do(server):
    done = server.cli("hold", "nothing")
    assert done.returncode == 1 and re.search(r"\n  trace [0-9a-f]{32}\n", done.stderr), done
    done = run("status", "--server", "http://127.0.0.1:1")
    assert done.returncode == 3 and done.stderr.count("is the server running") == 1, done
    done = run("hodl", "feast")
    assert done.returncode == 2 and "there is no verb 'hodl'; did you mean 'hold'?" in done.stderr, done
    done = run("validate", "/nowhere.yaml")
    assert done.returncode == 2, done
    done = run("serve", "--data", server.data + "-other", "--port", str(server.port))
    assert done.returncode == 5 and "cannot listen" in done.stderr, done


def every_family_of_metrics_has_a_sample(server):
    server.ask("POST", "/api/v1/allocations", '{"session": "s", "fleet": "sleepers", "players": ["p"]}')
    server.ask("POST", "/api/v1/telemetry",
               '{"source": "s", "sequence": 1, "deltas": [{"metric": "session.crashed", "event": "none", "arm": "canary", "n": 1}]}')
    point = '{"startTimeUnixNano": "1", "timeUnixNano": "2", "asInt": "7"}'
    server.ask("POST", "/v1/metrics", '{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "dropped.frames", "sum": '
               '{"aggregationTemporality": 1, "isMonotonic": true, "dataPoints": [' + point + ']}}]}]}]}', **{"Content-Type": "application/json"})
    deadline = time.monotonic() + 30
    while True:
        text = server.ask("GET", "/metrics")[1]
        families = re.findall(r"^# TYPE (\S+) ", text, re.M)
        empty = [f for f in families if not re.search(rf"^{f}(_count)?[ {{]", text, re.M)]
        if not empty or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert families and not empty, empty
    assert float(re.search(r"^showcaller_process_resident_bytes (\S+)", text, re.M)[1]) > 1e6
    assert float(re.search(r"^showcaller_process_cpu_seconds_total (\S+)", text, re.M)[1]) > 0


def a_players_rows_leave_a_line_in_the_log_and_no_name(server):
    done = server.cli("privacy", "erase", "player-seventeen", "--reason", "asked for it")
    assert done.returncode == 1 and "knows no such player" in done.stderr, done
    lines = [line for line in open(server.log) if "privacy-erase" in line]
    assert len(lines) == 1 and "asked for it" in lines[0] and '"actor":"admin"' in lines[0], lines
    assert "player-seventeen" not in lines[0], lines


def a_list_of_players_is_held_against_an_event(server):
    players = server.data + ".players"
    with open(players, "w") as file:
        file.writelines(f'{{"id": "player-{i}", "region": "eu"}}\n' for i in range(10_002))
        file.write("player-plain\n")
    done = server.cli("watch", "feast", "--until", "RollingOut", "--timeout", "30s")
    assert done.returncode == 0, done
    done = server.cli("admitted", "feast", players)
    assert done.returncode == 0 and "feast r1 admitted 10003 of 10003 players" in done.stdout, done.stderr
    rows = json.loads(server.ask("GET", "/api/v1/ledger/feast")[1])
    assert rows["count"] == 10_003 and rows["rows"][0]["source"] == "admitted", rows["count"]
    assert "player-plain" not in open(server.log).read()


def files_are_their_owners_alone(server):
    for name in ["journal.db", "journal.db-wal", "admin.token", "secret"]:
        mode = os.stat(os.path.join(server.data, name)).st_mode & 0o777
        assert mode == 0o600, (name, oct(mode))
    assert os.stat(server.data).st_mode & 0o777 == 0o755, "the folder was there before"
    copy = server.data + ".backup"
    assert run("backup", "--data", server.data, copy).returncode == 0
    assert os.stat(copy).st_mode & 0o777 == 0o700
    for name in os.listdir(copy):
        mode = os.stat(os.path.join(copy, name)).st_mode & 0o077
        assert mode == 0, (name, oct(mode))


def tokens_that_were_revoked_stay_so(server):
    made = server.cli("token", "create", "second", "--role", "admin", "--key", "make-second")
    assert made.returncode == 0, made
    again = server.cli("token", "create", "second", "--role", "admin", "--key", "make-second")
    assert again.returncode == 1, again
    tokens = json.loads(server.cli("get", "tokens", "-o", "json").stdout)
    admin = next(t["id"] for t in tokens if t["name"] == "admin")
    gone, server.token = server.token, made.stdout.strip()
    assert server.cli("token", "revoke", admin, "--reason", "lost", "--key", "r").returncode == 0
    history = json.loads(server.cli("history", "--kind", "token_revoked", "-o", "json").stdout)
    assert history[-1]["key"].endswith("/r"), history
    second = server.token
    server.end()
    os.unlink(os.path.join(server.data, "game-servers.token"))
    server.start()
    assert server.ask("GET", "/api/v1/whoami", token=gone)[0] == 401
    assert server.ask("GET", "/api/v1/whoami", token=second)[0] == 200
    fresh = open(os.path.join(server.data, "game-servers.token")).read().strip()
    assert json.loads(server.ask("GET", "/api/v1/whoami", token=fresh)[1])["name"] == "game-servers"


def half_a_tls_identity_is_no_server(folder):
    for words in [("--tls-key", "k"), ("--tls-cert", "c"), ("--tls-client-ca", "a")]:
        done = run("serve", "--data", os.path.join(folder, "half"), "--port", "0", *words)
        assert done.returncode == 2 and "--tls-cert" in done.stderr, done


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def the_command_line_shows_its_certificate(folder):
    for name in ["server", "client"]:
        openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-keyout", name + ".key", "-out", name + ".pem", "-subj", "/CN=" + name, "-addext",
                "subjectAltName=IP:127.0.0.1")
    file = lambda name: os.path.join(folder, name)
    server = Server(file("tls"), "--tls-cert", file("server.pem"), "--tls-key", file("server.key"), "--tls-client-ca",
                    file("client.pem")).start()
    try:
        assert server.cli("status", "--ca", file("server.pem")).returncode == 3
        done = server.cli("status", "--ca", file("server.pem"), "--client-cert", file("client.pem"), "--client-key",
                          file("client.key"))
        assert done.returncode == 0, done
        done = server.cli("status", "--ca", file("server.pem"), "--client-cert", file("client.pem"))
        assert done.returncode == 2 and "--client-key" in done.stderr, done
    finally:
        server.end()


def bash_completes(_):
    script = """
source <("$0" completion bash)
ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _showcaller; echo "${COMPREPLY[@]}"; }
ask showcaller ho
ask showcaller token ''
ask showcaller -o ''
ask showcaller watch --un
ask showcaller watch --serv
ask showcaller apply ''
"""
    done = subprocess.run(["bash", "-c", script, PROGRAM], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["hold", "create list revoke", "table json yaml", "--until", "--server", ""], done
    for shell, word in [("zsh", "#compdef showcaller"), ("fish", "complete -c showcaller")]:
        assert run("completion", shell).stdout.startswith(word)


def main():
    folder = tempfile.mkdtemp(prefix="showcaller-serve.")
    os.mkdir(os.path.join(folder, "state"), 0o755)
    os.chmod(os.path.join(folder, "state"), 0o755)
    server = Server(os.path.join(folder, "state"))
    try:
        server.start()
        manifests = os.path.join(folder, "manifests.yaml")
        open(manifests, "w").write(MANIFESTS)
        assert server.cli("apply", manifests).returncode == 0
        for test in [what_is_no_text_is_refused_and_the_journal_is_read_again,
                     a_watcher_learns_after_a_restart_what_it_missed, a_watch_ends_when_its_time_is_over,
                     errors_say_what_to_do, every_family_of_metrics_has_a_sample,
                     a_players_rows_leave_a_line_in_the_log_and_no_name,
                     a_list_of_players_is_held_against_an_event, files_are_their_owners_alone,
                     tokens_that_were_revoked_stay_so]:
            print(test.__name__, flush=True)
            test(server)
        for test in [half_a_tls_identity_is_no_server, the_command_line_shows_its_certificate, bash_completes]:
            print(test.__name__, flush=True)
            test(folder)
    finally:
        server.end()
        for pid in re.findall(r"^(\d+)", subprocess.run(["pgrep", "-f", f"shim --dir {folder}/"], capture_output=True,
                                                        text=True).stdout, re.M):
            os.kill(int(pid), signal.SIGTERM)
    shutil.rmtree(folder, ignore_errors=True)


main()
