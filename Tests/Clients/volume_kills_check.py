"""Kills the cloud without warning while volumes are copied, attached, detached and grown under a real guest that writes to one of them.

Each act is begun through the API, the cloud is killed at a moment of its work and started anew: the act comes to the end that it would have come
to. After each the pool has the files of what the API shows and no others; volume, attachment, server and QEMU say the same; and every number that
the guest had written, each after the one before was on its disk, is there, in the volume and in its copies.

`SEED=123` repeats the moments of an earlier run, and `ROUNDS=3` kills each act at three moments.
"""

import contextlib
import os
import pathlib
import random
import subprocess
import time

from guests import emulators, expect_no_machines, tell, unfinished, until
from harness import Failure, expect, say
from volumes_check import STORAGE, Story

# The bytes of the image: enough for a kill in the middle of a copy.
SIZE = 192 << 20
# The first sector of the guest's numbers, behind the bytes of the image.
FIRST = 700 << 11
VOLUMES, SNAPSHOTS, IMAGES, SERVERS = "/volume/v3/volumes", "/volume/v3/snapshots", "/image/v2/images", "/compute/v2.1/servers"
DEADLINE = 120
ATTACHMENTS = {"OpenStack-API-Version": "volume 3.27"}


def run(binary, report):
    seed = int(os.environ.get("SEED") or random.SystemRandom().getrandbits(32))
    rounds = int(os.environ.get("ROUNDS") or (6 if report.name.endswith("long") else 1))
    say(f"  SEED={seed}, rounds: {rounds}")
    drawn = random.Random(seed)
    acts = [Kill(act, number, rounds, drawn) for number in range(rounds) for act in ACTS]
    tell(binary, report, lambda cloud: Stage(binary, cloud), [the_subject, *acts, delete_everything])


# MARK: The moments of a kill


def drafted(share):
    """A copy has so much of its bytes; with none, its file is there."""

    def test(stage):
        return any(stage.taken(path) >= max(1, share * SIZE) for path in stage.files("drafts"))

    return test


def after(seconds):
    return lambda stage: time.monotonic() - stage.asked >= seconds


def published(folder):
    """A copy is whole: it has its name."""
    return lambda stage: bool(stage.files(folder) - stage.before[folder])


def copying(folder):
    return [drafted(0), drafted(0.2), drafted(0.5), drafted(0.8), published(folder), after(0.05)]


def within(seconds):
    return [after(seconds * part / 6) for part in range(6)]


class Act:
    """What is asked; how one sees that it has ended; and at which moments the cloud is killed."""

    def __init__(self, name, ask, end, moments):
        self.name, self.ask, self.end, self.moments = name, ask, end, moments


class Kill:
    """An act in which the cloud is killed at one of its moments. Each round takes another."""

    def __init__(self, act, number, rounds, drawn):
        self.act = act
        places = range(len(act.moments))
        self.moment = act.moments[drawn.choice(places) if rounds == 1 else number % len(places)]
        self.__name__ = act.name if rounds == 1 else f"{act.name}, round {number + 1}"

    def __call__(self, stage):
        act = self.act
        stage.begin()
        act.ask(stage)
        end = time.monotonic() + 5
        # An act that has ended before its moment is killed after its end.
        while not self.moment(stage) and time.monotonic() < end:
            time.sleep(0.001)
        stage.cloud.kill()
        places = unfinished(stage.cloud)
        stage.demo.close()
        stage.admin.close()
        written = stage.last()
        stage.cloud.start()
        try:
            act.end(stage)
            stage.agree()
            stage.numbers_are(stage.file_of(stage.subject), written)
            expect(stage.last() > written, True, "that the guest goes on writing")
        except Failure as failure:
            raise Failure(f"killed in {' '.join(places) or 'nothing any more'}: {failure}") from None
        say(f"    killed in {' '.join(places) or 'nothing any more'}")


# MARK: The cloud


