"""Tempest's identity tests, all of them, with the rules for passwords turned on. A skip needs a reason in tempest-skips.txt."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import time

from harness import HERE, ROOT, Cloud, Failure, say

# What Tempest believes of the cloud, and how the cloud is made to be so: Tempest's option, the cloud's, the value of both.
COMPLIANCE = [
    ("identity.user_lockout_failure_attempts", "SECURITY_COMPLIANCE_LOCKOUT_FAILURE_ATTEMPTS", 3),
    ("identity.user_lockout_duration", "SECURITY_COMPLIANCE_LOCKOUT_DURATION", 5),
    ("identity.user_unique_last_password_count", "SECURITY_COMPLIANCE_UNIQUE_LAST_PASSWORD_COUNT", 2),
    ("identity.user_minimum_password_age", "SECURITY_COMPLIANCE_MINIMUM_PASSWORD_AGE", 0),
]

# Tempest is pinned, so its tests are as many as they were. Fewer mean that something was not found.
TESTS = 138
DEADLINE = 900


def allowed_skips():
    """[(pattern, reason)]"""
    lines = [line for line in (HERE / "tempest-skips.txt").read_text().splitlines() if line and not line.startswith("#")]
    return [tuple(part.strip() for part in line.split(" | ", 1)) for line in lines]


def run(binary, report):
    out = ROOT / ".build" / "clients" / "tempest"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with Cloud(binary, {setting: value for _, setting, value in COMPLIANCE}) as cloud:
        arguments = [
            sys.executable,
            str(HERE / "tempest-run"),
            "--venv",
            str(pathlib.Path(sys.executable).parent.parent),
            "--auth-url",
            cloud.url + "/identity/v3",
            "--admin-user",
            "admin",
            "--password",
            cloud.password(),
            "--project",
            "admin",
            "--regex",
            r"^tempest\.api\.identity",
            "--concurrency",
            "2",
            "--timeout",
            str(DEADLINE),
            "--out",
            str(out),
            "--set",
            "identity-feature-enabled.security_compliance=true",
        ]
        for option, _, value in COMPLIANCE:
            arguments += ["--set", f"{option}={value}"]
        with open(out / "tempest-run.log", "wb") as log:
            process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
            try:
                follow(process, out / "results.subunit")
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.wait(60)
        if not (out / "results.tsv").exists():
            raise Failure("tempest-run made no results:\n" + (out / "tempest-run.log").read_text()[-3000:])
        judge(out, report)
        if report.failures:
            print(cloud.tail(20))
            say(f"  every request and answer is in {out}/tempest.log")


def follow(process, results):
    """Shows now and then that it goes on."""
    told = time.monotonic()
    while process.poll() is None:
        time.sleep(0.2)
        if time.monotonic() - told >= 20:
            told = time.monotonic()
            size = results.stat().st_size if results.exists() else 0
            say(f"  under way, {size // 1024} KiB of results")


def judge(out, report):
    reasons = allowed_skips()
    used = set()
    skipped = 0
    rows = [line.split("\t") for line in (out / "results.tsv").read_text().splitlines()]
    tests = [row for row in rows if not row[1].startswith("note:")]
    for name, status, _, message in tests:
        short = name.split("[")[0]
        if status == "pass":
            report.pass_()
        elif status == "skip":
            pattern = next((pattern for pattern, _ in reasons if re.search(pattern, short)), None)
            if pattern is None:
                report.fail(short, f"skipped, and tempest-skips.txt has no reason for it: {message}")
            else:
                used.add(pattern)
                skipped += 1
        else:
            report.fail(short, message)
    # What is noted besides tests is a class whose cleaning up went wrong.
    for name, status, _, message in rows:
        if status.startswith("note:"):
            report.fail(name, f"{status}: {message}")
    for pattern, _ in reasons:
        if pattern not in used:
            report.fail(pattern, "tempest-skips.txt has a reason for a skip that there is not")
    if len(tests) < TESTS:
        report.fail("the selection", f"{len(tests)} tests instead of {TESTS}")
    seconds = json.loads((out / "summary.json").read_text())["seconds"]
    say(f"  {len(tests)} tests, {report.passed} passed, {skipped} skipped with a reason, in {seconds:.0f} s")
