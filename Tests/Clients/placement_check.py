"""Placement's own HTTP cases, those of its package that can run from outside, unchanged, against an empty Placement: once on SQLite
and once on PostgreSQL."""

import json
import shutil
import subprocess

from harness import ROOT, Cloud, Failure, judge_of, say
from postgres import Postgres

# Placement is pinned, so its cases are as many as they were. Fewer mean that something was not found.
CASES = 1125
# One case is skipped by its own author.
SKIPS = 1
DEADLINE = 900


def run(binary, report):
    run_on("SQLite", {}, binary, report)
    with Postgres() as server:
        run_on("PostgreSQL", {"DATABASE_CONNECTION": server.connection}, binary, report)


def run_on(database, settings, binary, report):
    out = ROOT / ".build" / "clients" / f"placement-{database}"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    # A host would bring its provider along.
    with Cloud(binary, settings | {"SIMULATE_HOSTS": 0}) as cloud:
        arguments = [*judge_of("placement-gabbi", cloud), "--out", str(out)]
        with open(out / "placement-gabbi.log", "wb") as log:
            subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, timeout=DEADLINE, check=False)
        if not (out / "placement-gabbi.tsv").exists():
            raise Failure("placement-gabbi made no results:\n" + (out / "placement-gabbi.log").read_text()[-3000:])
        failures = len(report.failures)
        judge(database, out, report)
        if len(report.failures) > failures:
            print(cloud.tail(20))


def judge(database, out, report):
    score = json.loads((out / "placement-gabbi.log").read_text().splitlines()[-1])
    for line in (out / "placement-gabbi.tsv").read_text().splitlines():
        name, status, *why = line.split("\t")
        if status == "pass":
            report.pass_()
        elif status != "skip":
            report.fail(f"{database}: {name}", why[-1] if why else status)
    if score["selected"] < CASES or score["skipped"] > SKIPS:
        report.fail(f"{database}: the selection", f"{score['selected']} cases instead of {CASES}, {score['skipped']} skipped instead of {SKIPS}")
    say(f"  {database}: {score['selected']} cases, {score['passed']} passed, {score['skipped']} skipped, in {score['seconds']:.0f} s")