class Stage(Story):
    """The cloud, a guest that writes numbers to a volume, and what was made."""

    def __init__(self, binary, cloud):
        super().__init__(binary, cloud)
        self.pool = cloud.state / "host" / "volumes"
        self.server = self.only(f"{SERVERS}?name=hello", "servers")
        self.address = self.demo.get("/network/v2.0/floatingips").json["floatingips"][0]["floating_ip_address"]
        self.data = random.Random(7).randbytes(1 << 20)
        self.data_image = self.upload()
        self.subject = None
        self.size = 1
        self.made = {}
        self.before = {}

    def upload(self):
        body = {"name": "data", "disk_format": "raw", "container_format": "bare"}
        image = self.demo.post(IMAGES, body).json["id"]
        # Each MiB begins with its number, and none is like another.
        data = b"".join(number.to_bytes(8, "big") + self.data[8:] for number in range(SIZE >> 20))
        self.demo.timeout = 120
        self.demo.put(f"{IMAGES}/{image}/file", data, headers={"Content-Type": "application/octet-stream"})
        return image

    # The pool

    def files(self, folder):
        return set((self.pool / folder).iterdir())

    @staticmethod
    def taken(path):
        with contextlib.suppress(OSError):
            return path.stat().st_blocks * 512
        return 0

    def file_of(self, volume):
        return self.pool / "volumes" / f"{volume}.raw"

    def begin(self):
        self.before = {folder: self.files(folder) for folder in ("volumes", "snapshots", "exports", "drafts")}
        self.written = self.last()
        self.asked = time.monotonic()

    # The guest

    def start_writing(self):
        find = f"for d in /sys/block/vd*; do [ \"$(cat $d/serial)\" = {self.subject[:20]} ] && basename $d; done"
        device = until("the guest to see the disk", lambda: self.ssh(self.address, find).strip(), 30)
        loop = (
            f"i=0; while :; do i=$((i+1)); printf '%-512d' $i >/tmp/sector; "
            f"dd if=/tmp/sector of=/dev/{device} bs=512 seek=$(({FIRST}+i)) conv=notrunc,fsync 2>/dev/null || break; "
            "echo $i >/tmp/new; mv /tmp/new /tmp/last; done"
        )
        self.ssh(self.address, f"echo 0 >/tmp/last; ({loop}) >/dev/null 2>&1 & echo $! >/tmp/writer")

    def last(self):
        """The number that the guest has written last, and that is on its disk."""
        return int(self.ssh(self.address, "cat /tmp/last")) if self.subject else 0

    def numbers_are(self, path, least, most=None):
        """The file has the numbers one after the other, at least so many, and none behind them."""
        count = 0
        with open(path, "rb") as file:
            file.seek((FIRST + 1) * 512)
            while (sector := file.read(512)) and sector.strip(b"\0"):
                expect(sector.strip(), str(count + 1).encode(), f"number {count + 1} of {path.name}")
                count += 1
        expect(count >= least, True, f"the numbers in {path.name}: {count}, and {least} were written")
        if most is not None:
            expect(count <= most, True, f"the numbers in {path.name}: {count}, and {most} were written at the end")

    def bytes_are(self, path, size):
        """The file has the bytes of the image, and the length in GiB."""
        expect(path.stat().st_size, size << 30, f"the size of {path.name}")
        with open(path, "rb") as file:
            for number in range(SIZE >> 20):
                if file.read(1 << 20) != number.to_bytes(8, "big") + self.data[8:]:
                    raise Failure(f"{path.name} has other bytes in MiB {number}")

    def copy_is(self, path, size):
        """The file is a copy of the subject, of one moment between its beginning and its end."""
        self.bytes_are(path, size)
        # A number may be on the disk before the guest notes that it is.
        self.numbers_are(path, self.written, self.last() + 1)

    # What must be so

    def agree(self):
        """The API, the pool and QEMU say the same of every volume."""
        resting = ("available", "in-use")
        volumes = until(
            "the volumes to be at rest",
            lambda: (found := self.demo.get(f"{VOLUMES}/detail").json["volumes"]) and all(one["status"] in resting for one in found) and found,
            DEADLINE,
        )
        attached = {one["volumeId"] for one in self.demo.get(f"{SERVERS}/{self.server}/os-volume_attachments").json["volumeAttachments"]}
        for volume in volumes:
            servers = [one["server_id"] for one in volume["attachments"]]
            expect(servers, [self.server] if volume["id"] in attached else [], f"the servers of {volume['id']}")
            expect(volume["status"], "in-use" if servers else "available", f"the status of {volume['id']}")
        shown = self.demo.get("/volume/v3/attachments/detail", headers=ATTACHMENTS).json["attachments"]
        expect(sorted(one["volume_id"] for one in shown), sorted(attached), "attachments of Block Storage")
        expect({one["status"] for one in shown} - {"attached"}, set(), "states of attachments")
        until("QEMU to have the files of the attached volumes", lambda: self.open_files() == {self.file_of(one) for one in attached}, 20)
        snapshots = self.demo.get(SNAPSHOTS).json["snapshots"]
        expect({one["status"] for one in snapshots} - {"available"}, set(), "states of snapshots")
        wanted = {f"volumes/{one['id']}.raw" for one in volumes} | {f"snapshots/{one['id']}.raw" for one in snapshots}

        def found():
            return {f"{folder}/{path.name}" for folder in self.before for path in self.files(folder)}

        try:
            until("the pool", lambda: found() == wanted, 20)
        except Failure:
            there = found()
            raise Failure(f"the pool: left over {sorted(there - wanted)}, missing {sorted(wanted - there)}") from None

    def open_files(self):
        found = set()
        for process in emulators(self.cloud, self.server):
            for link in pathlib.Path(f"/proc/{process}/fd").iterdir():
                with contextlib.suppress(OSError):
                    path = os.readlink(link)
                    if path.startswith(f"{self.pool}/"):
                        found.add(pathlib.Path(path))
        return found

    # What is asked

    def act(self, body, volume=None):
        return self.demo.post(f"{VOLUMES}/{volume or self.subject}/action", body, (200, 202), headers=STORAGE)

    def make(self, name, **wish):
        body = {"volume": {"size": self.size} | wish}
        self.made[name] = self.demo.post(VOLUMES, body, 202, headers=STORAGE).json["volume"]["id"]

    def snapshot_is_there(self):
        def test():
            shown = self.demo.get(f"{SNAPSHOTS}/{self.made['snapshot']}").json["snapshot"]["status"]
            if "error" in shown:
                raise Failure(f"the snapshot is {shown}")
            return shown == "available"

        until("the snapshot", test, DEADLINE)

    def gone(self, path):
        until(f"{path} to be gone", lambda: self.demo.call("GET", path).status == 404, DEADLINE)


