#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signing in to the real program by an issuer of identities (oidc_issuer.py), as a browser does, and by issuers that are
wrong in one way.

    oidc_test.py PROGRAM
"""
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

from oidc_issuer import CLIENT, SECRET, OidcIssuer
from real_server import RealServer

PROGRAM = os.path.abspath(sys.argv[1])
POLICY = """
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: people, owner: house }
spec:
  members:
    - { role: operator, groups: [live-ops] }
"""
FLAG = """
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: door, owner: house }
spec: { variants: { open: true, shut: false }, defaultVariant: shut }
"""


class Browser:
    """What a browser does of its own: cookies by server and path, and whose page sends what."""

    def __init__(self, server):
        self.server, self.cookies = server, {}

    def ask(self, method, url, body=None, **headers):
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
        path = parts.path + ("?" + parts.query if parts.query else "")
        own = [f"{name}={value}" for (place, below, name), value in self.cookies.items()
               if place == parts.netloc and parts.path.startswith(below)]
        if own:
            headers["Cookie"] = "; ".join(own)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            pair, *rest = cookie.split("; ")
            name, _, value = pair.partition("=")
            below = next(each[5:] for each in rest if each.startswith("Path="))
            self.cookies.pop((parts.netloc, below, name), None)
            if value:
                self.cookies[(parts.netloc, below, name)] = value
        connection.close()
        return answer, text

    def begin(self):
        """The page of the issuer: its fields."""
        answer, _ = self.ask("GET", self.server.url + "/api/v1/session/oidc/start?to=/console/events")
        assert answer.status == 303, answer.status
        there = answer.headers["Location"]
        if not there.startswith("http"):
            return None
        answer, text = self.ask("GET", there)
        assert answer.status == 200, text
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(there).query))

    def come_back(self, issuer, fields, who="ann"):
        answer, _ = self.ask("POST", issuer.url + "/authorize", urllib.parse.urlencode({**fields, "who": who}))
        return self.arrive(answer.headers["Location"])

    def arrive(self, place):
        answer, text = self.ask("GET", place)
        assert answer.status == 303, text
        return answer.headers["Location"]

    def sign_in(self, issuer, who="ann"):
        return self.come_back(issuer, self.begin(), who)

    def who(self):
        answer, text = self.ask("GET", self.server.url + "/api/v1/whoami")
        return text if answer.status == 200 else answer.status

    def problem(self):
        return self.ask("GET", self.server.url + "/api/v1/session")[1]


def start(folder, issuer, *options):
    secret = os.path.join(folder, "client-secret")
    with open(secret, "w") as file:
        file.write(SECRET + "\n")
    server = RealServer(PROGRAM, os.path.join(folder, "state"), "--oidc-issuer", issuer.url, "--oidc-client-id", CLIENT,
                        "--oidc-client-secret-file", secret, "--oidc-name", "Studio", *options).start()
    status, text = server.ask("POST", "/api/v1/manifests", POLICY, **{"Content-Type": "application/yaml"})
    assert status == 200, text
    return server


def who_acts_is_in_the_journal(server, issuer):
    browser = Browser(server)
    assert browser.sign_in(issuer) == "/console/events"
    who = browser.who()
    assert '"name":"ann@studio.example"' in who and '"roles":["operator"]' in who, who
    here = {"Content-Type": "application/yaml", "Sec-Fetch-Site": "same-origin"}
    answer, text = browser.ask("POST", server.url + "/api/v1/manifests", FLAG, **here)
    assert answer.status == 200, text
    _, records = server.ask("GET", "/api/v1/history?kind=manifest_applied&limit=1000")
    assert '"actor":"ann@studio.example"' in records, records
    answer, text = browser.ask("POST", server.url + "/api/v1/manifests", POLICY, **here)
    assert answer.status == 403, "an operator does not write policies: " + text
    answer, text = browser.ask("POST", server.url + "/api/v1/manifests", FLAG, **{**here, "Sec-Fetch-Site": "cross-site"})
    assert answer.status == 403, "another site's page acts: " + text
    answer, _ = browser.ask("DELETE", server.url + "/api/v1/session", **{"Sec-Fetch-Site": "same-origin"})
    assert answer.status == 204 and browser.who() == 401


def each_kind_of_key_signs(server, issuer):
    for key in issuer.keys:
        issuer.signs_with = key
        browser = Browser(server)
        browser.sign_in(issuer)
        assert "ann@studio.example" in str(browser.who()), (key.kind, browser.problem())
    issuer.signs_with = issuer.keys[0]


def who_is_not_to_be_let_in_is_not(server, issuer):
    for wrong, says in [
        ({"claims": {"aud": "games"}}, "for another client"),
        ({"claims": {"aud": [CLIENT, "games"]}}, "given to another client"),
        ({"claims": {"azp": "games"}}, "given to another client"),
        ({"claims": {"iss": "https://id.example.net"}}, "of another issuer"),
        ({"claims": {"nonce": "another"}}, "another attempt"),
        ({"claims": {"nonce": None}}, "another attempt"),
        ({"claims": {"nbf": 9999999999}}, "compare the clocks"),
        ({"claims": {"sub": None}}, "speaks of nobody"),
        ({"claims": {"email": None}}, "does not say the claim 'email'"),
        ({"exp_in": -120}, "expired at"),
        ({"alg": "none"}, "proves nothing"),
        ({"alg": "HS256"}, "proves nothing"),
        ({"header": {"crit": ["b64"], "b64": False}}, "critical fields"),
        ({"header": {"kid": "nobody"}}, "publishes no RS256 key 'nobody'"),
        ({"header": {"kid": "k2"}}, "publishes no RS256 key 'k2'"),
        ({"sign_with": "stranger"}, "not signed with the issuer's key"),
        ({"iss_back": "https://id.example.net"}, "from another issuer"),
        ({"deny": True}, "Studio did not sign you in: access_denied, not today"),
    ]:
        issuer.wrong = wrong
        browser = Browser(server)
        browser.sign_in(issuer)
        assert browser.who() == 401, wrong
        told = browser.problem()
        assert says in told, (wrong, told)
    issuer.wrong = {}
    for who, says in [("bob", "no policy gives 'bob@studio.example' a role"), ("eve", "has not verified your address")]:
        browser = Browser(server)
        browser.sign_in(issuer, who)
        assert browser.who() == 401 and says in browser.problem(), who


def an_answer_belongs_to_the_browser_that_asked(server, issuer):
    """Somebody's finished sign-in, put upon another's browser; a code that was used; another attempt's code."""
    attacker, victim = Browser(server), Browser(server)
    fields = attacker.begin()
    answer, _ = attacker.ask("POST", issuer.url + "/authorize", urllib.parse.urlencode({**fields, "who": "ann"}))
    place = answer.headers["Location"]
    victim.begin()
    assert victim.arrive(place) == "/" and victim.who() == 401 and "not begun in this browser" in victim.problem()
    ticket = {key: value for key, value in attacker.cookies.items()}
    attacker.arrive(place)
    assert "ann" in str(attacker.who())
    again = Browser(server)
    again.cookies = ticket
    again.arrive(place)
    assert again.who() == 401 and "invalid_grant" in again.problem(), "a code is good once"
    other = Browser(server)
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(Browser(server).ask(
        "POST", issuer.url + "/authorize", urllib.parse.urlencode({**fields, "who": "ann"}))[0].headers["Location"]).query)["code"][0]
    mine = other.begin()
    other.arrive(f"{server.url}/api/v1/session/oidc/callback?" +
                 urllib.parse.urlencode({"code": code, "state": mine["state"], "iss": issuer.url}))
    assert other.who() == 401 and "invalid_grant" in other.problem(), "another attempt's code has another verifier"


