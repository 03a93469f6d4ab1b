"""The main job, on real parts: a first server as `make up` makes it, then by the `openstack` command what one does with servers, while
their own packets, screens and disks are looked at; and nothing is left at the end."""

import os
import pathlib
import re
import subprocess
import time

from cli.command_line import CommandLine, user
from harness import ROOT, Cloud, Failure, expect, expect_has, say

GUEST = ROOT / ".build" / "guest"


def run(binary, report):
    if os.geteuid() != 0:
        report.fail("the host", "real machines want root here")
        return
    before = Host.now()
    with Cloud(binary, simulate=False) as cloud:
        story = Story(binary, cloud)
        for step in STEPS:
            began = time.monotonic()
            name = step.__name__.replace("_", " ")
            with report.case(name):
                step(story)
                say(f"  {name} ({time.monotonic() - began:.1f} s)")
            if report.failures:
                print(cloud.tail(60))
                story.rescue()
                break
        began = time.monotonic()
        cloud.clear_host()
        say(f"  stop, clear ({time.monotonic() - began:.1f} s)")
    with report.case("the host is as it was"):
        Host.now().must_equal(before)
        expect(list(processes(cloud)), [], "processes of the cloud")


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
                "devices": {re.split(r"[:@]", line.split(": ")[1])[0] for line in lines("ip", "-o", "link")},
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


def processes(cloud):
    """The programs whose command lines name a file of this cloud's."""
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(cloud.directory) in line:
                yield f"{pathlib.Path(os.fsdecode(line.split(bytes(1))[0])).name} {entry.name}"


class Story:
    """The cloud, its user and what was made so far."""

    def __init__(self, binary, cloud):
        self.binary = binary
        self.cloud = cloud
        self.demo = CommandLine(user(cloud.url, "demo", cloud.password("demo"), project_name="demo", project_domain_id="default"))
        self.admin = CommandLine(user(cloud.url, "admin", cloud.password(), project_name="admin", project_domain_id="default"))

    @property
    def key(self):
        return self.cloud.state / "hello.key"

    def ssh(self, address, command, deadline=90):
        """What the command prints in the guest at this address; asked until the guest lets us in."""
        end = time.monotonic() + deadline
        options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=3", "BatchMode=yes", "LogLevel=ERROR"]
        line = ["ssh", "-i", str(self.key), *[part for option in options for part in ("-o", option)], f"root@{address}", command]
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

    def address(self, server, floating=False):
        for addresses in self.demo(f"server show {server}")["addresses"].values():
            for address in addresses:
                if address.startswith("172.24.4.") == floating:
                    return address
        raise Failure(f"{server} has no {'floating' if floating else 'fixed'} address")

    def until(self, what, test, deadline=180, pause=0.1):
        end = time.monotonic() + deadline
        while True:
            found = test()
            if found:
                return found
            if time.monotonic() > end:
                raise Failure(f"waited {deadline} s for {what}")
            time.sleep(pause)

    def becomes(self, server, status, deadline=180):
        def test():
            shown = self.demo(f"server show {server}")
            if shown["status"] == "ERROR" and status != "ERROR":
                raise Failure(f"{server} is in error: {shown.get('fault')}")
            return shown if shown["status"] == status and not shown["OS-EXT-STS:task_state"] else None

        return self.until(f"{server} to be {status}", test, deadline)

    def rescue(self):
        """Says what the host was like when a step failed."""
        for command in ("ip -br link", "ip netns", "ip -br address", "nft list tables"):
            say(command)
            print(subprocess.run(command.split(), capture_output=True, text=True).stdout[-3000:])


def make_a_first_server(story):
    hello = subprocess.run(
        [story.binary, "hello", "--state", str(story.cloud.state), "--guest", str(GUEST)], capture_output=True, text=True, timeout=400
    )
    if hello.returncode != 0:
        raise Failure(hello.stdout + hello.stderr)
    print("\n".join(hello.stdout.splitlines()[:8]))
    story.hello = story.address("hello", floating=True)
    expect(f"root@{story.hello}" in hello.stdout, True, "the screen names the ssh command")
    expect(story.ssh(story.hello, "echo it works").stdout, "it works\n", "ssh")
    expect(story.ssh(story.hello, "cat /proc/sys/kernel/ostype").stdout, "Linux\n", "the guest")


