# SPDX-License-Identifier: Apache-2.0
"""The real server as a process, on a port that the system chooses, for the tests beside this file."""
import http.client
import os
import signal
import subprocess
import time


class RealServer:
    """Its state is in the folder `data`; beside it are DATA.url and DATA.log."""

    def __init__(self, program, data, *options):
        self.program, self.data, self.options, self.log = program, data, options, data + ".log"
        self.process = self.url = self.port = self.token = None

    def start(self, port=0):
        url_file = self.data + ".url"
        if os.path.exists(url_file):
            os.unlink(url_file)
        command = [self.program, "serve", "--data", self.data, "--port", str(port), "--port-file", url_file, *self.options]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stderr=log, stdout=log)
        deadline = time.monotonic() + 60
        while not (os.path.exists(url_file) and os.path.getsize(url_file)):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("the server did not start: " + open(self.log).read()[-2000:])
            time.sleep(0.01)
        self.url = open(url_file).read().strip()
        self.port = int(self.url.rsplit(":", 1)[1])
        self.token = open(os.path.join(self.data, "admin.token")).read().strip()
        return self

    def end(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, method, path, body=None, token=None, connection=None, **headers):
        connection = connection or self.connect()
        headers = {"Authorization": "Bearer " + (token or self.token), **headers}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
