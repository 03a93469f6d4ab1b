"""The operator's commands against a running cloud: workflows, keys, a backup while it runs, and a cloud made of the backup."""

import json
import os
import subprocess

from cli.command_line import CommandLine, user
from harness import Cloud, Failure, expect


def run(binary, report):
    with Cloud(binary) as cloud, Cloud(binary) as second:
        for step in STEPS:
            with report.case(step.__name__.replace("_", " ")):
                step(cloud, second)
        if report.failures:
            print(cloud.tail(20))


def novella(cloud, *words, status=0):
    """What a command prints; it must end with the status."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "NOVELLA"))}
    done = subprocess.run(
        [cloud.binary, *words, "--state", str(cloud.state)], env=plain, capture_output=True, text=True, timeout=120)
    if done.returncode != status:
        raise Failure(f"novella {' '.join(words)} ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.stdout if status == 0 else done.stderr


def openstack(cloud):
    return CommandLine(user(cloud.url, "admin", cloud.password(), project_name="admin", project_domain_id="default"))


def a_server_has_made_a_workflow(cloud, _):
    command = openstack(cloud)
    command("flavor create --ram 64 --disk 1 --vcpus 1 small")
    path = cloud.directory / "disk"
    path.write_bytes(b"a disk" * 100_000)
    command(f"image create --disk-format raw --file {path} disk")
    command("network create net")
    command("subnet create --network net --subnet-range 10.60.0.0/24 sub")
    command("server create --wait --flavor small --image disk --network net one")
    found = json.loads(novella(cloud, "workflow", "list", "--format", "json"))
    expect([(one["kind"], one["status"]) for one in found], [("compute.server.create", "succeeded")], "workflow list")
    shown = novella(cloud, "workflow", "show", found[0]["id"])
    for part in ("compute.server.create", found[0]["resource"], "steps", "history"):
        if part not in shown:
            raise Failure(f"workflow show has no {part!r}: {shown}")
    if found[0]["id"] not in novella(cloud, "workflow", "list", "--resource", found[0]["resource"]):
        raise Failure("workflow list --resource does not have it")


def nothing_is_stuck_and_refusals_explain_themselves(cloud, _):
    expect(json.loads(novella(cloud, "workflow", "list", "--stuck", "--format", "json")), [], "workflow list --stuck")
    for words, wanted in [
        (["workflow", "retry", "nowhere"], "Could not find workflow: nowhere."),
        (["workflow", "abandon", "nowhere", "--reason", " "], "must not be blank"),
        (["workflow", "retry", "--resource", "compute.server/none"], "There is no workflow of compute.server/none."),
    ]:
        said = novella(cloud, *words, status=1)
        if wanted not in said:
            raise Failure(f"{words}: {said}")
    novella(cloud, "workflow", "retry", status=64)


def a_new_key_leaves_old_tokens_valid(cloud, _):
    admin = cloud.admin()
    before = json.loads(novella(cloud, "keys", "list", "--format", "json"))
    after = json.loads(novella(cloud, "keys", "rotate", "--format", "json"))
    expect(len(after), len(before) + 1, "keys after a rotation")
    expect(admin.get("/v3/users").status, 200, "a token of before")


def a_backup_of_the_running_cloud_becomes_another_cloud(cloud, second):
    folder = cloud.directory / "backup"
    said = novella(cloud, "backup", str(folder))
    if "master key" not in said:
        raise Failure(f"nothing is said of the master key: {said}")
    expect(folder.stat().st_mode & 0o777, 0o700, "the mode of the folder")
    novella(cloud, "backup", str(folder), status=1)
    novella(second, "restore", str(folder), status=1)
    second.stop()
    second.state = second.directory / "restored"
    novella(second, "restore", str(folder))
    cloud.stop()
    second.start()
    command = openstack(second)
    expect([one["Name"] for one in command("server list --all-projects")], ["one"], "servers of the restored cloud")
    path = second.directory / "copy"
    command(f"image save --file {path} disk")
    expect(path.read_bytes(), b"a disk" * 100_000, "the image of the restored cloud")
    said = novella(cloud, "workflow", "list", status=1)
    if "is the cloud running?" not in said:
        raise Failure(f"a cloud that is stopped: {said}")


STEPS = [
    a_server_has_made_a_workflow, nothing_is_stuck_and_refusals_explain_themselves, a_new_key_leaves_old_tokens_valid,
    a_backup_of_the_running_cloud_becomes_another_cloud,
]
