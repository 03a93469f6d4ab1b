"""Volumes of real guests, by the API: what a guest has written to one is there for the next, also in a snapshot and after a growth."""

from guests import expect_no_machines, make_first_server, ssh, tell, until
from harness import Failure, expect, password_login

DEMO = {"project": {"name": "demo", "domain": {"id": "default"}}}
STORAGE = {"OpenStack-API-Version": "volume 3.71"}
COMPUTE = {"OpenStack-API-Version": "compute 2.100"}
MARK = "a line that only this volume has"


def run(binary, report):
    tell(binary, report, lambda cloud: Story(binary, cloud), STEPS)


class Story:
    """The cloud, a member of a project with a first server, and what was made so far."""

    def __init__(self, binary, cloud):
        self.cloud = cloud
        make_first_server(binary, cloud)
        self.demo = cloud.client()
        self.demo.log_in(password_login("demo", cloud.password("demo"), DEMO))
        self.admin = cloud.admin()
        self.image = self.only("/image/v2/images?name=guest", "images")
        self.network = self.only("/network/v2.0/networks?name=private", "networks")
        self.public = self.only("/network/v2.0/networks?name=public", "networks")

    def only(self, path, list):
        found = self.demo.get(path).json[list]
        expect(len(found), 1, path)
        return found[0]["id"]

    # Compute

    def boot(self, name, **device):
        """A running server with a root disk that is a volume. Returns its id and its floating address."""
        device = {"boot_index": 0, "destination_type": "volume", "delete_on_termination": False} | device
        server = {
            "name": name, "flavorRef": self.flavor(), "key_name": "hello", "security_groups": [{"name": "hello"}],
            "networks": [{"uuid": self.network}], "block_device_mapping_v2": [device],
        }
        made = self.demo.post("/compute/v2.1/servers", {"server": server}, 202, headers=COMPUTE).json["server"]["id"]
        self.becomes(made, "ACTIVE")
        port = self.demo.get(f"/network/v2.0/ports?device_id={made}").json["ports"][0]["id"]
        body = {"floatingip": {"floating_network_id": self.public, "port_id": port}}
        address = self.demo.post("/network/v2.0/floatingips", body).json["floatingip"]["floating_ip_address"]
        return made, address

    def flavor(self):
        return next(one["id"] for one in self.demo.get("/compute/v2.1/flavors").json["flavors"] if one["name"] == "nano")

    def becomes(self, server, status):
        def test():
            shown = self.demo.get(f"/compute/v2.1/servers/{server}", headers=COMPUTE).json["server"]
            if shown["status"] == "ERROR":
                raise Failure(f"{server} is in error: {shown.get('fault')}")
            return shown["status"] == status and not shown["OS-EXT-STS:task_state"]

        until(f"{server} to be {status}", test)

    def delete(self, server):
        self.demo.delete(f"/compute/v2.1/servers/{server}")
        until(f"{server} to be gone", lambda: self.demo.call("GET", f"/compute/v2.1/servers/{server}").status == 404)

    def attach(self, volume, server):
        body = {"volumeAttachment": {"volumeId": volume}}
        self.demo.post(f"/compute/v2.1/servers/{server}/os-volume_attachments", body, 200, headers=COMPUTE)
        self.is_now(volume, "in-use")

    def detach(self, volume, server):
        self.demo.delete(f"/compute/v2.1/servers/{server}/os-volume_attachments/{volume}", 202)
        self.is_now(volume, "available")

    def root(self, server):
        found = self.demo.get(f"/compute/v2.1/servers/{server}/os-volume_attachments").json["volumeAttachments"]
        return next(one["volumeId"] for one in found if one["device"] == "/dev/vda")

    # Block Storage

    def volume(self, **wish):
        made = self.demo.post("/volume/v3/volumes", {"volume": {"size": 1} | wish}, 202, headers=STORAGE)
        volume = made.json["volume"]["id"]
        self.is_now(volume, "available")
        return volume

    def is_now(self, volume, status):
        def test():
            seen = self.demo.get(f"/volume/v3/volumes/{volume}").json["volume"]["status"]
            if "error" in seen:
                raise Failure(f"the volume {volume} is {seen}")
            return seen == status

        until(f"the volume {volume} to be {status}", test)

    def ssh(self, address, command):
        return ssh(self.cloud, address, command).stdout


