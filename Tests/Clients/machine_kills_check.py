"""Kills the cloud without warning in each of the workflows of servers, on real parts, again and again.

Each workflow is begun through the API, and the cloud is killed a moment later and started anew: the workflow comes to the end that
it would have come to. A bystander runs all the time and must not notice; nothing is left at the end.

`SEED=123` repeats the moments of an earlier run, `ROUNDS=1` makes a shorter one.
"""

import os
import random
import time

from guests import Host, devices, emulators, expect_no_machines, make_first_server, machine_files, ping, ssh, unfinished, until
from harness import Cloud, Failure, expect, password_login, say

# Each kills every workflow once, each time in another part of it.
ROUNDS = int(os.environ.get("ROUNDS") or 3)
# Seconds. A guest that does not hear the power button is given 60 of them.
DEADLINE = 120
SERVERS = "/compute/v2.1/servers"
VERSION = {"X-OpenStack-Nova-API-Version": "2.96"}
DEMO_PROJECT = {"project": {"name": "demo", "domain": {"id": "default"}}}


class Act:
    """What is asked of a server, and what becomes of it.

    `takes` is for how long it has things to do, in seconds: the kill comes within. `listening`: the guest has to answer for it.
    """

    def __init__(self, name, ask, end, takes, listening=False):
        self.name, self.ask, self.end, self.takes, self.listening = name, ask, end, takes, listening


def action(body):
    return lambda stage: stage.post(f"/{stage.server}/action", body)


# In this order, each leaves the server as the next one needs it, and few have to wait for a guest to boot.
ACTS = [
    Act("create", lambda stage: stage.create(), "ACTIVE", 2.5),
    Act("attach interface", lambda stage: stage.attach(), "ACTIVE", 0.6, listening=True),
    Act("detach interface", lambda stage: stage.detach(), "ACTIVE", 0.4),
    Act("pause", action({"pause": None}), "PAUSED", 0.1),
    Act("unpause", action({"unpause": None}), "ACTIVE", 0.1),
    Act("suspend", action({"suspend": None}), "SUSPENDED", 1),
    Act("resume", action({"resume": None}), "ACTIVE", 0.5),
    Act("create image", lambda stage: stage.copy(), "ACTIVE", 0.3),
    Act("reboot", action({"reboot": {"type": "SOFT"}}), "ACTIVE", 1.5),
    Act("rebuild", lambda stage: stage.rebuild(), "ACTIVE", 1.2),
    Act("resize", lambda stage: stage.resize(), "VERIFY_RESIZE", 2, listening=True),
    Act("revert resize", action({"revertResize": None}), "ACTIVE", 2, listening=True),
    Act("stop", action({"os-stop": None}), "SHUTOFF", 1, listening=True),
    Act("resize", lambda stage: stage.resize(), "VERIFY_RESIZE", 0.3),
    Act("confirm resize", action({"confirmResize": None}), "SHUTOFF", 0.1),
    Act("start", action({"os-start": None}), "ACTIVE", 1),
    Act("reboot hard", action({"reboot": {"type": "HARD"}}), "ACTIVE", 1),
    Act("delete", lambda stage: stage.delete(), None, 0.6),
    Act("create and delete", lambda stage: stage.create_and_delete(), None, 2),
]


def run(binary, report):
    if os.geteuid() != 0:
        report.fail("the host", "real machines want root here")
        return
    seed = int(os.environ.get("SEED") or random.SystemRandom().getrandbits(32))
    say(f"  SEED={seed}, {ROUNDS} rounds")
    before = Host.now()
    with Cloud(binary, simulate=False) as cloud:
        make_first_server(binary, cloud)
        stage = Stage(cloud, random.Random(seed))
        for number in range(ROUNDS):
            for act in ACTS:
                with report.case(f"round {number + 1}, {act.name}"):
                    stage.kill_in(act, number)
                if report.failures:
                    print(cloud.tail(60))
                    return
        with report.case("the bystander has noticed nothing"):
            expect(ssh(cloud, stage.bystander.address, BOOT).stdout, stage.bystander.boot, "its boot")
        with report.case("nothing is left"):
            stage.clear()
            expect_no_machines(cloud)
            expect(unfinished(cloud), [], "workflows that have not ended")
        say(f"  {stage.kills} kills, {stage.inside} of them inside of a workflow, in {len(stage.places)} places")
        cloud.clear_host()
    with report.case("the host is as it was"):
        Host.now().must_equal(before)


