"""Disks of servers without volumes: which are asked for, and what contradicts itself."""

from harness import expect

from .people import COMPUTE, NOWHERE

EMPTY = {"source_type": "blank", "destination_type": "local", "boot_index": -1, "delete_on_termination": True, "volume_size": 1}


class Disks:
    def __init__(self, people):
        self.people, self.member = people, people.member()
        self.image = self.member.image()
        self.flavor = people.flavor(disk=2, **{"OS-FLV-EXT-DATA:ephemeral": 4, "swap": 64})
        root = {"source_type": "image", "destination_type": "local", "boot_index": 0, "delete_on_termination": True}
        self.root = root | {"uuid": self.image}

    def ask(self, devices, status, image=True, flavor=None, microversion="2.37", **more):
        body = {"name": "disks", "flavorRef": flavor or self.flavor, "networks": "none", "block_device_mapping_v2": devices, **more}
        if image:
            body["imageRef"] = self.image
        return self.member.ask("POST", f"{COMPUTE}/servers", {"server": body}, microversion=microversion, status=status)


def a_server_has_the_disks_that_were_asked_for(people):
    disks = Disks(people)
    plain = people.flavor(disk=2, **{"OS-FLV-EXT-DATA:ephemeral": 4})
    servers = {}
    for count in (1, 2, 3):
        servers[disks.ask([disks.root] + [EMPTY] * count, 202, flavor=plain).json["server"]["id"]] = 1 + count
    for server, count in servers.items():
        disks.member.becomes(server, "ACTIVE")
        shown = people.admin.ask("GET", f"{COMPUTE}/servers/{server}/diagnostics", microversion="2.48", status=200).json
        expect(shown["num_disks"], count, "the disks of the server")


def disks_are_spelled_in_many_ways(people):
    disks = Disks(people)
    root = disks.root
    servers = [
        disks.ask(devices, 202).json["server"]["id"]
        for devices in (
            [root | {"boot_index": "0", "delete_on_termination": "true"}],
            [root | {"device_name": "/dev/vda", "disk_bus": "virtio", "device_type": "disk"}],
            [root, EMPTY, EMPTY | {"volume_size": 2}],
            [root, EMPTY | {"guest_format": "swap"}],
        )
    ]
    for server in servers:
        shown = disks.member.becomes(server, "ACTIVE")
        expect(shown["image"]["id"], disks.image, "the image of the server")
        expect(shown["os-extended-volumes:volumes_attached"], [], "its volumes")


def disks_that_contradict_themselves_are_refused(people):
    disks = Disks(people)
    root = disks.root
    swap = EMPTY | {"guest_format": "swap"}
    unindexed = {name: value for name, value in root.items() if name != "boot_index"}
    without_swap = people.flavor(disk=2, **{"OS-FLV-EXT-DATA:ephemeral": 4})
    for devices, more in (
        ([root, swap | {"volume_size": 100}], {}),
        ([root, swap, swap], {}),
        ([root, swap], {"flavor": without_swap}),
        ([root, EMPTY | {"uuid": disks.image}], {}),
        ([root, EMPTY | {"volume_size": 9}], {}),
        ([root, EMPTY | {"volume_size": 3}, EMPTY | {"volume_size": 3}], {}),
        ([root | {"boot_index": None}], {}),
        ([root | {"boot_index": -1}], {}),
        ([root | {"boot_index": 1}], {}),
        ([unindexed], {}),
        ([root | {"volume_type": "fast"}], {"microversion": "2.67"}),
        ([root, root], {}),
        ([root], {"image": False}),
        ([root | {"destination_type": "nowhere"}], {}),
        ([root | {"source_type": "nowhere"}], {}),
        ([root | {"uuid": NOWHERE}], {}),
        ([], {"image": False}),
        ([root], {"block_device_mapping": [{"device_name": "vda", "volume_id": disks.image}]}),
    ):
        disks.ask(devices, 400, **more)
    expect(disks.member.ask("GET", f"{COMPUTE}/servers").json["servers"], [], "servers that were made")


CASES = [a_server_has_the_disks_that_were_asked_for, disks_are_spelled_in_many_ways, disks_that_contradict_themselves_are_refused]
