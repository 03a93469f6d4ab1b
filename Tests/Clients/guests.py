"""What the checks on real parts share: the host, its guests, the steps of a story there, and what of them must not stay behind."""

import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import time

from harness import ROOT, Cloud, Failure, expect, say

GUEST = ROOT / ".build" / "guest"

# Seconds between two pings, and how many are sent.
PACE = 0.05
PINGS = 40


class Host:
    """What a cloud makes on its host, apart from its own files and processes."""

    def __init__(self, parts):
        self.parts = parts

    @staticmethod
    def now():
        def lines(*command):
            return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())

        return Host(
            {
                "devices": devices(),
                "namespaces": {line.split()[0] for line in lines("ip", "netns")},
                "rules": {line for line in lines("nft", "list", "tables")},
                "addresses": {re.sub(r"^\d+: ", "", line).split("valid_lft")[0] for line in lines("ip", "-o", "address")},
                "routes": {line.strip() for line in lines("ip", "route")},
            }
        )

    def must_equal(self, other):
        for name, there in self.parts.items():
            was = other.parts[name]
            if there != was:
                raise Failure(f"{name}: left over {sorted(there - was)}, missing {sorted(was - there)}")


class Mounted:
    """A file system of its own in this folder, of so many bytes."""

    def __init__(self, folder, size):
        self.folder, self.size = folder, size

    def __enter__(self):
        options = f"size={self.size},mode=0711"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)], check=True)

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


def devices():
    """The names of the host's network devices."""
    shown = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    return {re.split(r"[:@]", line.split(": ")[1])[0] for line in shown.splitlines()}


def processes(cloud):
    """The programs whose words name a file of this cloud's: name, process id, words. Those that have ended and were not yet reaped are none."""
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().decode("utf-8", "replace")
            except OSError:
                continue
            if str(cloud.directory) in line:
                words = line.split("\0")
                yield pathlib.Path(words[0]).name, int(entry.name), words


def emulators(cloud, server=None):
    """The process ids of a cloud's guests; of one server's if it is named."""
    return [number for name, number, words in processes(cloud) if name.startswith("qemu-system") and (server is None or server in words)]


def make_first_server(binary, cloud):
    """The server `hello` and all that it needs, by the program's own command. Returns what that printed."""
    command = [binary, "hello", "--state", str(cloud.state), "--guest", str(GUEST)]
    hello = subprocess.run(command, capture_output=True, text=True, timeout=400)
    if hello.returncode != 0:
        raise Failure(hello.stdout + hello.stderr)
    return hello.stdout


def ssh(cloud, address, command, deadline=90):
    """What the command prints in the guest at this address; asked until the guest lets us in."""
    end = time.monotonic() + deadline
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=3", "BatchMode=yes", "LogLevel=ERROR"]
    line = ["ssh", "-i", str(cloud.state / "hello.key"), *[part for option in options for part in ("-o", option)], f"root@{address}", command]
    while True:
        try:
            done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
            if done.returncode != 255:
                return done
        except subprocess.TimeoutExpired:
            done = None
        if time.monotonic() > end:
            raise Failure(f"ssh to {address}: {done.stderr if done else 'no answer'}")
        time.sleep(0.2)


def ping(address):
    return subprocess.run(["ping", "-c", "1", "-W", "2", address], stdout=subprocess.DEVNULL).returncode == 0


def answered_pings(address):
    """Which of the pings sent from now on are answered, by their numbers from 1. What counts is when one was sent: a guest may be slow."""
    line = ["ping", "-n", "-i", str(PACE), "-c", str(PINGS), "-W", "3", address]
    printed = subprocess.run(line, capture_output=True, text=True).stdout
    return {int(number) for number in re.findall(r"bytes from .* icmp_seq=(\d+) ", printed)}


def until(what, test, deadline=180, pause=0.1):
    """What the test returned when it was true at last."""
    end = time.monotonic() + deadline
    while True:
        found = test()
        if found:
            return found
        if time.monotonic() > end:
            raise Failure(f"waited {deadline} s for {what}")
        time.sleep(pause)


def expect_no_machines(cloud):
    """No server's port, claim, disk, copy or process is there any longer."""
    client = cloud.admin()
    ports = client.get("/network/v2.0/ports").json["ports"]
    expect([port["id"] for port in ports if port["device_owner"].startswith("compute:")], [], "ports of servers")
    for provider in client.get("/placement/resource_providers").json["resource_providers"]:
        found = client.get(f"/placement/resource_providers/{provider['uuid']}/allocations").json["allocations"]
        expect(found, {}, "claims at Placement")
    client.close()
    expect(machine_files(cloud), [], "files of machines")
    expect(emulators(cloud), [], "processes of machines")
    # The host's networks follow the rows a moment later.
    until("the taps of machines to be gone", lambda: not any(name.startswith("tap") for name in devices()), 30)


def machine_files(cloud):
    """All that lies in the folders of machines and of copies of their disks, what is saved of their memory, and what libvirt has for each start."""
    host = cloud.state / "host"
    qemu = host / "l" / "lib" / "qemu"
    found = [path for folder in (host / "machines", host / "snapshots", qemu / "save") if folder.exists() for path in folder.rglob("*")]
    found += [path for word in ("domain-*", "qmp-*") for path in qemu.rglob(word)]
    return sorted(str(path.relative_to(host)) for path in found)


def tell(binary, report, begin, steps, settings=None, goes_on=False):
    """Runs a story on a real host: each step is a case, and after the last one the host is as it was before.

    `begin` gets the cloud and returns what each step gets. Without `goes_on`, a step that fails is the last one. A story that has a `rescue`
    says by it what it is like then.
    """
    if os.geteuid() != 0:
        report.fail("the host", "real machines want root here")
        return
    before = Host.now()
    with Cloud(binary, settings, simulate=False) as cloud:
        story = None
        try:
            with report.case("what the story begins with"):
                story = begin(cloud)
            for step in steps if story else []:
                began = time.monotonic()
                name = step.__name__.replace("_", " ")
                with report.case(name):
                    step(story)
                    say(f"  {name} ({time.monotonic() - began:.1f} s)")
                if report.failures and not goes_on:
                    break
            if report.failures:
                print(cloud.tail(60))
                getattr(story, "rescue", lambda: None)()
        finally:
            cloud.clear_host()
    with report.case("the host is as it was"):
        Host.now().must_equal(before)
        expect([name for name, _, _ in processes(cloud)], [], "processes of the cloud")


def unfinished(cloud):
    """Where the workflows are that have not ended, as a cloud that was killed has left it on its disk."""
    copy = cloud.directory / "copy"
    copy.mkdir(exist_ok=True)
    for name in ("novella.db", "novella.db-wal"):
        (copy / name).unlink(missing_ok=True)
        if (cloud.state / name).exists():
            shutil.copy(cloud.state / name, copy)
    with sqlite3.connect(copy / "novella.db") as database:
        rows = database.execute("SELECT kind, direction, step, status FROM workflow WHERE finished_at IS NULL").fetchall()
    return [f"{kind}/{'undo-' if way == 'undo' else ''}{step}{'' if status != 'queued' else '(queued)'}" for kind, way, step, status in rows]
