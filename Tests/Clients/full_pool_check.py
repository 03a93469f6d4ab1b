"""A pool of volumes that is full, under real guests: a copy without room says so, a guest without room stands still and goes on by itself, and
the guest of another project notices nothing."""

import base64
import pathlib
import random
import tempfile

from guests import Mounted, emulators, tell, until
from harness import Failure, expect, password_login
from scenarios_check import guest_image
from volumes_check import STORAGE, Story

POOL = 256 << 20
# The bytes of an image of which the pool has room for one copy.
SIZE = 128 << 20
# MiB that the guest of the other project writes, for which there is no room beside that copy.
WRITTEN = 200
# MiB that the bystander has on its volume.
CALM = 16
VOLUMES, IMAGES, SERVERS = "/volume/v3/volumes", "/image/v2/images", "/compute/v2.1/servers"
COMPUTE = {"OpenStack-API-Version": "compute 2.90"}


def run(binary, report):
    with tempfile.TemporaryDirectory(prefix="novella-pool-") as folder:
        pathlib.Path(folder).chmod(0o711)
        settings = {
            "VOLUMES_FOLDER": folder, "VOLUMES_OVER_SUBSCRIPTION": 100_000, "VOLUMES_SOFT_LIMIT": 100, "VOLUMES_HARD_LIMIT": 100,
        }
        with Mounted(folder, POOL):
            tell(binary, report, lambda cloud: Stage(binary, cloud, pathlib.Path(folder)), STEPS, settings)


class Stage(Story):
    """The bystander's project, and another one with a guest that writes."""

    def __init__(self, binary, cloud, pool):
        super().__init__(binary, cloud)
        self.pool = pool
        self.hello = self.only(f"{SERVERS}?name=hello", "servers")
        self.address = self.demo.get("/network/v2.0/floatingips").json["floatingips"][0]["floating_ip_address"]
        self.calm = self.volume()
        self.attach(self.calm, self.hello)
        # The bystander has its room before it becomes scarce, and writes to the same places from then on.
        self.ssh(self.address, f"dd if=/dev/zero of=/dev/vdb bs=1M count={CALM} conv=fsync 2>/dev/null")
        loop = (
            "i=0; while :; do i=$((i+1)); printf '%-512d' $i >/tmp/sector; "
            "dd if=/tmp/sector of=/dev/vdb bs=512 seek=64 conv=notrunc,fsync 2>/dev/null || break; echo $i >/tmp/new; mv /tmp/new /tmp/last; done"
        )
        self.ssh(self.address, f"echo 0 >/tmp/last; ({loop}) >/dev/null 2>&1 &")
        self.image_of_data = self.upload()
        self.public = guest_image(cloud)
        self.other = self.project("others")

    def upload(self):
        body = {"name": "data", "disk_format": "raw", "container_format": "bare"}
        image = self.demo.post(IMAGES, body).json["id"]
        self.demo.put(f"{IMAGES}/{image}/file", random.Random(3).randbytes(SIZE), headers={"Content-Type": "application/octet-stream"})
        return image

    def project(self, name):
        """A client of a new project's only member."""
        identity = "/identity/v3"
        project = self.admin.post(f"{identity}/projects", {"project": {"name": name, "domain_id": "default"}}).json["project"]["id"]
        user = {"name": name, "domain_id": "default", "password": "a-password-of-others"}
        user = self.admin.post(f"{identity}/users", {"user": user}).json["user"]["id"]
        role = next(role["id"] for role in self.admin.get(f"{identity}/roles").json["roles"] if role["name"] == "member")
        self.admin.put(f"{identity}/projects/{project}/users/{user}/roles/{role}")
        client = self.cloud.client()
        client.log_in(password_login(name, "a-password-of-others", {"project": {"name": name, "domain": {"id": "default"}}}))
        return client

    def bystander_is_well(self):
        """Its guest is not paused, and what it writes reaches its disk."""
        shown = self.demo.get(f"{SERVERS}/{self.hello}", headers=COMPUTE).json["server"]
        expect((shown["status"], shown["OS-EXT-STS:power_state"]), ("ACTIVE", 1), "the bystander")
        last = lambda: int(self.ssh(self.address, "cat /tmp/last"))
        before = last()
        until("the bystander to write on", lambda: last() > before + 2, 60)
        with open(self.pool / "volumes" / f"{self.calm}.raw", "rb") as file:
            file.seek(64 * 512)
            expect(int(file.read(512)) >= before, True, "what the bystander has written")

    def messages(self, client, thing):
        found = client.get(f"/volume/v3/messages?resource_uuid={thing}", headers=STORAGE).json["messages"]
        return [one["user_message"] for one in found]

    def paused(self):
        shown = self.other.get(f"{SERVERS}/{self.writer}", headers=COMPUTE).json["server"]
        return (shown["status"], shown["OS-EXT-STS:power_state"]) == ("PAUSED", 3)

    def console(self):
        """The end of the writer's console; nothing while the host is not reached yet."""
        answer = self.other.post(f"{SERVERS}/{self.writer}/action", {"os-getConsoleOutput": {"length": 20}}, (200, 503))
        return answer.json["output"] if answer.status == 200 else ""