def make_a_second_that_the_first_pings(story):
    story.demo(
        "server create --flavor nano --image guest --network private --key-name hello --security-group hello --property role=second second"
    )
    story.becomes("second", "ACTIVE")
    second = story.address("second")
    story.until("the second to answer", lambda: story.ssh(story.hello, f"ping -c 1 -W 1 {second}").returncode == 0)
    first = story.address("hello")
    floating = story.demo("floating ip create public")["floating_ip_address"]
    story.demo(f"server add floating ip second {floating}")
    story.second = floating
    expect(story.ssh(floating, f"ping -c 1 -W 2 {first}").returncode, 0, "the second pings the first")


def ping(address):
    return subprocess.run(["ping", "-c", "1", "-W", "2", address], stdout=subprocess.DEVNULL).returncode == 0


# Seconds between two pings, and how many are sent.
PACE = 0.05
PINGS = 40


def answered_pings(address):
    """Which of the pings sent from now on are answered, by their numbers from 1. What counts is when one was sent: a guest may be slow."""
    line = ["ping", "-n", "-i", str(PACE), "-c", str(PINGS), "-W", "3", address]
    printed = subprocess.run(line, capture_output=True, text=True).stdout
    return {int(number) for number in re.findall(r"bytes from .* icmp_seq=(\d+) ", printed)}


def change_a_security_group(story):
    expect(ping(story.second), True, "the second answers a ping")
    rules = story.demo("security group rule list hello")
    icmp = next(rule["ID"] for rule in rules if rule["IP Protocol"] == "icmp")
    for change, passes in (
        (f"security group rule delete {icmp}", False),
        ("security group rule create --ingress --protocol icmp hello", True),
    ):
        story.demo(change)
        answered = answered_pings(story.second)
        # The last that was still treated as before the change.
        wrong = [number for number in range(1, PINGS + 1) if (number in answered) != passes]
        if wrong and wrong[-1] * PACE > 1:
            raise Failure(f"`{change}`: of {PINGS} pings, one each {PACE} s, these were treated as before it: {wrong}")


MARK = "a line that only this disk has"


def marked(story, device):
    """Whether the third's disk of that name is the one that was written to."""
    return story.ssh(story.third, f"dd if=/dev/{device} bs=512 skip=100 count=1 2>/dev/null | head -c {len(MARK)}").stdout == MARK


def snapshot_and_boot_from_it(story):
    # The guest's file system is in memory: its disk is written as a device.
    story.ssh(story.second, f"printf '{MARK}' | dd of=/dev/vda bs=512 seek=100 conv=notrunc,fsync 2>/dev/null")
    story.demo("server image create --name copy --wait second")
    expect_has(story.demo("image show copy"), status="active")
    story.demo("server create --flavor nano --image copy --network private --key-name hello --security-group hello third")
    story.becomes("third", "ACTIVE")
    third = story.address("third")
    story.until("the third to answer", lambda: story.ssh(story.hello, f"ping -c 1 -W 1 {third}").returncode == 0)
    floating = story.demo("floating ip create public")["floating_ip_address"]
    story.demo(f"server add floating ip third {floating}")
    story.third = floating
    expect(marked(story, "vda"), True, "the third's disk")


def resize_and_confirm(story):
    expect(sectors(story), 1 << 21, "the disk before")
    story.admin("flavor create --ram 192 --disk 2 --vcpus 1 bigger")
    story.demo("server resize --flavor bigger second")
    story.becomes("second", "VERIFY_RESIZE")
    story.demo("server resize confirm second")
    story.becomes("second", "ACTIVE")
    expect(sectors(story), 2 << 21, "the disk after")


def sectors(story):
    return int(story.ssh(story.second, "cat /sys/block/vda/size").stdout)


def rebuild(story):
    story.demo("server rebuild --image guest second")
    story.becomes("second", "ACTIVE")
    read = story.ssh(story.second, "dd if=/dev/vda bs=512 skip=100 count=1 2>/dev/null | tr -d '\\0' | wc -c")
    expect(int(read.stdout), 0, "what is left of the old disk")


