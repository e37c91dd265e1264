#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small OpenID Connect issuer with keys of its own: authorization code with PKCE, RS256 and ES256, for the tests beside
this file and the console's stories. It holds callers to the protocol; what it says itself may be made wrong in one way.

    oidc_issuer.py [HOST]     prints its URL, and runs until its standard input ends
"""
import base64
import hashlib
import hmac
import html
import http.server
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

CLIENT, SECRET = "show:caller", "s3cret/ +%"
PEOPLE = {
    "ann": {"sub": "u-1", "email": "ann@studio.example", "email_verified": True, "groups": ["live-ops"]},
    "bob": {"sub": "u-2", "email": "bob@studio.example", "email_verified": True, "groups": ["everybody"]},
    "eve": {"sub": "u-3", "email": "ann@studio.example", "email_verified": False, "groups": ["live-ops"]},
}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*words, data=b""):
    return subprocess.run(["openssl", *words], input=data, capture_output=True, check=True).stdout


class Key:
    """A private key in a file, and its public part as a JWK."""

    def __init__(self, folder, kind, name):
        self.kind, self.name, self.file = kind, name, os.path.join(folder, f"{name}-{secrets.token_hex(4)}.pem")
        how = ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"] if kind == "RS256" else ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        openssl("genpkey", "-algorithm", *how, "-out", self.file)

    def public(self):
        common = {"kid": self.name, "use": "sig", "alg": self.kind}
        if self.kind == "RS256":
            modulus = openssl("rsa", "-in", self.file, "-noout", "-modulus").decode().strip().partition("=")[2]
            return {**common, "kty": "RSA", "e": "AQAB", "n": base64url(bytes.fromhex(modulus))}
        point = openssl("ec", "-in", self.file, "-pubout", "-outform", "DER")[-64:]
        return {**common, "kty": "EC", "crv": "P-256", "x": base64url(point[:32]), "y": base64url(point[32:])}

    def sign(self, text):
        signature = openssl("dgst", "-sha256", "-sign", self.file, data=text)
        return signature if self.kind == "RS256" else self.two_numbers(signature)

    @staticmethod
    def two_numbers(der):
        """An ECDSA signature is two numbers in DER; a token has them one after the other."""
        at, out = 2, b""
        for _ in range(2):
            size = der[at + 1]
            out += der[at + 2:at + 2 + size].lstrip(b"\0").rjust(32, b"\0")
            at += 2 + size
        return out


class OidcIssuer(http.server.ThreadingHTTPServer):
    """`wrong`: what it does not as it should: claims (null: left out), header, alg, sign_with, exp_in, iss_back, deny."""

    def __init__(self, host="127.0.0.1"):
        self.folder = tempfile.TemporaryDirectory()
        self.keys = [Key(self.folder.name, "RS256", "k1"), Key(self.folder.name, "ES256", "k2")]
        self.stranger = Key(self.folder.name, "RS256", "k1")
        self.signs_with, self.wrong, self.codes, self.asked = self.keys[0], {}, {}, []
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://{host}:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def rotate(self, kind="RS256", name="k3"):
        """Another key signs from now on, and the old ones are gone."""
        self.signs_with = Key(self.folder.name, kind, name)
        self.keys = [self.signs_with]

    def id_token(self, person, nonce):
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + self.wrong.get("exp_in", 300), "nonce": nonce, **PEOPLE[person]}
        claims.update(self.wrong.get("claims", {}))
        key = self.stranger if self.wrong.get("sign_with") == "stranger" else self.signs_with
        header = {"typ": "JWT", "alg": self.wrong.get("alg", key.kind), "kid": key.name, **self.wrong.get("header", {})}
        parts = [header, {name: value for name, value in claims.items() if value is not None}]
        text = ".".join(base64url(json.dumps(part).encode()) for part in parts).encode()
        if header["alg"] == "none":
            return text.decode() + "."
        if header["alg"] == "HS256":  # By a secret that everybody knows: the public key.
            signature = hmac.new(openssl("pkey", "-in", key.file, "-pubout"), text, "sha256").digest()
        else:
            signature = key.sign(text)
        return (text + b"." + base64url(signature).encode()).decode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, kind="application/json", **headers):
        data = (json.dumps(body) if kind == "application/json" else body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        fields = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.server.asked.append(path)
        url = self.server.url
        if path == "/.well-known/openid-configuration":
            return self.answer(200, {
                "issuer": url, "authorization_endpoint": url + "/authorize", "token_endpoint": url + "/token", "jwks_uri": url + "/jwks",
                "token_endpoint_auth_methods_supported": ["client_secret_basic"], "authorization_response_iss_parameter_supported": True})
        if path == "/jwks":
            return self.answer(200, {"keys": [key.public() for key in self.server.keys]})
        if path == "/authorize":
            return self.ask_who(fields)
        self.answer(404, {"error": "not_found"})

    def ask_who(self, fields):
        good = (fields.get("response_type") == "code" and fields.get("client_id") == CLIENT and fields.get("code_challenge_method") == "S256"
                and len(fields.get("code_challenge", "")) == 43 and "openid" in fields.get("scope", "").split() and fields.get("nonce"))
        if not good:
            return self.answer(400, {"error": "invalid_request"})
        buttons = "".join(f"<button name=who value={name}>{name}</button>" for name in PEOPLE)
        hidden = "".join(f'<input type=hidden name="{html.escape(k)}" value="{html.escape(v)}">' for k, v in fields.items())
        self.answer(200, f"<!doctype html><title>Issuer</title><h1>Who are you?</h1><form method=post action=/authorize>{hidden}{buttons}</form>",
                    "text/html")

    def do_POST(self):
        fields = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True))
        self.server.asked.append(self.path)
        if self.path == "/authorize":
            return self.send_back(fields)
        if self.path == "/token":
            return self.redeem(fields)
        if self.path == "/wrong":  # For tests in other processes.
            self.server.wrong = json.loads(fields["wrong"])
            return self.answer(200, {})
        self.answer(404, {"error": "not_found"})

    def send_back(self, fields):
        back = {"state": fields["state"], "iss": self.server.wrong.get("iss_back", self.server.url)}
        if self.server.wrong.get("deny"):
            back.update(error="access_denied", error_description="not today")
        else:
            back["code"] = secrets.token_urlsafe(16)
            with self.server.lock:
                self.server.codes[back["code"]] = fields
        self.answer(303, "", "text/html", Location=fields["redirect_uri"] + "?" + urllib.parse.urlencode(back))

    def redeem(self, fields):
        basic = base64.b64encode(f"{urllib.parse.quote(CLIENT, safe='')}:{urllib.parse.quote(SECRET, safe='')}".encode()).decode()
        if self.headers["Authorization"] != "Basic " + basic:
            return self.answer(401, {"error": "invalid_client"})
        with self.server.lock:
            code = self.server.codes.pop(fields.get("code"), None)  # Once.
        challenge = base64url(hashlib.sha256(fields.get("code_verifier", "").encode()).digest())
        if not code or code["redirect_uri"] != fields.get("redirect_uri") or code["code_challenge"] != challenge:
            return self.answer(400, {"error": "invalid_grant"})
        self.answer(200, {"access_token": "none", "token_type": "Bearer", "id_token": self.server.id_token(code["who"], code["nonce"])})

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    print(OidcIssuer(*sys.argv[1:2]).url, flush=True)
    sys.stdin.read()