def keys_may_change(server, issuer):
    issuer.rotate("ES256", "k9")
    browser = Browser(server)
    deadline = time.monotonic() + 30
    while True:  # Keys are not fetched twice within five seconds.
        browser.sign_in(issuer)
        if browser.who() != 401:
            break
        assert time.monotonic() < deadline and "publishes no ES256 key 'k9'" in browser.problem()
        time.sleep(0.2)
    fetched = issuer.asked.count("/jwks")
    issuer.wrong = {"header": {"kid": "nobody"}}
    for _ in range(20):
        Browser(server).sign_in(issuer)
    issuer.wrong = {}
    assert issuer.asked.count("/jwks") <= fetched + 2, "tokens of unknown keys become requests"


def a_policy_that_takes_the_role_away_ends_sessions(server, issuer):
    browser = Browser(server)
    browser.sign_in(issuer)
    assert "ann" in str(browser.who())
    status, text = server.ask("POST", "/api/v1/manifests", POLICY.replace("live-ops", "nobody"), **{"Content-Type": "application/yaml"})
    assert status == 200, text
    assert browser.who() == 401
    assert server.ask("POST", "/api/v1/manifests", POLICY, **{"Content-Type": "application/yaml"})[0] == 200
    assert "ann" in str(browser.who())


def nothing_secret_is_logged(server):
    log = open(server.log).read()
    assert "ann@studio.example signed in by Studio" in log, log[-2000:]
    assert "nobody was signed in: the token expired" in log
    for secret in (SECRET, "eyJ"):
        assert secret not in log, "a secret is in the log"


