"""The `openstack` command as a plain member of a project has it: in a shell, in scripts, and for what a member asks of the own project."""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from cli.command_line import CommandLine, user
from harness import Cloud, Failure, expect, expect_has

IDENTIFIER = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def run(binary, report):
    with Cloud(binary) as cloud:
        member = Member(cloud)
        for step in STEPS:
            with report.case(step.__name__.replace("_", " ")):
                step(member)
        if report.failures:
            print(cloud.tail(20))


class Member:
    def __init__(self, cloud):
        self.cloud = cloud
        self.admin = CommandLine(user(cloud.url, "admin", cloud.password(), project_name="admin", project_domain_id="default"))
        self.run = CommandLine(user(cloud.url, "demo", cloud.password("demo"), project_name="demo", project_domain_id="default"))

    def shell(self, script):
        """What a shell prints, with `openstack` on its path and the member's cloud chosen."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        path = f"{pathlib.Path(sys.executable).parent}:{plain['PATH']}"
        chosen = {"PATH": path, "OS_CLOUD": "novella-demo", "OS_CLIENT_CONFIG_FILE": str(self.cloud.state / "clouds.yaml")}
        done = subprocess.run(["bash", "-euc", script], env=plain | chosen, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise Failure(f"{script!r} ended with {done.returncode}: {done.stdout[-300:]}{done.stderr[-600:]}")
        return done.stdout


def what_a_server_needs(member):
    member.admin("flavor create --ram 64 --disk 1 --vcpus 1 small")
    with tempfile.NamedTemporaryFile() as disk:
        disk.write(b"a disk" * 1000)
        disk.flush()
        member.run(f"image create --disk-format raw --file {disk.name} disk")
    member.run("network create net")
    member.run("subnet create --network net --subnet-range 10.50.0.0/24 sub")


def the_id_of_a_new_server_is_an_id_and_nothing_else(member):
    create = "openstack server create --wait --flavor small --image disk --network net"
    printed = member.shell(f'ID=$({create} -f value -c id first); printf %s "$ID"')
    if not IDENTIFIER.fullmatch(printed):
        raise Failure(f"the shell has {printed!r}")


def who_waits_sees_the_result_and_nothing_else(member):
    """However often the command looks: it writes what it sees of a server's progress between what it prints."""
    with short_pauses():
        expect_has(member.run("server create --wait --flavor small --image disk --network net second"), name="second", status="ACTIVE")
        expect_has(member.run("server image create --wait --name copy first"), name="copy")
        expect(member.run.says("server reboot --wait second"), "Complete\n", "what a reboot prints")
        expect(member.run.says("server delete --wait second"), "", "what a deletion prints")


@contextlib.contextmanager
def short_pauses():
    """The command looks again after a moment, not after seconds."""
    pause = time.sleep
    time.sleep = lambda seconds: pause(min(seconds, 0.01))
    try:
        yield
    finally:
        time.sleep = pause


def quotas(member):
    for line in ("quota show", "quota show --default", "quota show --usage", "quota show --network", "quota show --compute"):
        rows = member.run(line)
        names = {row["Resource"] for row in rows}
        wanted = set() if "--network" in line else {"instances", "cores"}
        wanted |= set() if "--compute" in line else {"networks", "floating_ips", "ports"}
        if missing := {one for one in wanted if not any(one.replace("_", "-") == name.replace("_", "-") for name in names)}:
            raise Failure(f"`{line}` has no {missing}, only {sorted(names)}")
    used = {row["Resource"]: row for row in member.run("quota show --usage")}
    for name in ("instances", "networks", "ports"):
        expect(used[name]["In Use"] > 0, True, f"whether {name} are in use")


def limits_and_usage(member):
    limits = {row["Name"]: row["Value"] for row in member.run("limits show --absolute")}
    expect(limits["instances_used"] > 0, True, "whether servers are used")
    expect_has(member.run("usage show"), Project=member.run("token issue")["project_id"])


def a_server_without_volumes_has_an_empty_list(member):
    expect(member.run("server volume list first"), [], "the volumes of the server")


def a_cleanup_lists_what_the_project_has(member):
    printed = member.run.says("project cleanup --dry-run --auth-project")
    for name in ("first", "net", "sub", "disk"):
        if not re.search(rf"\b{name}\b", printed):
            raise Failure(f"the list has no {name}: {printed[-800:]}")


def a_cleanup_leaves_nothing(member):
    member.run.says("project cleanup --auto-approve --auth-project")
    for line in ("server list", "network list --project demo", "image list --private"):
        expect(member.run(line), [], f"what `{line}` still shows")


STEPS = [
    what_a_server_needs,
    the_id_of_a_new_server_is_an_id_and_nothing_else,
    who_waits_sees_the_result_and_nothing_else,
    quotas,
    limits_and_usage,
    a_server_without_volumes_has_an_empty_list,
    a_cleanup_lists_what_the_project_has,
    a_cleanup_leaves_nothing,
]
