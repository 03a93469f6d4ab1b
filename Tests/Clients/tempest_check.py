"""Tempest's tests of the services that are there, all of them. A skip needs a reason in tempest-skips.txt."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import time

from harness import HERE, ROOT, Cloud, Failure, judge_of, say
from mirror import Mirror


class Selection:
    """Tests that belong together, and the cloud that they want.

    Tempest is pinned, so there are as many tests as there were. Fewer mean that something was not found.
    """

    def __init__(self, name, which, tests, believed, settings, downloads=False):
        self.name = name
        # A regular expression, or the file that names them.
        self.which = which
        self.tests = tests
        # What Tempest is told of the cloud, and how the cloud is made to be so.
        self.believed = believed
        self.settings = settings
        # Whether there is an image to be downloaded from a web server of this host.
        self.downloads = downloads

    @property
    def arguments(self):
        """What tempest-run is told of it."""
        if isinstance(self.which, pathlib.Path):
            return ["--load-list", str(self.which)]
        return ["--regex", self.which]


# With the rules for passwords turned on: what Tempest is told, and what the cloud is.
STRICT_BELIEF = {
    "identity-feature-enabled.security_compliance": "true",
    "identity.user_lockout_failure_attempts": 3,
    "identity.user_lockout_duration": 5,
    "identity.user_unique_last_password_count": 2,
    "identity.user_minimum_password_age": 0,
}
STRICT = {
    "SECURITY_COMPLIANCE_LOCKOUT_FAILURE_ATTEMPTS": 3,
    "SECURITY_COMPLIANCE_LOCKOUT_DURATION": 5,
    "SECURITY_COMPLIANCE_UNIQUE_LAST_PASSWORD_COUNT": 2,
    "SECURITY_COMPLIANCE_MINIMUM_PASSWORD_AGE": 0,
}

SELECTIONS = [
    Selection("identity", r"^tempest\.api\.identity", 138, STRICT_BELIEF, STRICT),
    # With two stores, so that images can be copied between them.
    Selection("image", r"^tempest\.api\.image", 102, {"image.image_caching_enabled": "true"},
              {"IMAGES_STORES": "file,second", "IMAGES_CACHE_SIZE": 1}, downloads=True),
    # They upload chance bytes in the formats that they are told of: as `raw` chance bytes are what they say.
    Selection(
        "image-formats",
        r"^tempest\.api\.image\.v2\.test_images\.ListUserImagesTest",
        17,
        {"image-feature-enabled.image_format_enforcement": "false", "image.disk_formats": "raw"},
        {},
    ),
    # On two simulated hosts.
    Selection("network", r"^tempest\.api\.network", 262, {}, {"SIMULATE_HOSTS": 2}),
    Selection(
        "compute",
        r"^tempest\.api\.compute",
        588,
        {
            "compute-feature-enabled.block_migration_for_live_migration": "true",
            "compute-feature-enabled.scheduler_enabled_filters": "all",
            # A manager of a project may move its servers.
            "enforce_scope.nova": "true",
            "compute-feature-enabled.nova_policy_roles": "reader,member,manager,admin",
        },
        {"SIMULATE_HOSTS": 2},
    ),
    # What the interoperability guidelines ask of who calls itself OpenStack Powered Compute.
    Selection("required", HERE / "interop-required-compute.txt", 282, STRICT_BELIEF, STRICT | {"SIMULATE_HOSTS": 2}),
]
DEADLINE = 1800


def allowed_skips():
    """[(pattern, reason)]"""
    lines = [line for line in (HERE / "tempest-skips.txt").read_text().splitlines() if line and not line.startswith("#")]
    return [tuple(part.strip() for part in line.split(" | ", 1)) for line in lines]


def run(binary, report):
    used = set()
    chosen = [name for name in os.environ.get("SELECTION", "").split(",") if name]
    for selection in SELECTIONS:
        if not chosen or selection.name in chosen:
            run_selection(selection, binary, report, used)
    for pattern, _ in allowed_skips():
        if pattern not in used and not chosen:
            report.fail(pattern, "tempest-skips.txt has a reason for a skip that there is not")


def run_selection(selection, binary, report, used):
    out = ROOT / ".build" / "clients" / f"tempest-{selection.name}"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        settings, believed = dict(selection.settings), dict(selection.believed)
        if selection.downloads:
            mirror = stack.enter_context(Mirror(an_image()))
            settings |= mirror.settings
            believed["image.http_qcow2_image"] = mirror.url
        cloud = stack.enter_context(Cloud(binary, settings))
        arguments = [*judge_of("tempest-run", cloud), *selection.arguments, "--concurrency", "2"]
        arguments += ["--timeout", str(DEADLINE), "--out", str(out)]
        for option, value in believed.items():
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
        failures = len(report.failures)
        judge(selection, out, report, used)
        if len(report.failures) > failures:
            print(cloud.tail(20))
            say(f"  every request and answer is in {out}/tempest.log")


def an_image():
    """An empty qcow2 of 1 MiB: its header, the table of its reference counts, the counts, the table of its clusters."""
    cluster = 1 << 16
    header = b"QFI\xfb" + struct.pack(
        ">IQIIQIIQQIIQQQQII", 3, 0, 0, 16, 1 << 20, 0, 1, 3 * cluster, cluster, 1, 0, 0, 0, 0, 0, 4, 104
    )
    parts = [header, struct.pack(">Q", 2 * cluster), struct.pack(">4H", 1, 1, 1, 1), b""]
    return b"".join(part.ljust(cluster, b"\0") for part in parts)


def follow(process, results):
    """Shows now and then that it goes on."""
    told = time.monotonic()
    while process.poll() is None:
        time.sleep(0.2)
        if time.monotonic() - told >= 20:
            told = time.monotonic()
            size = results.stat().st_size if results.exists() else 0
            say(f"  under way, {size // 1024} KiB of results")


def judge(selection, out, report, used):
    reasons = allowed_skips()
    passed = skipped = 0
    rows = [line.split("\t") for line in (out / "results.tsv").read_text().splitlines()]
    tests = [row for row in rows if not row[1].startswith("note:")]
    for name, status, _, message in tests:
        short = name.split("[")[0]
        if status == "pass":
            report.pass_()
            passed += 1
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
    if len(tests) < selection.tests:
        report.fail("the selection", f"{len(tests)} tests instead of {selection.tests}")
    seconds = json.loads((out / "summary.json").read_text())["seconds"]
    say(f"  {selection.name}: {len(tests)} tests, {passed} passed, {skipped} skipped with a reason, in {seconds:.0f} s")