def the_subject(stage):
    """The volume that the guest writes to, made without a kill."""
    volume = stage.volume(imageRef=stage.data_image)
    stage.attach(volume, stage.server)
    stage.subject = volume
    stage.start_writing()
    until("the first numbers", lambda: stage.last() > 3, 60)


# MARK: The acts. Each leaves what the next one needs.


def image_made(stage):
    stage.is_now(stage.made["image"], "available")
    stage.bytes_are(stage.file_of(stage.made["image"]), stage.size)


def take_snapshot(stage):
    body = {"snapshot": {"volume_id": stage.subject, "force": True}}
    stage.made["snapshot"] = stage.demo.post(SNAPSHOTS, body, 202, headers=STORAGE).json["snapshot"]["id"]


def snapshot_made(stage):
    stage.snapshot_is_there()
    stage.copy_is(stage.pool / "snapshots" / f"{stage.made['snapshot']}.raw", stage.size)


def copy_of_snapshot_made(stage):
    stage.is_now(stage.made["copy"], "available")
    path = stage.file_of(stage.made["copy"])
    stage.bytes_are(path, stage.size)
    stage.numbers_are(path, 1, stage.written)


def clone_made(stage):
    stage.is_now(stage.made["clone"], "available")
    stage.copy_is(stage.file_of(stage.made["clone"]), stage.size)


def upload(stage):
    body = {"image_name": "copy", "disk_format": "qcow2", "container_format": "bare", "force": True}
    stage.made["upload"] = stage.act({"os-volume_upload_image": body}).json["os-volume_upload_image"]["image_id"]


def uploaded(stage):
    stage.is_now(stage.subject, "in-use")
    image = until(
        "the image", lambda: (found := stage.demo.get(f"{IMAGES}/{stage.made['upload']}").json)["status"] == "active" and found, DEADLINE
    )
    blob = next((stage.cloud.state / "images").rglob(image["os_hash_value"]))
    flat = stage.cloud.directory / f"{stage.made['upload']}.raw"
    try:
        subprocess.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", str(blob), str(flat)], check=True, timeout=120)
        stage.copy_is(flat, stage.size)
    finally:
        flat.unlink(missing_ok=True)
    stage.demo.delete(f"{IMAGES}/{stage.made['upload']}")


