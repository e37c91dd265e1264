#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Alerts of the real server: to a real Alertmanager, a webhook and what speaks like Slack and PagerDuty.

    alerts_test.py PROGRAM
"""
import datetime
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
import urllib.request

from real_server import RealServer

PROGRAM = os.path.abspath(sys.argv[1])
MANIFESTS = """
apiVersion: showcaller.dev/v1
kind: Team
metadata: {{ name: team-e2e, owner: team-e2e }}
spec:
  rota: {{ zone: Europe/Berlin, starts: 2026-01-05T09:00, people: [ann] }}
  routes:
    - {{ name: house, type: alertmanager, url: "{alertmanager}" }}
    - {{ name: hook, type: webhook, url: "{listener}/hook", secret: hook-token }}
    - {{ name: chat, type: slack, url_secret: chat-address }}
    - {{ name: nobody, type: webhook, url: "{listener}/gone" }}
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: {{ name: door, owner: team-e2e }}
spec: {{ variants: {{ open: true, shut: false }}, defaultVariant: shut }}
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: {{ name: feast, owner: team-e2e }}
spec:
  runbook: runbooks/feast.md
  changes: [ {{ flag: {{ key: door, to: open }} }} ]
  readiness: {{ client: {{ protocol: ">=48", adoption: 80% }}, timeout: 1s }}
  rollout: {{ stages: [ {{ name: world, exposure: 100%, bake: 1h, gated: false }} ] }}