BOOT = "cat /proc/sys/kernel/random/boot_id"


class Bystander:
    """A server that nobody asks anything of."""

    def __init__(self, cloud, server, address):
        self.cloud, self.server, self.address = cloud, server, address
        self.boot = ssh(cloud, address, BOOT).stdout
        self.processes = emulators(cloud, server)
        expect(len(self.processes), 1, "processes of the bystander")

    def must_live(self):
        expect(ping(self.address), True, "that the bystander answers")
        expect(emulators(self.cloud, self.server), self.processes, "the bystander's process")


class Stage:
    """The cloud, the server that everything is done to, and the kills."""

    def __init__(self, cloud, random_):
        self.cloud, self.random = cloud, random_
        self.client = cloud.client()
        self.client.log_in(password_login("demo", cloud.password("demo"), DEMO_PROJECT))
        self.server = self.status = self.image = None
        # Whether its guest has a process.
        self.is_up = False
        self.kills = self.inside = 0
        self.places = set()
        self.names = 0
        admin = cloud.admin()
        self.flavors = [self.id("/compute/v2.1/flavors", "flavors", "nano")]
        larger = {"flavor": {"name": "larger", "ram": 160, "vcpus": 1, "disk": 1}}
        self.flavors.append(admin.post("/compute/v2.1/flavors", larger, 200).json["flavor"]["id"])
        self.flavor = self.flavors[0]
        admin.close()
        self.base = self.id("/image/v2/images?name=guest", "images", "guest")
        self.network = self.id("/network/v2.0/networks?name=private", "networks", "private")
        self.group = self.id("/network/v2.0/security-groups?name=hello", "security_groups", "hello")
        self.second = self.make_second_network()
        hello = self.id(f"{SERVERS}?name=hello", "servers", "hello")
        floating = self.client.get("/network/v2.0/floatingips").json["floatingips"]
        self.bystander = Bystander(cloud, hello, floating[0]["floating_ip_address"])
        public = floating[0]["floating_network_id"]
        self.floating = self.client.post("/network/v2.0/floatingips", {"floatingip": {"floating_network_id": public}}).json["floatingip"]

    def id(self, path, list_, name):
        return next(item["id"] for item in self.client.get(path).json[list_] if item["name"] == name)

    def make_second_network(self):
        network = self.client.post("/network/v2.0/networks", {"network": {"name": "second"}}).json["network"]["id"]
        self.client.post("/network/v2.0/subnets", {"subnet": {"network_id": network, "ip_version": 4, "cidr": "10.20.0.0/24"}})
        return network

    # What is asked

    def post(self, path, body):
        return self.client.post(SERVERS + path, body, (200, 202, 204), headers=VERSION)

    def create(self):
        self.names += 1
        body = {"name": f"subject-{self.names}", "flavorRef": self.flavors[0], "imageRef": self.base, "key_name": "hello"}
        body |= {"networks": [{"uuid": self.network}], "security_groups": [{"name": "hello"}]}
        answer = self.post("", {"server": body})
        self.server, self.flavor = answer.json["server"]["id"], self.flavors[0]
        self.cards, self.image = 1, None
        return answer

    def delete(self):
        return self.client.delete(f"{SERVERS}/{self.server}", headers=VERSION)

    def create_and_delete(self):
        self.create()
        time.sleep(self.random.uniform(0, 2))
        return self.delete()

    def attach(self):
        self.cards = 2
        return self.post(f"/{self.server}/os-interface", {"interfaceAttachment": {"net_id": self.second}})

    def detach(self):
        self.cards = 1
        port = next(port["id"] for port in self.ports() if port["network_id"] == self.second)
        return self.client.delete(f"{SERVERS}/{self.server}/os-interface/{port}", 202, headers=VERSION)

    def copy(self):
        answer = self.post(f"/{self.server}/action", {"createImage": {"name": "copy"}})
        self.image = answer.json["image_id"]
        return answer

    def rebuild(self):
        return self.post(f"/{self.server}/action", {"rebuild": {"imageRef": self.base}})

    def resize(self):
        wanted = self.flavors[1 - self.flavors.index(self.flavor)]
        return self.post(f"/{self.server}/action", {"resize": {"flavorRef": wanted}})

    # The kill

    def kill_in(self, act, number):
        began = time.monotonic()
        if act.listening:
            until("the guest to listen", lambda: ping(self.floating["floating_ip_address"]), DEADLINE)
        request = act.ask(self).headers["X-Compute-Request-Id"]
        # One round kills in the first part of it, one in the second, and so on.
        pause = act.takes * (number + self.random.random()) / ROUNDS
        time.sleep(pause)
        self.cloud.kill()
        self.kills += 1
        self.bystander.must_live()
        places = unfinished(self.cloud)
        self.inside += bool(places)
        self.places |= set(places)
        self.client.close()
        self.cloud.start()
        moment = f"killed after {pause:.2f} s in {' '.join(places) or 'nothing any more'}"
        asked = time.monotonic()
        try:
            self.end(act, request)
            self.bystander.must_live()
            self.look(act)
        except Failure as failure:
            raise Failure(f"{moment}: {failure}") from None
        now = time.monotonic()
        say(f"  {act.name}: {moment}; {now - asked:.1f} s to its end, {now - began:.1f} s in all")

    def end(self, act, request):
        """Waits for the workflow to end, and for the server to say so."""
        if act.end is None:
            until(f"the end of {act.name}", lambda: self.show() is None, DEADLINE)
            self.status = None
            return
        path = f"{SERVERS}/{self.server}/os-instance-actions/{request}"

        def ended():
            event = self.client.get(path, headers=VERSION).json["instanceAction"]["events"][0]
            return event["result"]

        expect(until(f"the end of {act.name}", ended, DEADLINE), "Success", f"the result of {act.name}")
        shown = self.show()
        expect((shown["status"], shown["OS-EXT-STS:task_state"]), (act.end, None), f"the server after {act.name}")
        self.status = act.end
        # A server that is resized runs if it ran before.
        if act.end != "VERIFY_RESIZE":
            self.is_up = act.end in ("ACTIVE", "PAUSED")
        if act.name == "create":
            self.reach()

    def show(self):
        answer = self.client.get(f"{SERVERS}/{self.server}", (200, 404), headers=VERSION)
        return answer.json["server"] if answer.status == 200 else None

    def ports(self):
        return self.client.get(f"/network/v2.0/ports?device_id={self.server}").json["ports"]

    def reach(self):
        """Gives the server the address at which it is heard."""
        self.client.put(f"/network/v2.0/floatingips/{self.floating['id']}", {"floatingip": {"port_id": self.ports()[0]["id"]}}, 200)

    # What must be so afterwards

    def look(self, act):
        """The rows, the claims and the host say the same of the server."""
        if self.status is None:
            expect(self.ports(), [], "ports of a server that is gone")
            expect(emulators(self.cloud, self.server), [], "processes of a server that is gone")
            expect([path for path in machine_files(self.cloud) if self.server in path], [], "files of a server that is gone")
            self.claims_must_be([])
            return
        if act.name == "confirm resize":
            self.flavor = self.flavors[1 - self.flavors.index(self.flavor)]
        expect(len(emulators(self.cloud, self.server)), int(self.is_up), "processes of the server")
        expect(len(self.ports()), self.cards, "ports of the server")
        if self.status == "ACTIVE":
            # As its host has it.
            admin = self.cloud.admin()
            told = admin.get(f"{SERVERS}/{self.server}/diagnostics", headers=VERSION).json
            admin.close()
            expect(len(told["nic_details"]), self.cards, "network cards of the machine")
            taps = {f"tap{port['id'][:11]}" for port in self.ports()}
            expect(taps - devices(), set(), "taps that the machine does not have")
        memory = [160, 128] if self.status == "VERIFY_RESIZE" else [128 if self.flavor == self.flavors[0] else 160]
        self.claims_must_be(memory)
        if act.name == "create image":
            image = self.client.get(f"/image/v2/images/{self.image}").json
            expect((image["status"], image["size"] > 0), ("active", True), "the image")
            expect([path for path in machine_files(self.cloud) if path.startswith("snapshots/")], [], "copies of disks")
            self.client.delete(f"/image/v2/images/{self.image}")

    def claims_must_be(self, memory):
        """Of memory, besides the bystander's."""
        admin = self.cloud.admin()
        provider = admin.get("/placement/resource_providers").json["resource_providers"][0]["uuid"]
        claims = admin.get(f"/placement/resource_providers/{provider}/allocations").json["allocations"]
        admin.close()
        claims.pop(self.bystander.server)
        expect(sorted(claim["resources"]["MEMORY_MB"] for claim in claims.values()), sorted(memory), "claims of memory")

    def clear(self):
        self.server = self.bystander.server
        self.delete()
        until("the bystander to be gone", lambda: self.show() is None, DEADLINE)
