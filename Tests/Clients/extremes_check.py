"""A cloud at its ends: stopped with ten thousand hosts, and on a disk that is full."""

import os
import pathlib
import subprocess
import tempfile
import time

from guests import Mounted, until
from harness import Cloud, Failure, expect, say

HOSTS = 10_000
# Seconds that a process has for its end.
DRAIN = 15
DISK = 64 << 20


def run(binary, report):
    with report.case("a cloud with ten thousand hosts ends when it is told to"):
        it_ends(binary)
    if os.geteuid() != 0:
        report.fail("the disk", "a disk of a size of its own wants root here")
        return
    with report.case("a full disk is said, reads go on, and writes do when there is room again"):
        it_is_full(binary)


def it_ends(binary):
    with Cloud(binary, {"SIMULATE_HOSTS": HOSTS}) as cloud:
        client = cloud.admin()
        # All of them are there and at work.
        until("the hosts to be up", lambda: count(client) == HOSTS, 180, 1)
        client.close()
        began = time.monotonic()
        cloud.process.terminate()
        try:
            status = cloud.process.wait(DRAIN)
        except subprocess.TimeoutExpired:
            raise Failure(f"it still runs {DRAIN} s after it was told to end\n{cloud.tail(5)}") from None
        say(f"  it ended after {time.monotonic() - began:.1f} s")
        expect(status, 0, "the exit status")


def count(client):
    answer = client.get("/compute/v2.1/os-hypervisors/statistics", headers={"OpenStack-API-Version": "compute 2.87"})
    return answer.json["hypervisor_statistics"]["count"]


def it_is_full(binary):
    with tempfile.TemporaryDirectory(prefix="novella-full-") as folder, Mounted(folder, DISK), Cloud(binary) as cloud:
        cloud.state = pathlib.Path(folder) / "state"
        cloud.stop()
        cloud.url = None
        cloud.start()
        client = cloud.admin()
        network = client.post("/network/v2.0/networks", {"network": {"name": "before"}}).json["network"]["id"]
        ballast = pathlib.Path(folder) / "ballast"
        fill(ballast)
        answers = [client.post("/network/v2.0/networks", {"network": {"name": "x" * 200}}, status=None) for _ in range(200)]
        refused = [answer for answer in answers if answer.status != 201]
        if not refused:
            raise Failure("200 writes were taken on a full disk")
        for answer in refused:
            if answer.status not in (503, 507) or "Retry-After" not in answer.headers:
                raise Failure(f"a write on a full disk: {answer} {dict(answer.headers)}")
        client.get(f"/network/v2.0/networks/{network}")
        health = client.get("/healthz", status=None)
        expect(health.status, 503, f"the health, {health}")
        ballast.unlink()
        after = {"network": {"name": "after"}}
        until("writes to be taken", lambda: client.post("/network/v2.0/networks", after, status=None).status == 201, 30)
        until("the health to be well", lambda: client.get("/healthz", status=None).status == 200, 30)
        client.close()


def fill(path):
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