"""


class Listener(http.server.ThreadingHTTPServer):
    """Keeps what it hears; what is sent to /gone is refused."""

    def __init__(self):
        self.heard = []
        listener = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                listener.heard.append((self.path, dict(self.headers), body))
                self.send_response(410 if self.path == "/gone" else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def of(self, path):
        return [each for each in self.heard if each[0] == path]


class Alertmanager:
    def __init__(self, folder):
        config = os.path.join(folder, "alertmanager.yml")
        with open(config, "w") as file:
            file.write("route: { receiver: nobody }\nreceivers: [ { name: nobody } ]\n")
        self.log = os.path.join(folder, "alertmanager.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus-alertmanager", "--config.file", config, "--storage.path", os.path.join(folder, "am"),
                 "--web.listen-address", "127.0.0.1:0", "--cluster.listen-address", ""], stdout=log, stderr=log)
        address = eventually(lambda: re.search(r"address=(127\.0\.0\.1:\d+)", open(self.log).read()), "Alertmanager listens")
        self.url = "http://" + address.group(1)
        eventually(lambda: self.get("/-/ready") is not None, "Alertmanager is ready")

    def get(self, path):
        try:
            return urllib.request.urlopen(self.url + path, timeout=5).read().decode()
        except OSError:
            return None

    def firing(self):
        return json.loads(self.get("/api/v2/alerts?active=true") or "[]")

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=30)


def eventually(what, name, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError("not in time: " + name)


def cli(server, *words):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SHOWCALLER_")}
    environment.update(SHOWCALLER_SERVER=server.url, SHOWCALLER_TOKEN=server.token)
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=60, env=environment)


def said(server, *words):
    answer = cli(server, *words)
    assert answer.returncode == 0, (words, answer.stdout, answer.stderr)
    return answer.stdout


def alert_of(server):
    alerts = json.loads(server.ask("GET", "/api/v1/alerts?state=firing")[1])
    return alerts[0] if alerts else None


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def delivery_of(server, alert, route):
    deliveries = json.loads(server.ask("GET", "/api/v1/alerts/" + alert)[1])["deliveries"]
    return next((each for each in deliveries if each["route"] == route), None)


def an_alert_reaches_every_route(server, listener, alertmanager):
    status, answer = server.ask("POST", "/api/v1/manifests",
                                MANIFESTS.format(alertmanager=alertmanager.url, listener=listener.url))
    assert status == 200, answer
    alert = eventually(lambda: alert_of(server), "an alert")
    assert alert["owner"] == "ann" and alert["cause"] == "held" and alert["runbook"] == "runbooks/feast.md", alert
    hook = eventually(lambda: listener.of("/hook"), "the webhook")[0]
    _, headers, event = hook
    # By the program's own clock: from the record that opened it to the message, and to the answer as the journal has it.
    sent = moment(event["time"]) - moment(alert["opened_at"])
    assert 0 <= sent < 2, f"it left after {sent:.1f} s"
    told = eventually(lambda: delivery_of(server, alert["id"], "team-e2e/hook"), "the delivery in the journal")
    assert told["change"] == 1 and 0 <= moment(told["at"]) - moment(alert["opened_at"]) < 2, told
    assert headers["Authorization"] == "Bearer s3cret" and headers["Content-Type"] == "application/cloudevents+json"
    assert event["type"] == "dev.showcaller.alert.firing" and event["id"] == alert["id"] + "/1", event
    assert "feast is held" in eventually(lambda: listener.of("/chat"), "the chat")[0][2]["text"]
    there = eventually(alertmanager.firing, "the alert in Alertmanager")
    assert len(there) == 1 and there[0]["labels"]["alert"] == alert["id"], there
    assert there[0]["labels"]["subject"] == "LiveEvent/feast" and there[0]["annotations"]["owner"] == "ann", there
    return alert["id"]


def what_is_refused_is_a_dead_letter(server, alert):
    letters = eventually(lambda: json.loads(server.ask("GET", "/api/v1/alerts/dead-letters")[1]), "a dead letter")
    assert [(l["alert"], l["route"]) for l in letters] == [(alert, "team-e2e/nobody")], letters
    assert letters[0]["detail"].startswith("410 Gone"), letters
    assert "team-e2e/nobody" in said(server, "alert", "dead-letters")


def the_command_line_shows_and_acknowledges(server, listener, alert):
    assert alert in said(server, "alert", "list") and alert in said(server, "status")
    shown = said(server, "alert", "show", alert)
    assert "runbook: runbooks/feast.md" in shown and "showcaller explain feast" in shown, shown
    said(server, "alert", "ack", alert, "--dry-run")
    assert alert_of(server)["state"] == "firing"
    said(server, "alert", "ack", alert, "--reason", "on it")
    eventually(lambda: listener.of("/hook")[-1][2]["type"].endswith("acknowledged"), "the acknowledgement")
    said(server, "alert", "own", alert, "--owner", "bob")
    eventually(lambda: listener.of("/hook")[-1][2]["data"]["owner"] == "bob", "whose it is")
    tested = said(server, "alert", "test-route", "team-e2e", "hook")
    assert tested.startswith("delivered: 200"), tested
    refused = cli(server, "alert", "test-route", "team-e2e", "nobody")
    assert refused.returncode == 1 and "410" in refused.stdout, refused
    silence = said(server, "alert", "silence", "LiveEvent/feast", "--for", "1h")
    assert "LiveEvent/feast" in said(server, "alert", "silences"), silence


def a_restart_tells_nothing_again(server, listener):
    told = len(listener.of("/hook"))
    server.end(signal.SIGKILL)
    server.start()
    time.sleep(1.5)
    assert len(listener.of("/hook")) == told, listener.of("/hook")[told:]


def what_is_over_is_told_everywhere(server, listener, alertmanager, alert):
    silence = json.loads(server.ask("GET", "/api/v1/silences")[1])[0]["id"]
    said(server, "alert", "unsilence", silence)
    said(server, "cancel", "feast")
    eventually(lambda: [e for _, _, e in listener.of("/hook")
                        if e["data"]["id"] == alert and e["type"].endswith("resolved")], "the end")
    eventually(lambda: not alertmanager.firing(), "the end in Alertmanager")
    state = json.loads(server.ask("GET", "/api/v1/alerts/" + alert)[1])
    assert state["state"] == "resolved", state


def main():
    if not shutil.which("prometheus-alertmanager"):
        print("skipped: there is no prometheus-alertmanager here")
        sys.exit(77)
    folder = tempfile.mkdtemp(prefix="sc-alerts-")
    listener = Listener()
    os.environ["SHOWCALLER_SECRET_HOOK_TOKEN"] = "s3cret"
    os.environ["SHOWCALLER_SECRET_CHAT_ADDRESS"] = listener.url + "/chat"
    alertmanager = Alertmanager(folder)
    server = RealServer(PROGRAM, os.path.join(folder, "state")).start()
    try:
        alert = an_alert_reaches_every_route(server, listener, alertmanager)
        what_is_refused_is_a_dead_letter(server, alert)
        the_command_line_shows_and_acknowledges(server, listener, alert)
        a_restart_tells_nothing_again(server, listener)
        what_is_over_is_told_everywhere(server, listener, alertmanager, alert)
    except BaseException:
        print(open(server.log).read()[-3000:])
        raise
    finally:
        server.end()
        alertmanager.end()
        listener.shutdown()
        shutil.rmtree(folder, ignore_errors=True)
    print("alerts: ok")


if __name__ == "__main__":
    main()
