#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo as a test: real server, real game servers, real players, and the gate decides.

    demo_test.py SOURCE_DIR [RUNS]

Each run has a seed of its own. The healthy build must go live, the one with a defect must be rolled
back and its ledger told; with the defect taken out (every third run), nothing is rolled back. Of
three runs or more the last is followed by one whose evidence is thin.
"""
import re
import subprocess
import sys


def run(source, seed, defect):
    command = ["tools/run_demo", "--skip-build", "--seed", str(seed)] + ([] if defect else ["--no-defect"])
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=420)
    phases = dict(re.findall(r"^(spring-cup|summer-cup) +(\w+) .* (?:open|closed) ", done.stdout, re.M))
    wanted = {"spring-cup": "Live", "summer-cup": "RolledBack" if defect else "Live"}
    wrong = []
    if done.returncode != 0:
        wrong.append(f"exit code {done.returncode}")
    if phases != wanted:
        wrong.append(f"{phases} instead of {wanted}")
    if defect and not re.search(r"^summer-cup r1: [1-9]\d* rows", done.stdout, re.M):
        wrong.append("the ledger names nobody")
    print(f"seed {seed} {'defect' if defect else 'no defect'}: {phases}", flush=True)
    if wrong:
        print("\n".join(wrong), done.stdout, done.stderr, sep="\n")
    return not wrong


def run_thin(source, seed):
    command = ["tools/run_demo", "--skip-build", "--thin", "--seed", str(seed)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=420)
    print(f"seed {seed} thin: exit code {done.returncode}", flush=True)
    if done.returncode != 0:
        print(done.stdout, done.stderr, sep="\n")
    return done.returncode == 0


def main():
    source, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    failed = [seed for seed in range(1, runs + 1) if not run(source, seed, defect=seed % 3 != 0)]
    if runs >= 3 and not run_thin(source, runs + 1):
        failed.append(runs + 1)
    if failed:
        sys.exit(f"seeds that failed: {failed}")


main()