def a_copy_without_room(stage):
    """The volume is in error, a message says why, and nothing of it stays."""
    stage.first = stage.volume(imageRef=stage.image_of_data)
    body = {"volume": {"size": 1, "imageRef": stage.image_of_data}}
    second = stage.demo.post(VOLUMES, body, 202, headers=STORAGE).json["volume"]["id"]
    shown = lambda: stage.demo.get(f"{VOLUMES}/{second}").json["volume"]["status"]
    until("the second volume to fail", lambda: shown() == "error", 120)
    said = stage.messages(stage.demo, second)
    expect(any("room" in text for text in said), True, f"that a message says why: {said}")
    files = {path.name for path in (stage.pool / "volumes").iterdir()} | {path.name for path in (stage.pool / "drafts").iterdir()}
    expect(files, {f"{stage.first}.raw", f"{stage.calm}.raw"}, "files of the pool")
    stage.demo.delete(f"{VOLUMES}/{second}", 202)
    stage.bystander_is_well()


def a_copy_of_a_volume_in_use_without_room(stage):
    stage.attach(stage.first, stage.hello)
    body = {"snapshot": {"volume_id": stage.first, "force": True}}
    snapshot = stage.demo.post("/volume/v3/snapshots", body, 202).json["snapshot"]["id"]
    shown = lambda: stage.demo.get(f"/volume/v3/snapshots/{snapshot}").json["snapshot"]["status"]
    until("the snapshot to fail", lambda: shown() == "error", 120)
    said = stage.messages(stage.demo, snapshot)
    expect(any("room" in text for text in said), True, f"that a message says why: {said}")
    expect(list((stage.pool / "snapshots").iterdir()), [], "files of snapshots")
    stage.demo.delete(f"/volume/v3/snapshots/{snapshot}", 202)
    stage.detach(stage.first, stage.hello)
    stage.bystander_is_well()


def a_guest_writes_until_there_is_no_room(stage):
    """It is paused, its server and a message say so, and the other project's guest is well."""
    stage.thin = stage.other.post(VOLUMES, {"volume": {"size": 1}}, 202).json["volume"]["id"]
    until("the volume", lambda: stage.other.get(f"{VOLUMES}/{stage.thin}").json["volume"]["status"] == "available", 30)
    # Each MiB has its number in its first sector, and is on the disk before the next one is begun.
    script = (
        "#!/bin/sh\n(disk=; while [ -z \"$disk\" ]; do usleep 200000; for d in /sys/block/vd*; do "
        f"[ \"$(cat $d/serial)\" = {stage.thin[:20]} ] && disk=/dev/${{d##*/}}; done; done; i=0\n"
        f"while [ $i -lt {WRITTEN} ]; do printf '%-1048576d' $i | dd of=$disk bs=1M seek=$i conv=notrunc,fsync 2>/dev/null"
        " || { echo \"guest: failed at $i\" >/dev/console; exit; }\n"
        "i=$((i+1)); done; echo 'guest: all is written' >/dev/console) &\n"
    )
    server = {
        "name": "writer", "flavorRef": stage.flavor(), "imageRef": stage.public, "networks": "none", "config_drive": True,
        "user_data": base64.b64encode(script.encode()).decode(),
    }
    stage.writer = stage.other.post(SERVERS, {"server": server}, 202, headers=COMPUTE).json["server"]["id"]
    shown = lambda: stage.other.get(f"{SERVERS}/{stage.writer}", headers=COMPUTE).json["server"]["status"]
    until("the writer to run", lambda: shown() == "ACTIVE", 120)
    body = {"volumeAttachment": {"volumeId": stage.thin}}
    stage.other.post(f"{SERVERS}/{stage.writer}/os-volume_attachments", body, 200)
    until("the writer to be paused", stage.paused, 180)
    said = stage.messages(stage.other, stage.thin)
    expect(len([text for text in said if "is full" in text and stage.writer in text]), 1, f"messages of the full pool: {said}")
    stage.bystander_is_well()


def another_process_finds_it_paused(stage):
    stage.cloud.kill()
    for client in (stage.demo, stage.admin, stage.other):
        client.close()
    stage.cloud.start()
    until("the writer to be shown as paused", stage.paused, 30)
    expect(len(emulators(stage.cloud, stage.writer)), 1, "processes of the writer")
    stage.bystander_is_well()


def it_goes_on_when_there_is_room(stage):
    """Nobody has to do anything for it, and no byte is lost."""
    stage.demo.delete(f"{VOLUMES}/{stage.first}", 202)

    def done():
        said = stage.console()
        if "guest: failed" in said:
            raise Failure(f"the guest has seen an error: {said[-200:]!r}")
        return "guest: all is written" in said

    until("the writer to have written all", done, 300, 1)
    until("the writer to be shown as running", lambda: not stage.paused(), 30)
    with open(stage.pool / "volumes" / f"{stage.thin}.raw", "rb") as file:
        for number in range(WRITTEN):
            file.seek(number << 20)
            expect(int(file.read(1 << 20)), number, f"MiB {number} of what was written")

    def a_new_volume():
        made = stage.demo.post(VOLUMES, {"volume": {"size": 1}}, 202, headers=STORAGE).json["volume"]["id"]
        shown = lambda: stage.demo.get(f"{VOLUMES}/{made}", headers=STORAGE).json["volume"]["status"]
        until("the volume to be made or refused", lambda: shown() != "creating", 30)
        if shown() == "available":
            return True
        stage.demo.delete(f"{VOLUMES}/{made}", 202, headers=STORAGE)

    # The scheduler hears of the room by the host's next report.
    until("the pool to take a volume again", a_new_volume, 60, 2)
    stage.bystander_is_well()


STEPS = [
    a_copy_without_room,
    a_copy_of_a_volume_in_use_without_room,
    a_guest_writes_until_there_is_no_room,
    another_process_finds_it_paused,
    it_goes_on_when_there_is_room,
]