def read_the_console(story):
    log = story.demo.says("console log show hello")
    for line in ("guest: up", "guest: key taken", "guest: ready"):
        if line not in log:
            raise Failure(f"the console's log has no line {line!r}: {log[-500:]!r}")


def stop_start_and_reboot(story):
    story.demo("server stop third")
    story.becomes("third", "SHUTOFF")
    story.demo("server start third")
    story.becomes("third", "ACTIVE")
    story.demo("server reboot --hard third")
    story.becomes("third", "ACTIVE")


def rescue_and_go_back(story):
    story.demo("server rescue --image guest third")
    story.becomes("third", "RESCUE")
    expect([marked(story, device) for device in ("vda", "vdb")], [False, True], "the disks of who is rescued: another, then the own")
    story.demo("server unrescue third")
    story.becomes("third", "ACTIVE")
    expect(marked(story, "vda"), True, "the own disk is the first again")
    expect(story.ssh(story.third, "test -e /sys/block/vdb").returncode, 1, "a second disk")


def shelve_and_come_back(story):
    before = len([name for name in processes(story.cloud) if name.startswith("qemu-system")])
    story.demo("server shelve third")
    story.becomes("third", "SHELVED_OFFLOADED")
    after = len([name for name in processes(story.cloud) if name.startswith("qemu-system")])
    expect(after, before - 1, "machines that run")
    story.demo("server unshelve third")
    story.becomes("third", "ACTIVE")
    expect(marked(story, "vda"), True, "the disk as it was")
    expect(story.demo("image list --name third-shelved"), [], "the image that it was shelved in")


def a_migration_without_another_host(story):
    third = story.demo("server show third")["id"]
    story.admin(f"server migrate {third}")
    story.becomes("third", "ACTIVE")
    expect(story.admin(f"server migration list --server {third}")[0]["Status"], "error", "the migration")
    expect(marked(story, "vda"), True, "the guest goes on")


def restart_the_cloud_under_a_running_guest(story):
    boot = story.ssh(story.hello, "cat /proc/sys/kernel/random/boot_id").stdout
    story.cloud.kill()
    expect(ping(story.hello), True, "the guest answers while there is no cloud")
    story.cloud.start()
    expect(story.ssh(story.hello, "cat /proc/sys/kernel/random/boot_id").stdout, boot, "the guest's boot")
    expect_has(story.demo("server show hello"), status="ACTIVE")


def delete_everything(story):
    for server in ("hello", "second", "third"):
        story.demo(f"server delete --wait {server}")
    expect(story.demo("server list"), [], "the servers")
    ports = [port for port in story.demo("port list") if port["ID"]]
    owners = [story.demo(f"port show {port['ID']}")["device_owner"] for port in ports]
    expect([owner for owner in owners if owner.startswith("compute:")], [], "ports of servers")
    client = story.cloud.admin()
    for provider in client.get("/placement/resource_providers").json["resource_providers"]:
        found = client.get(f"/placement/resource_providers/{provider['uuid']}/allocations").json["allocations"]
        expect(found, {}, "claims at Placement")
    client.close()
    machines = story.cloud.state / "host" / "machines"
    left = [str(path) for path in machines.rglob("*.qcow2")] if machines.exists() else []
    expect(left, [], "disks of machines")
    expect([name for name in processes(story.cloud) if name.startswith("qemu-system")], [], "processes of machines")
    for address in story.demo("floating ip list"):
        story.demo(f"floating ip delete {address['ID']}")
    story.demo("image delete copy")
    story.demo("router remove subnet router private")
    story.demo("router delete router")
    story.demo("network delete private")
    story.admin("network delete public")


STEPS = [
    make_a_first_server,
    make_a_second_that_the_first_pings,
    change_a_security_group,
    read_the_console,
    snapshot_and_boot_from_it,
    resize_and_confirm,
    rebuild,
    stop_start_and_reboot,
    rescue_and_go_back,
    shelve_and_come_back,
    a_migration_without_another_host,
    restart_the_cloud_under_a_running_guest,
    delete_everything,
]
