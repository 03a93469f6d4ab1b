"""Cuts the power at the syncs of a cloud on a real host, and looks in what is left for all that the cloud had acknowledged.

The cloud runs once, while `power_cut.c` writes down each sync of its files. From these events `power_disk.py` makes the disk as a cut at a sync
would have left it, and a cloud is started on that: it must come up, finish what it had begun, and have every acknowledged byte.

`SEED=123` repeats the cuts of an earlier run, and `CUTS=300` makes more of them.
"""

import collections
import hashlib
import os
import random
import shutil
import signal
import subprocess
import uuid

from guests import Host, emulators, until
from harness import HERE, Cloud, Failure, expect, say
from power_disk import MODES, Disk, Event

SHORT, LONG = 24, 400
# The bytes of the image, which no volume has by chance.
SIZE = 6 << 20
# So many cuts that lose something are enough to look into.
MOST_FAILURES = 5
# Seconds in which what was begun before a cut comes to its end.
DEADLINE = 120
COMPUTE, STORAGE, IMAGES = "/compute/v2.1", "/volume/v3", "/image/v2/images"
STORAGE_VERSION = {"OpenStack-API-Version": "volume 3.71"}
COMPUTE_VERSION = {"OpenStack-API-Version": "compute 2.96"}
BOOT = "boot_id"


def run(binary, report):
    if os.geteuid() != 0:
        report.fail("the host", "a real host wants root here")
        return
    seed = int(os.environ.get("SEED") or random.SystemRandom().getrandbits(32))
    cuts = int(os.environ.get("CUTS") or (LONG if report.name.endswith("long") else SHORT))
    say(f"  SEED={seed}, {cuts} cuts")
    before = Host.now()
    cloud = Cloud(binary, {"LIBVIRT_VIRT_TYPE": "qemu"}, simulate=False)
    lab = Lab(cloud, random.Random(seed), before)
    try:
        with report.case("everything that is to be cut"):
            lab.record()
        if not report.failures:
            lab.cut_all(cuts, report)
    finally:
        end(cloud)
        forget(before)
        cloud.remove()
    with report.case("the host is as it was"):
        Host.now().must_equal(before)


def end(cloud):
    """The cloud and its guests stop, as the host does."""
    if cloud.process:
        cloud.kill()
    for process in emulators(cloud):
        os.kill(process, signal.SIGKILL)
    until("the guests to be gone", lambda: not emulators(cloud), 20)


def forget(before):
    """The kernel has nothing of the cloud after a start of the host."""
    left = Host.now()
    for kind, command in (("rules", "nft delete {}"), ("namespaces", "ip netns delete {}"), ("devices", "ip link delete {}")):
        for name in left.parts[kind] - before.parts[kind]:
            # A device may have gone with another one.
            subprocess.run(command.format(name).split(), stderr=subprocess.DEVNULL)