def grow(stage):
    stage.act({"os-extend": {"new_size": stage.size + 1}})
    stage.size += 1


def grown(stage):
    stage.is_now(stage.subject, "in-use")
    expect(stage.demo.get(f"{VOLUMES}/{stage.subject}").json["volume"]["size"], stage.size, "the size")
    stage.bytes_are(stage.file_of(stage.subject), stage.size)
    sizes = "cat /sys/block/vd*/size"
    until("the guest to see the size", lambda: str(stage.size << 21) in stage.ssh(stage.address, sizes).split(), 30)


def retype(stage):
    types = {one["name"]: one["id"] for one in stage.demo.get("/volume/v3/types").json["volume_types"]}
    if "other" not in types:
        stage.admin.post("/volume/v3/types", {"volume_type": {"name": "other"}}, 200)
    stage.act({"os-retype": {"new_type": "other", "migration_policy": "never"}}, stage.made["clone"])


def retyped(stage):
    shown = stage.demo.get(f"{VOLUMES}/{stage.made['clone']}").json["volume"]
    expect((shown["volume_type"], shown["status"]), ("other", "available"), "the type and the status")
    path = stage.file_of(stage.made["clone"])
    stage.bytes_are(path, shown["size"])
    stage.numbers_are(path, 1, stage.written)


def attach(stage):
    body = {"volumeAttachment": {"volumeId": stage.made["clone"]}}
    stage.demo.post(f"{SERVERS}/{stage.server}/os-volume_attachments", body, 200)


def detach(stage):
    stage.demo.delete(f"{SERVERS}/{stage.server}/os-volume_attachments/{stage.made['clone']}", 202)


def delete(name):
    return lambda stage: stage.demo.delete(f"{SNAPSHOTS if name == 'snapshot' else VOLUMES}/{stage.made[name]}", 202)


def deleted(name):
    return lambda stage: stage.gone(f"{SNAPSHOTS if name == 'snapshot' else VOLUMES}/{stage.made.pop(name)}")


ACTS = [
    Act("a volume of an image", lambda stage: stage.make("image", imageRef=stage.data_image), image_made, copying("volumes")),
    Act("a snapshot of the volume in use", take_snapshot, snapshot_made, copying("snapshots")),
    Act("a volume of the snapshot", lambda stage: stage.make("copy", snapshot_id=stage.made["snapshot"]), copy_of_snapshot_made, copying("volumes")),
    Act("a clone of the volume in use", lambda stage: stage.make("clone", source_volid=stage.subject), clone_made, copying("volumes")),
    Act("an image of the volume in use", upload, uploaded, copying("exports")),
    Act("another type", retype, retyped, within(0.2)),
    Act("an attachment", attach, lambda stage: stage.is_now(stage.made["clone"], "in-use"), within(1.2)),
    Act("a growth in use", grow, grown, within(0.6)),
    Act("a detachment", detach, lambda stage: stage.is_now(stage.made["clone"], "available"), within(1.2)),
    Act("a deletion of the snapshot", delete("snapshot"), deleted("snapshot"), within(0.3)),
    Act("a deletion of a volume", delete("copy"), deleted("copy"), within(0.3)),
    Act("a deletion of the clone", delete("clone"), deleted("clone"), within(0.3)),
    Act("a deletion of the volume of the image", delete("image"), deleted("image"), within(0.3)),
]


def delete_everything(stage):
    written = stage.last()
    stage.ssh(stage.address, "kill $(cat /tmp/writer)")
    stage.detach(stage.subject, stage.server)
    stage.numbers_are(stage.file_of(stage.subject), written)
    stage.demo.delete(f"{VOLUMES}/{stage.subject}", 202)
    stage.gone(f"{VOLUMES}/{stage.subject}")
    stage.delete(stage.server)
    expect_no_machines(stage.cloud)
    expect({folder: stage.files(folder) for folder in stage.before}, {folder: set() for folder in stage.before}, "files of the pool")
