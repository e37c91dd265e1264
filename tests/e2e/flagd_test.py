#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real program as a flag server: its words, its sources, and OpenFeature's own clients (npm). The clients' stories
are skipped where npm cannot be reached, and it says so.

    flagd_test.py PROGRAM SOURCE_FOLDER BINARY_FOLDER
"""
import contextlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

PROGRAM, SOURCE, BINARY = map(os.path.abspath, sys.argv[1:4])
SKIPPED = 77  # What ctest is told means skipped.
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("FLAGD_", "SHOWCALLER_"))}
PORTS = ["--port", "0", "--sync-port", "0", "--ofrep-port", "0", "--management-port", "0"]


def flags(colour, **more):
    return json.dumps({**more, "flags": {"colour": {"state": "ENABLED", "variants": {"a": colour}, "defaultVariant": "a"}}})


class Flagd:
    """`flagd start` with these words, once it says where it listens."""

    def __init__(self, folder, *words, **environment):
        self.log = open(os.path.join(folder, "log"), "w+")
        self.process = subprocess.Popen([PROGRAM, "flagd", "start", *PORTS, "-z", "json", *words],
                                        stdout=subprocess.PIPE, stderr=self.log, text=True, cwd=folder,
                                        env={**CLEAN, **environment})
        line = self.process.stdout.readline()
        assert line, open(self.log.name).read()
        self.at = json.loads(line)["listening"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(timeout=20) == 0
        self.log.close()

    def ask(self, path, body="{}", method="POST", server="ofrep", **headers):
        request = urllib.request.Request(self.at[server] + path, body.encode() if body else None, headers, method=method)
        with contextlib.closing(urllib.request.urlopen(request, timeout=10)) as answer:
            return answer.read().decode()

    def colour(self, **headers):
        return json.loads(self.ask("/ofrep/v1/evaluate/flags/colour", **headers)).get("value")

    def becomes(self, colour):
        deadline = time.monotonic() + 5
        while self.colour() != colour:
            assert time.monotonic() < deadline, self.colour()
            time.sleep(0.01)


def run(*words):
    return subprocess.run([PROGRAM, "flagd", "start", *words], capture_output=True, text=True, timeout=60, env=CLEAN)


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def what_is_not_served_is_refused(folder):
    for words, said in [
        ([], "no source of flags; give --uri"),
        (["-f", "flags.json"], "is no source; begin it with file:"),
        (["-f", "file:flags.txt"], "no known extension"),
        (["-f", "core.openfeature.dev/default/flags"], "sources of kubernetes are not read"),
        (["-f", "file:a.json", "-o", "collector:4317"], "OpenTelemetry is not exported"),
        (["-f", "file:a.json", "-X", "region"], "is no KEY=VALUE"),
        (["-f", "file:a.json", "--stream-deadline", "soon"], "soon"),
        (["--config", "/nowhere.yaml"], "--config names a file"),
        (["--config", write(folder, "bad.yaml", "porridge: 7\n")], "there is no option 'porridge'"),
    ]:
        done = run(*words)
        assert done.returncode == 2 and said in done.stderr, (words, done)
    done = run("-m", "0", "-f", "file:" + os.path.join(folder, "absent.json"))
    assert done.returncode == 5 and "absent.json': No such file" in done.stderr, done
    done = run("-m", "0", "-f", "file:" + write(folder, "wrong.json", '{"flags":\n 7}'))
    assert done.returncode == 2 and "wrong.json:1:3: /flags" in done.stderr, done


def a_later_source_counts_and_selectors_choose(folder):
    low = write(folder, "low.yaml", "metadata: { flagSetId: low }\nflags:\n  colour: { variants: { a: red }, defaultVariant: a }\n")
    high = write(folder, "high.json", flags("blue"))
    with Flagd(folder, "-f", f"file:{low},file:{high}") as flagd:
        assert flagd.colour() == "blue"
        assert flagd.colour(**{"Flagd-Selector": "flagSetId=low"}) == "red"
        assert flagd.colour(**{"Flagd-Selector": "source=" + high}) == "blue"
        os.unlink(high)
        time.sleep(1)
        assert flagd.colour() == "blue"  # The last good.
        write(folder, "high.json", '{"flags": {}}')
        flagd.becomes("red")
        assert flagd.ask("/healthz", None, "GET", "management") == ""
        assert flagd.ask("/readyz", None, "GET", "management") == ""
        metrics = flagd.ask("/metrics", None, "GET", "management")
        assert f'showcaller_flagd_source_reads_total{{source="{high}",outcome="unavailable"}} 1' in metrics, metrics


def options_come_from_a_file_and_the_environment_too(folder):
    first, second = write(folder, "1.json", flags("red")), write(folder, "2.json", flags("blue"))
    config = write(folder, "config.yaml", json.dumps({
        "sources": [{"uri": first, "provider": "file"}], "context-value": {"region": "eu"}, "debug": True,
        "cors-origin": ["https://game.example"], "ofrep-sse-enabled": False}))
    with Flagd(folder, "--config", config) as flagd:
        assert flagd.colour() == "red"
        assert "eventStreams" not in flagd.ask("/ofrep/v1/evaluate/flags")
    with Flagd(folder, "--config", config, FLAGD_SOURCES=json.dumps([{"uri": second, "provider": "file"}])) as flagd:
        assert flagd.colour() == "blue"


class Site(http.server.BaseHTTPRequestHandler):
    body = flags("red")

    def do_GET(self):
        known = self.headers["Authorization"] == "Bearer t"
        self.send_response(200 if known else 401)
        self.end_headers()
        self.wfile.write(self.body.encode() if known else b"")

    def log_message(self, *_):
        pass


def a_url_is_asked_again_and_another_flagd_follows(folder):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        source = {"uri": f"http://127.0.0.1:{site.server_port}/flags.json", "provider": "http", "bearerToken": "t", "interval": 1}
        with Flagd(folder, "-s", json.dumps([source])) as first:
            with Flagd(folder, "-f", "grpc://" + first.at["sync"]) as second:
                assert first.colour() == second.colour() == "red"
                Site.body = flags("blue")
                first.becomes("blue")
                second.becomes("blue")
        site.shutdown()


def openfeatures_clients_speak_to_it(_):
    clients, modules = os.path.join(SOURCE, "tests", "openfeature"), os.path.join(BINARY, "openfeature")
    installed = subprocess.run([os.path.join(SOURCE, "tools", "install_npm"), clients, modules], timeout=120)
    if installed.returncode == SKIPPED:
        print("SKIPPED: OpenFeature's clients are not there, so nothing was tested with them")
        return SKIPPED
    installed.check_returncode()
    for stories in ["flagd_stories.mjs", "serve_stories.mjs", "relay_stories.mjs"]:
        subprocess.run(["node", os.path.join(clients, stories), PROGRAM, modules], env=CLEAN, timeout=120, check=True)


def main():
    result = 0
    for story in [what_is_not_served_is_refused, a_later_source_counts_and_selectors_choose,
                  options_come_from_a_file_and_the_environment_too, a_url_is_asked_again_and_another_flagd_follows,
                  openfeatures_clients_speak_to_it]:
        folder = tempfile.mkdtemp(prefix="showcaller-flagd-")
        try:
            result = story(folder) or result
            print(story.__name__)
        finally:
            shutil.rmtree(folder)
    return result


if __name__ == "__main__":
    sys.exit(main())