class Lab:
    """The disk of a cloud, what was written there, and what was acknowledged."""

    def __init__(self, cloud, random_, before):
        self.cloud, self.random, self.before = cloud, random_, before
        self.root = cloud.directory / "disk"
        self.log = cloud.directory / "events"
        (self.log / "mirror").mkdir(parents=True)
        self.root.mkdir(mode=0o711)
        cloud.state = self.root / "state"
        self.library = cloud.directory / "power_cut.so"
        compiler = shutil.which("cc") or shutil.which("clang")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(self.library), str(HERE / "power_cut.c")], check=True)
        (cloud.directory / BOOT).write_text(f"{uuid.uuid4()}\n")
        self.promises = []
        self.count = 0

    # What is done before the cuts

    def record(self):
        cloud = self.cloud
        cloud.environment = {"POWER_ROOT": str(self.root), "POWER_LOG": str(self.log)} | self.loaded()
        cloud.start()
        story = Story(self)
        # The host is opened beside the start.
        until("the pool", lambda: story.get(f"{STORAGE}/scheduler-stats/get_pools", "pools"), 30)
        for step in STEPS:
            step(story)
        story.close()
        end(cloud)
        forget(self.before)
        say(f"  {self.seen()} syncs, {len(self.promises)} promises")

    def loaded(self):
        return {"LD_PRELOAD": str(self.library), "POWER_BOOT": str(self.cloud.directory / BOOT)}

    def seen(self):
        """The number of syncs until now."""
        while (self.log / f"{self.count + 1:06}.meta").exists():
            self.count += 1
        return self.count

    def promise(self, what, check):
        """What was acknowledged just now: it holds after every cut from here on, until it is broken on purpose."""
        self.promises.append(Promise(what, check, self.seen()))
        return self.promises[-1]

    # The cuts

    def cut_all(self, cuts, report):
        events = [Event(self.log, number) for number in range(1, self.seen() + 1)]
        chosen = self.choose(events, cuts)
        disk = Disk(self.root, self.log, self.cloud.directory / "durable")
        for event in events:
            for mode in chosen.get(event.number, []):
                with report.case(f"a cut during sync {event.number} ({event.describe(self.root)}), {mode}"):
                    disk.make(event, mode, random.Random(self.random.random()))
                    try:
                        self.look(event)
                    except Failure:
                        print(self.cloud.tail(30))
                        raise
                    finally:
                        end(self.cloud)
                        forget(self.before)
                if len(report.failures) >= MOST_FAILURES:
                    return
            disk.take(event)

    def choose(self, events, cuts):
        """Some of each kind of sync, in each way. The kinds take turns."""
        kinds = collections.defaultdict(list)
        for event in events:
            for mode in MODES[: 3 if event.kind == "file" else 2]:
                kinds[event.describe(self.root), mode].append(event.number)
        chosen = collections.defaultdict(list)
        order = sorted(kinds)
        self.random.shuffle(order)
        while cuts > 0 and any(kinds.values()):
            for kind in order:
                if kinds[kind] and cuts > 0:
                    number = kinds[kind].pop(self.random.randrange(len(kinds[kind])))
                    chosen[number].append(kind[1])
                    cuts -= 1
        return chosen

    def look(self, event):
        """Starts the cloud on what is left. The host has started anew, too."""
        (self.cloud.directory / BOOT).write_text(f"{uuid.uuid4()}\n")
        self.cloud.environment = self.loaded()
        self.cloud.start()
        story = Story(self)
        story.settle()
        for promise in self.promises:
            if promise.holds_after(event.number - 1):
                try:
                    promise.check(story)
                except Failure as failure:
                    raise Failure(f"{promise.what}: {failure}") from None
        story.nothing_is_left_over()
        story.close()


class Promise:
    def __init__(self, what, check, since):
        self.what, self.check, self.since = what, check, since
        # The number of syncs before it began to be broken on purpose.
        self.until = None

    def holds_after(self, syncs):
        return self.since <= syncs and (self.until is None or syncs < self.until)