def a_session_ends_and_an_issuer_may_be_away(folder, issuer):
    server = start(folder, issuer, "--oidc-session", "1s", "--access-log")
    try:
        browser = Browser(server)
        browser.sign_in(issuer)
        deadline = time.monotonic() + 20
        assert "ann" in str(browser.who())
        while browser.who() != 401:
            assert time.monotonic() < deadline, "the session does not end"
            time.sleep(0.05)
        fields = browser.begin()
        answer, _ = browser.ask("POST", issuer.url + "/authorize", urllib.parse.urlencode({**fields, "who": "ann"}))
        issuer.shutdown()
        issuer.server_close()
        browser.arrive(answer.headers["Location"])
        assert browser.who() == 401 and "the issuer does not answer" in browser.problem()
        assert "code=" not in open(server.log).read(), "a code is in the log"
        server.end()
        server.start()
        assert Browser(server).begin() is None, "an issuer that is away sends nobody anywhere"
        assert server.ask("GET", "/api/v1/status")[0] == 200, "tokens go on"
    finally:
        server.end()


def words_that_are_wrong_are_refused(folder):
    for words, says in [
        (["--oidc-issuer", "http://id.example.net", "--oidc-client-id", "x"], "in clear text"),
        (["--oidc-issuer", "https://id.example.net"], "--oidc-client-id"),
        (["--oidc-issuer", "https://id.example.net", "--oidc-client-id", "x", "--oidc-client-secret-file", "/nowhere"], "/nowhere"),
        (["--oidc-issuer", "https://id.example.net", "--oidc-client-id", "x", "--oidc-session", "0s"], "8h"),
        (["--public-url", "live"], "--public-url"),
    ]:
        ended = subprocess.run([PROGRAM, "serve", "--data", os.path.join(folder, "none"), "--port", "0", *words],
                               capture_output=True, text=True, timeout=30)
        assert ended.returncode == 2 and says in ended.stderr, (words, ended.returncode, ended.stderr)


def main():
    folder = tempfile.mkdtemp(prefix="showcaller-oidc-")
    issuer, server = OidcIssuer(), None
    try:
        server = start(folder, issuer)
        who_acts_is_in_the_journal(server, issuer)
        each_kind_of_key_signs(server, issuer)
        who_is_not_to_be_let_in_is_not(server, issuer)
        an_answer_belongs_to_the_browser_that_asked(server, issuer)
        a_policy_that_takes_the_role_away_ends_sessions(server, issuer)
        keys_may_change(server, issuer)
        nothing_secret_is_logged(server)
        server.end()
        a_session_ends_and_an_issuer_may_be_away(os.path.join(folder), issuer)
        words_that_are_wrong_are_refused(folder)
    finally:
        if server:
            server.end()
        shutil.rmtree(folder, ignore_errors=True)
    print("signing in by an issuer works, and by nobody else")


main()
