#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""OpenFeature's own clients (npm) against the real program. Skipped, and says so, where npm cannot be reached.

    flagd_test.py PROGRAM SOURCE_FOLDER BINARY_FOLDER
"""
import os
import subprocess
import sys

SKIPPED = 77  # What ctest is told means skipped.


def main(program, source, binary):
    clients = os.path.join(source, "tests", "openfeature")
    modules = os.path.join(binary, "openfeature")
    installed = subprocess.run([os.path.join(source, "tools", "install_npm"), clients, modules], timeout=120)
    if installed.returncode == SKIPPED:
        print("SKIPPED: OpenFeature's clients are not there, so nothing was tested with them")
        return SKIPPED
    installed.check_returncode()
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("FLAGD_", "SHOWCALLER_"))}
    for stories in ["flagd_stories.mjs", "serve_stories.mjs"]:
        subprocess.run(["node", os.path.join(clients, stories), program, modules], env=clean, timeout=120, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(os.path.abspath, sys.argv[1:])))