class Story:
    """A client of the cloud, and what it has made."""

    def __init__(self, lab):
        self.lab, self.cloud = lab, lab.cloud
        self.client = lab.cloud.admin()
        self.pool = lab.cloud.state / "host" / "volumes"
        self.data = random.Random(1).randbytes(SIZE)

    def close(self):
        self.client.close()

    def get(self, path, key, **rest):
        return self.client.get(path, headers=STORAGE_VERSION, **rest).json[key]

    def volumes(self):
        return self.get(f"{STORAGE}/volumes/detail", "volumes")

    def snapshots(self):
        return self.get(f"{STORAGE}/snapshots", "snapshots")

    def servers(self):
        return self.client.get(f"{COMPUTE}/servers/detail", headers=COMPUTE_VERSION).json["servers"]

    # What is asked

    def volume(self, **wish):
        body = {"volume": {"size": 1} | wish}
        volume = self.client.post(f"{STORAGE}/volumes", body, 202, headers=STORAGE_VERSION).json["volume"]["id"]
        self.lab.promise(f"the volume {wish}", lambda story: story.volume_is(volume, None))
        self.becomes(f"{STORAGE}/volumes/{volume}", "volume")
        return volume

    def act(self, volume, body):
        return self.client.post(f"{STORAGE}/volumes/{volume}/action", body, (200, 202), headers=STORAGE_VERSION)

    def becomes(self, path, key, status="available"):
        def test():
            shown = self.get(path, key)
            if "error" in shown["status"]:
                raise Failure(f"{path} is {shown['status']}")
            return shown["status"] == status

        until(f"{path} to be {status}", test, DEADLINE, 0.05)

    # What must be so

    def settle(self):
        """What was begun before the cut comes to its end."""
        resting = ("available", "error", "in-use", "error_extending", "error_deleting")
        until("the volumes to be at rest", lambda: all(one["status"] in resting for one in self.volumes()), DEADLINE)
        until("the snapshots to be at rest", lambda: all(one["status"] in resting for one in self.snapshots()), DEADLINE)
        until("the servers to be at rest", lambda: not any(one["OS-EXT-STS:task_state"] for one in self.servers()), DEADLINE)

    def volume_is(self, volume, data, size=1):
        shown = self.get(f"{STORAGE}/volumes/{volume}", "volume")
        expect(shown["status"], "available", "its status")
        expect(shown["size"] >= size, True, f"its size, {shown['size']}")
        self.file_is(self.pool / "volumes" / f"{volume}.raw", data, shown["size"])

    def snapshot_is(self, snapshot, data):
        expect(self.get(f"{STORAGE}/snapshots/{snapshot}", "snapshot")["status"], "available", "its status")
        self.file_is(self.pool / "snapshots" / f"{snapshot}.raw", data, 1)

    def file_is(self, path, data, size):
        if not path.exists():
            raise Failure("its file is gone")
        expect(path.stat().st_size, size << 30, "the size of its file")
        if data:
            with open(path, "rb") as file:
                expect(file.read(len(data)) == data, True, "that its bytes are those that were written")

    def image_is(self, image, data):
        """The image has the bytes, and zeros after them."""
        shown = self.client.get(f"{IMAGES}/{image}").json
        expect(shown["status"], "active", "its status")
        found = self.client.get(f"{IMAGES}/{image}/file", headers={"Accept": "*/*"}).content
        expect(len(found), shown["size"], "the number of its bytes")
        expect(hashlib.sha512(found).hexdigest(), shown["os_hash_value"], "its digest")
        if data:
            expect(found[: len(data)] == data, True, "that its bytes are those that were sent")

    def server_runs(self, server):
        def runs():
            shown = next(one for one in self.servers() if one["id"] == server)
            if shown["status"] == "ERROR":
                raise Failure(f"the server is in error: {shown.get('fault')}")
            return shown["status"] == "ACTIVE" and len(emulators(self.cloud, server)) == 1

        until("the server to run", runs, DEADLINE)

    def gone(self, path):
        until(f"{path} to be gone", lambda: self.client.get(path, (200, 404), headers=STORAGE_VERSION).status == 404, DEADLINE)

    def nothing_is_left_over(self):
        """The pool has the files of the volumes and snapshots that there are, and no others."""
        wanted = {f"volumes/{one['id']}.raw" for one in self.volumes() if one["status"] != "error"}
        wanted |= {f"snapshots/{one['id']}.raw" for one in self.snapshots() if one["status"] != "error"}

        def found():
            folders = [folder for folder in ("volumes", "snapshots", "exports", "drafts") if (self.pool / folder).exists()]
            return {f"{folder}/{path.name}" for folder in folders for path in (self.pool / folder).iterdir()}

        try:
            until("the pool", lambda: found() == wanted, 20)
        except Failure:
            there = found()
            raise Failure(f"the pool: left over {sorted(there - wanted)}, missing {sorted(wanted - there)}") from None


def log_in(story):
    password = story.cloud.password()
    story.lab.promise("the cloud", lambda later: expect(later.cloud.password(), password, "the password"))


def make_a_project(story):
    made = story.client.post("/v3/projects", {"project": {"name": "kept", "domain_id": "default"}}).json["project"]
    story.lab.promise("a project", lambda later: later.client.get(f"/v3/projects/{made['id']}"))