def boot_from_a_volume_of_an_image_and_again(story):
    server, address = story.boot("one", source_type="image", uuid=story.image, volume_size=1)
    volume = story.root(server)
    story.ssh(address, f"printf '{MARK}' >/disk/mark; sync")
    story.delete(server)
    story.is_now(volume, "available")
    story.server, story.address = story.boot("two", source_type="volume", uuid=volume)
    expect(story.ssh(story.address, "cat /disk/mark"), MARK, "the file on the volume")
    story.volume_of_server = volume


def a_snapshot_while_the_guest_writes(story):
    # Each file has its own number many times, and is written as a whole before the next one is begun.
    loop = "i=0; while [ $i -lt 400 ]; do i=$((i+1)); yes $i 2>/dev/null | head -n 100 >/disk/w$i; echo $i >/disk/last; done"
    story.ssh(story.address, f"({loop}) >/dev/null 2>&1 &")
    until("the guest to write", lambda: story.ssh(story.address, "cat /disk/last 2>/dev/null").strip() not in ("", "0"))
    before = int(story.ssh(story.address, "cat /disk/last"))
    body = {"snapshot": {"volume_id": story.volume_of_server, "force": True}}
    snapshot = story.demo.post("/volume/v3/snapshots", body, 202).json["snapshot"]["id"]
    until("the snapshot", lambda: story.demo.get(f"/volume/v3/snapshots/{snapshot}").json["snapshot"]["status"] == "available")
    copy = story.volume(snapshot_id=snapshot)
    story.attach(copy, story.server)
    check = (
        "mount -t ext2 -o ro /dev/vdb /mnt && last=$(cat /mnt/last) && i=0 && bad=0; "
        "while [ $i -lt $last ]; do i=$((i+1)); [ $(grep -c \"^$i$\" /mnt/w$i) = 100 ] || bad=$((bad+1)); done; "
        "echo $last $bad; cat /mnt/mark; umount /mnt"
    )
    lines = story.ssh(story.address, check).splitlines()
    last, bad = (int(number) for number in lines[0].split())
    expect(bad, 0, f"files of {last} that are not whole")
    expect(last >= before, True, f"what was written before: {before} of {last}")
    expect(lines[1], MARK, "the older file")
    story.detach(copy, story.server)


def a_volume_grows_under_the_guest(story):
    volume = story.volume()
    story.attach(volume, story.server)
    sectors = lambda: story.ssh(story.address, "cat /sys/block/vdb/size").strip()
    until("the guest to see the disk", lambda: sectors() == str(1 << 21), 30)
    story.demo.post(f"/volume/v3/volumes/{volume}/action", {"os-extend": {"new_size": 2}}, 202, headers=STORAGE)
    story.is_now(volume, "in-use")
    until("the guest to see the size", lambda: sectors() == str(2 << 21), 30)
    story.detach(volume, story.server)


def two_servers_share_a_volume(story):
    specs = {"volume_type": {"name": "shared", "extra_specs": {"multiattach": "<is> True"}}}
    story.admin.post("/volume/v3/types", specs, 200)
    volume = story.volume(volume_type="shared")
    other, address = story.boot("three", source_type="image", uuid=story.image, volume_size=1)
    story.attach(volume, story.server)
    story.attach(volume, other)
    for number, (writer, reader) in enumerate(((story.address, address), (address, story.address))):
        # The reader has not read from near these sectors before, so it has no older copy in its memory.
        sector = 8 + 100_000 * number
        story.ssh(writer, f"echo shared {number} | dd of=/dev/vdb bs=512 seek={sector} conv=notrunc,fsync 2>/dev/null")
        seen = story.ssh(reader, f"dd if=/dev/vdb bs=512 skip={sector} count=1 2>/dev/null | head -n 1")
        expect(seen, f"shared {number}\n", "what the other server has written")
    story.delete(other)


def delete_everything(story):
    for server in story.demo.get("/compute/v2.1/servers").json["servers"]:
        story.delete(server["id"])
    for volume in story.demo.get("/volume/v3/volumes").json["volumes"]:
        story.demo.call("DELETE", f"/volume/v3/volumes/{volume['id']}?cascade=true")
    until("the volumes to be gone", lambda: not story.demo.get("/volume/v3/volumes").json["volumes"])
    expect_no_machines(story.cloud)
    pool = story.cloud.state / "host" / "volumes"
    left = [str(path.relative_to(pool)) for path in pool.rglob("*.raw")] + [str(path) for path in pool.rglob("*.qcow2")]
    expect(left, [], "files of volumes")


STEPS = [
    boot_from_a_volume_of_an_image_and_again,
    a_snapshot_while_the_guest_writes,
    a_volume_grows_under_the_guest,
    two_servers_share_a_volume,
    delete_everything,
]