def upload_an_image(story):
    body = {"name": "data", "disk_format": "raw", "container_format": "bare"}
    story.image = image = story.client.post(IMAGES, body).json["id"]
    story.lab.promise("an image without bytes", lambda later: later.client.get(f"{IMAGES}/{image}"))
    story.client.put(f"{IMAGES}/{image}/file", story.data, headers={"Content-Type": "application/octet-stream"})
    story.lab.promise("the bytes of an image", lambda later: later.image_is(image, later.data))


def make_a_volume_of_the_image(story):
    story.first = volume = story.volume(imageRef=story.image)
    story.lab.promise("the bytes of a volume", lambda later: later.volume_is(volume, later.data))


def note_something(story):
    path = f"{STORAGE}/volumes/{story.first}/metadata"
    story.client.put(path, {"metadata": {"word": "kept"}}, 200, headers=STORAGE_VERSION)
    story.lab.promise("metadata", lambda later: expect(later.get(path, "metadata").get("word"), "kept", "the word"))


def take_a_snapshot(story):
    body = {"snapshot": {"volume_id": story.first}}
    story.snapshot = snapshot = story.client.post(f"{STORAGE}/snapshots", body, 202).json["snapshot"]["id"]
    story.lab.promise("a snapshot", lambda later: later.snapshot_is(snapshot, later.data))
    story.becomes(f"{STORAGE}/snapshots/{snapshot}", "snapshot")


def make_a_volume_of_the_snapshot(story):
    story.second = volume = story.volume(snapshot_id=story.snapshot)
    story.lab.promise("the bytes of a volume of a snapshot", lambda later: later.volume_is(volume, later.data))


def make_a_clone(story):
    story.third = volume = story.volume(source_volid=story.first)
    story.deleted = story.lab.promise("the bytes of a clone", lambda later: later.volume_is(volume, later.data))


def grow_a_volume(story):
    volume = story.second
    story.act(volume, {"os-extend": {"new_size": 2}})
    story.lab.promise("a growth", lambda later: later.volume_is(volume, later.data, size=2))
    story.becomes(f"{STORAGE}/volumes/{volume}", "volume")


def upload_a_volume(story):
    body = {"image_name": "copy", "disk_format": "qcow2", "container_format": "bare", "force": False}
    image = story.act(story.first, {"os-volume_upload_image": body}).json["os-volume_upload_image"]["image_id"]
    until("the image", lambda: story.client.get(f"{IMAGES}/{image}").json["status"] == "active", DEADLINE, 0.05)
    story.lab.promise("an image of a volume", lambda later: later.image_is(image, None))


def make_a_server(story):
    flavor = {"flavor": {"name": "kept", "ram": 64, "vcpus": 1, "disk": 1}}
    flavor = story.client.post(f"{COMPUTE}/flavors", flavor, 200).json["flavor"]["id"]
    body = {"server": {"name": "kept", "imageRef": story.image, "flavorRef": flavor, "networks": "none"}}
    server = story.client.post(f"{COMPUTE}/servers", body, 202, headers=COMPUTE_VERSION).json["server"]["id"]
    # It has nothing to boot, and stands before its disk.
    story.lab.promise("a server", lambda later: later.server_runs(server))
    story.server_runs(server)
    disk = f"host/machines/{server}/root.qcow2"
    story.lab.promise("the disk of a server", lambda later: expect((later.cloud.state / disk).exists(), True, "the disk"))


def delete_a_volume(story):
    path = f"{STORAGE}/volumes/{story.third}"
    for promise in story.lab.promises:
        if promise is story.deleted or "source_volid" in promise.what:
            promise.until = story.lab.seen()
    story.client.delete(path, 202, headers=STORAGE_VERSION)
    story.lab.promise("a deletion", lambda later: later.gone(path))
    story.gone(path)


STEPS = [
    log_in,
    make_a_project,
    upload_an_image,
    make_a_volume_of_the_image,
    note_something,
    take_a_snapshot,
    make_a_volume_of_the_snapshot,
    make_a_clone,
    grow_a_volume,
    upload_a_volume,
    make_a_server,
    delete_a_volume,
]
