"""Every answer of Compute against the schema that Nova itself has for it, at every microversion at which one begins.

A walk through the API makes one of everything and reads it back at each of those microversions.
"""

import collections
import os
import pathlib
import re
import time

from harness import Client, Cloud, Failure, password_login, say, ADMIN_PROJECT
from nova_reference import NovaReference

DEADLINE = 30


def source():
    """Where the package `nova` is: none of it is run but its schemas, so nothing that it depends on is needed."""
    if "NOVA_SOURCE" in os.environ:
        return pathlib.Path(os.environ["NOVA_SOURCE"])
    import importlib.util

    found = importlib.util.find_spec("nova")
    if not found:
        raise Failure("nova's source is not installed")
    return pathlib.Path(found.submodule_search_locations[0]).parent


class Witness(Client):
    """Holds each answer of Compute against Nova's schema."""

    minor = 1

    def __init__(self, host, port, account):
        super().__init__(host, port)
        self.account = account

    def call(self, method, path, body=None, headers=None, status=None):
        if not path.startswith("/compute"):
            return super().call(method, path, body, headers, status)
        headers = {"OpenStack-API-Version": f"compute 2.{self.minor}"} | (headers or {})
        answer = super().call(method, path, body, headers, status)
        self.account.judge(self.minor, method, path, body, answer)
        return answer


class Account:
    def __init__(self, reference):
        self.reference = reference
        self.seen = collections.Counter()
        self.wrong = {}

    def judge(self, minor, method, path, body, answer):
        bare = re.sub(r"^/[0-9a-f]{32}/", "/", path.removeprefix("/compute/v2.1").split("?")[0])
        action = next(iter(body)) if isinstance(body, dict) and bare.endswith("/action") else None
        found = self.reference.find(method, bare, action)
        if found is None:
            if answer.status < 300 and method in ("GET", "POST", "PUT") and bare:
                self.wrong.setdefault(f"{method} {bare} {action or ''}", f"2.{minor}: no schema is known for it")
            return
        module, name = found
        case = f"{module} {name[0]}.{name[1]}"
        if answer.status >= 500:
            self.wrong.setdefault(case, f"2.{minor}: {method} {path}: {answer}")
        if answer.status >= 300:
            return
        schema = self.reference.schema(module, name, minor)
        if schema is None:
            self.wrong.setdefault(case, f"2.{minor}: {method} {path} was answered and has no schema there")
            return
        self.seen[case] += 1
        content = answer.json if answer.content else None
        if problems := self.reference.problems(schema, content):
            self.wrong.setdefault(case, f"2.{minor}: {method} {path}: {'; '.join(problems[:6])} in {answer.content[:700].decode()}")


class Walk:
    def __init__(self, cloud, account):
        self.api = Witness(*cloud.host_and_port, account)
        token = self.api.log_in(password_login("admin", cloud.password(), ADMIN_PROJECT))
        self.project = token["project"]["id"]
        self.reads = []
        self.ids = {}

    def compute(self, method, path, body=None, status=None, minor=None):
        if minor is not None:
            self.api.minor = minor
        answer = self.api.call(method, "/compute/v2.1" + path, body, status=status)
        return answer.json if answer.content else None

    def wait(self, server, status):
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            shown = self.compute("GET", f"/servers/{server}")["server"]
            if shown["status"] == status and shown["OS-EXT-STS:task_state"] is None:
                return
            if shown["status"] == "ERROR" != status:
                raise Failure(f"the server is in error: {shown.get('fault')}")
            time.sleep(0.05)
        raise Failure(f"the server did not become {status}")

    # MARK: Steps

    def things(self):
        """What servers need, and the nouns without servers."""
        image = self.api.post(
            "/image/v2/images", {"name": "i", "disk_format": "raw", "container_format": "bare", "os_distro": "x"}).json["id"]
        self.api.call("PUT", f"/image/v2/images/{image}/file", b"\0" * 512, {"Content-Type": "application/octet-stream"}, 204)
        network = self.api.post("/network/v2.0/networks", {"network": {"name": "n"}}).json["network"]["id"]
        self.api.post("/network/v2.0/subnets", {"subnet": {"network_id": network, "ip_version": 4, "cidr": "10.9.0.0/24"}})
        outside = self.api.post("/network/v2.0/networks", {"network": {"name": "out", "router:external": True}}).json["network"]["id"]
        self.api.post("/network/v2.0/subnets", {"subnet": {"network_id": outside, "ip_version": 4, "cidr": "192.0.2.0/24"}})
        self.ids |= {"image": image, "network": network}
        for name, ram in (("small", 128), ("large", 256)):
            body = {"flavor": {"id": name, "name": name, "ram": ram, "vcpus": 1, "disk": 1, "description": "d"}}
            self.compute("POST", "/flavors", body, 200, minor=55)
            self.compute("PUT", f"/flavors/{name}", {"flavor": {"description": "e"}}, 200)
        self.compute("POST", "/flavors/small/os-extra_specs", {"extra_specs": {"hw:cpu_policy": "shared"}}, 200)
        self.compute("PUT", "/flavors/small/os-extra_specs/hw:cpu_policy", {"hw:cpu_policy": "shared"}, 200)
        self.compute("POST", "/flavors", {"flavor": {"id": "own", "name": "own", "ram": 1, "vcpus": 1, "disk": 1,
                                                     "os-flavor-access:is_public": False}}, 200)
        self.compute("POST", "/flavors/own/action", {"addTenantAccess": {"tenant": self.project}}, 200)
        self.compute("POST", "/os-keypairs", {"keypair": {"name": "old"}}, 200, minor=1)
        self.compute("POST", "/os-keypairs", {"keypair": {"name": "key", "type": "ssh"}}, 201, minor=2)
        self.compute("POST", "/os-keypairs", {"keypair": {"name": "certificate", "type": "x509"}}, 201)
        group = self.compute("POST", "/os-server-groups", {"server_group": {"name": "g", "policies": ["affinity"]}}, 200, minor=15)
        self.compute("POST", "/os-server-groups", {"server_group": {"name": "h", "policy": "anti-affinity"}}, 200, minor=64)
        group = group["server_group"]["id"]
        aggregate = self.compute("POST", "/os-aggregates", {"aggregate": {"name": "a", "availability_zone": "z"}}, 200, minor=1)
        aggregate = aggregate["aggregate"]["id"]
        self.compute("POST", f"/os-aggregates/{aggregate}/action", {"add_host": {"host": "host-1"}}, 200)
        self.compute("POST", f"/os-aggregates/{aggregate}/action", {"set_metadata": {"metadata": {"k": "v"}}}, 200)
        self.compute("PUT", f"/os-aggregates/{aggregate}", {"aggregate": {"name": "b"}}, 200)
        self.reads += [
            "/flavors", "/flavors/detail", "/flavors?limit=1", "/flavors/small", "/flavors/own/os-flavor-access",
            "/flavors/small/os-extra_specs", "/flavors/small/os-extra_specs/hw:cpu_policy",
            "/os-keypairs", "/os-keypairs?limit=1", "/os-keypairs/key", "/os-keypairs/certificate",
            "/os-server-groups", f"/os-server-groups/{group}", "/os-aggregates", f"/os-aggregates/{aggregate}",
            "/os-availability-zone", "/os-availability-zone/detail", "/limits", "/limits?reserved=1", "/extensions", "/extensions/os-hosts",
            f"/os-quota-sets/{self.project}", f"/os-quota-sets/{self.project}/detail", f"/os-quota-sets/{self.project}/defaults",
            "/os-quota-class-sets/default", "/os-services", "/os-hosts", "/os-hosts/host-1", "/os-hypervisors", "/os-hypervisors/detail",
            "/os-hypervisors/statistics", "/os-hypervisors/1", "/os-hypervisors/1/uptime", "/os-hypervisors/host-1/search",
            "/os-hypervisors/host-1/servers", "/os-migrations", "/os-simple-tenant-usage?detailed=1", "/os-simple-tenant-usage",
            f"/os-simple-tenant-usage/{self.project}", "/os-instance_usage_audit_log", "/os-instance_usage_audit_log/2026-01-02%2003:04:05",
            "/images", "/images/detail", f"/images/{image}", f"/images/{image}/metadata", f"/images/{image}/metadata/os_distro",
            "/os-networks", f"/os-networks/{network}", "/os-tenant-networks", f"/os-tenant-networks/{network}", "/os-floating-ip-pools",
            "/os-floating-ips", "/os-security-groups",
        ]

    def changes(self):
        """What is changed, at every microversion at which its answer may be another."""
        services = self.compute("GET", "/os-services", minor=1)["services"]
        for minor in self.api.account.reference.breaks():
            self.compute("PUT", f"/os-quota-sets/{self.project}", {"quota_set": {"cores": 20}}, 200, minor=minor)
            self.compute("PUT", "/os-quota-class-sets/default", {"quota_class_set": {"cores": 20}}, 200)
            self.compute("PUT", "/os-services/" + ("disable" if minor < 53 else self.service(services)),
                         {"binary": "nova-compute", "host": "host-2"} if minor < 53 else {"status": "disabled"}, 200)
            self.compute("PUT", "/os-services/" + ("enable" if minor < 53 else self.service(services)),
                         {"binary": "nova-compute", "host": "host-2"} if minor < 53 else {"status": "enabled"}, 200)
            if minor < 36:
                group = self.compute("POST", "/os-security-groups", {"security_group": {"name": f"g{minor}", "description": "d"}}, 200)
                group = group["security_group"]["id"]
                rule = {"parent_group_id": group, "ip_protocol": "tcp", "from_port": 22, "to_port": 22, "cidr": "10.0.0.0/8"}
                self.compute("POST", "/os-security-group-rules", {"security_group_rule": rule}, 200)
                rule = {"parent_group_id": group, "group_id": group}
                self.compute("POST", "/os-security-group-rules", {"security_group_rule": rule}, 200)
                self.compute("PUT", f"/os-security-groups/{group}", {"security_group": {"name": f"h{minor}", "description": "e"}}, 200)
                self.compute("GET", f"/os-security-groups/{group}", status=200)
                self.compute("DELETE", f"/os-security-groups/{group}", status=202)
                address = self.compute("POST", "/os-floating-ips", {"pool": "out"}, 200)["floating_ip"]["id"]
                self.compute("GET", f"/os-floating-ips/{address}", status=200)
                self.compute("DELETE", f"/os-floating-ips/{address}", status=202)

    def service(self, services):
        new = self.api.call("GET", "/compute/v2.1/os-services", headers={"OpenStack-API-Version": "compute 2.53"}).json["services"]
        return next(entry["id"] for entry in new if entry["host"] == "host-2")

    def server_body(self, minor):
        body = {"name": "s", "imageRef": self.ids["image"], "flavorRef": "small", "networks": [{"uuid": self.ids["network"]}],
                "key_name": "key", "metadata": {"k": "v"}, "config_drive": True, "user_data": "YQ=="}
        if minor >= 52:
            body["tags"] = ["t"]
        return {"server": body, "os:scheduler_hints": {"group": self.ids["group"]}} if "group" in self.ids else {"server": body}

    def server(self):
        """One server, and all that is read of it."""
        made = self.compute("POST", "/servers", self.server_body(104), 202, minor=104)
        server = self.ids["server"] = made["server"]["id"]
        self.wait(server, "ACTIVE")
        failed = self.server_body(104)
        failed["server"]["flavorRef"] = "huge"
        self.compute("POST", "/flavors", {"flavor": {"id": "huge", "name": "huge", "ram": 1, "vcpus": 1, "disk": 100000}}, 200)
        failed = self.compute("POST", "/servers", failed, 202)["server"]["id"]
        self.wait(failed, "ERROR")
        path = f"/servers/{server}"
        port = self.compute("GET", path + "/os-interface")["interfaceAttachments"][0]["port_id"]
        action = self.compute("GET", path + "/os-instance-actions")["instanceActions"][0]["request_id"]
        self.reads += [
            "/servers", "/servers/detail", "/servers?limit=1", "/servers/detail?limit=1", path, f"/servers/{failed}", path + "/metadata",
            path + "/metadata/k", path + "/tags", path + "/ips", path + "/ips/n", path + "/os-interface", f"{path}/os-interface/{port}",
            path + "/os-instance-actions", f"{path}/os-instance-actions/{action}", path + "/diagnostics", path + "/os-security-groups",
            path + "/topology", path + "/migrations", path + "/os-server-password", "/servers/detail?deleted=true&all_tenants=1",
        ]

    def volumes(self):
        """The server's volumes, and Block Storage's volumes and snapshots under their old names."""
        path = f"/servers/{self.ids['server']}"
        volume = self.compute("POST", "/os-volumes", {"volume": {"size": 1, "display_name": "v"}}, 200, minor=1)["volume"]["id"]
        self.until("the volume is there", lambda: self.volume(volume)["status"] == "available")
        of_server = f"{path}/os-volume_attachments/{volume}"
        for minor in self.api.account.reference.breaks():
            wish = {"volumeId": volume} | ({"tag": "t"} if minor >= 49 else {})
            self.compute("POST", path + "/os-volume_attachments", {"volumeAttachment": wish}, (200, 202), minor=minor)
            self.until("the volume is in use", lambda: self.volume(volume)["status"] == "in-use")
            self.compute("GET", path + "/os-volume_attachments", status=200)
            self.compute("GET", of_server, status=200)
            if minor >= 85:
                change = {"volumeId": volume, "delete_on_termination": False}
                self.compute("PUT", of_server, {"volumeAttachment": change}, 202)
            if minor >= 51:
                event = {"server_uuid": self.ids["server"], "name": "volume-extended", "tag": volume}
                self.compute("POST", "/os-server-external-events", {"events": [event]}, 200)
                action = self.compute("GET", path + "/os-instance-actions")["instanceActions"][0]
                self.compute("GET", f"{path}/os-instance-actions/{action['request_id']}", status=200)
            if minor < 36:
                self.older_volumes(volume)
            self.until("the server lets it go", lambda: self.api.delete(f"/compute/v2.1{of_server}", None).status == 202)
            self.until("the volume is free", lambda: self.volume(volume)["status"] == "available")
        self.compute("DELETE", f"/os-volumes/{volume}", status=202, minor=35)

    def older_volumes(self, volume):
        snapshot = {"volume_id": volume, "force": True, "display_name": "s"}
        snapshot = self.compute("POST", "/os-snapshots", {"snapshot": snapshot}, 200)["snapshot"]["id"]
        made = {"size": 1, "metadata": {"k": "v"}, "display_description": "d"}
        made = self.compute("POST", "/os-volumes", {"volume": made}, 200)["volume"]["id"]
        for path in ("/os-volumes", "/os-volumes/detail", "/os-volumes?limit=1&offset=1", f"/os-volumes/{volume}",
                     f"/os-volumes/{made}", "/os-snapshots", "/os-snapshots/detail", f"/os-snapshots/{snapshot}"):
            self.compute("GET", path, status=200)
        shown = f"/compute/v2.1/os-snapshots/{snapshot}"
        self.until("the snapshot is taken", lambda: self.api.get(shown).json["snapshot"]["status"] == "available")
        self.until("the volume is there", lambda: self.volume(made)["status"] == "available")
        self.compute("DELETE", f"/os-volumes/{made}", status=202)
        self.compute("DELETE", f"/os-snapshots/{snapshot}", status=202)
        self.until("the snapshot is gone", lambda: self.api.get(shown, None).status == 404)

    def volume(self, volume):
        return self.api.get(f"/volume/v3/volumes/{volume}").json["volume"]

    def reading(self):
        """Everything that is there, at each microversion. What a microversion does not have is not found there."""
        for minor in self.api.account.reference.breaks():
            for path in self.reads:
                if path.startswith("/os-hypervisors/1"):
                    path = path.replace("/1", "/" + self.hypervisor(minor), 1)
                self.compute("GET", path, status=(200, 404, 400), minor=minor)

    def hypervisor(self, minor):
        entries = self.api.call("GET", "/compute/v2.1/os-hypervisors", headers={"OpenStack-API-Version": f"compute 2.{minor}"}).json
        return str(entries["hypervisors"][0]["id"])

    def parts(self):
        for minor in (1, 26, 49, 70, 104):
            path = f"/servers/{self.ids['server']}"
            self.compute("POST", path + "/metadata", {"metadata": {"a": "b"}}, 200, minor=minor)
            self.compute("PUT", path + "/metadata", {"metadata": {"k": "v"}}, 200)
            self.compute("PUT", path + "/metadata/k", {"meta": {"k": "w"}}, 200)
            if minor >= 26:
                self.compute("PUT", path + "/tags", {"tags": ["a"]}, 200)
            port = self.compute("POST", path + "/os-interface", {"interfaceAttachment": {"net_id": self.ids["network"]}}, 200)
            port = port["interfaceAttachment"]["port_id"]
            self.until("the port is active", lambda: self.interfaces(path).get(port) == "ACTIVE")
            self.until("it can be detached", lambda: self.api.delete(f"/compute/v2.1{path}/os-interface/{port}", None).status == 202)
            self.until("the port is gone", lambda: port not in self.interfaces(path))
            event = {"server_uuid": self.ids["server"], "name": "network-changed"}
            self.compute("POST", "/os-server-external-events", {"events": [event]}, 200)

    def interfaces(self, path):
        return {entry["port_id"]: entry["port_state"] for entry in self.compute("GET", path + "/os-interface")["interfaceAttachments"]}

    def until(self, what, condition):
        end = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > end:
                raise Failure(f"it does not happen that {what}")
            time.sleep(0.05)

    def updates(self):
        for minor in self.api.account.reference.breaks():
            self.compute("PUT", f"/servers/{self.ids['server']}", {"server": {"name": f"s{minor}"}}, 200, minor=minor)

    def actions(self):
        """Every action, with the answer that it has."""
        server = self.ids["server"]
        for minor in (1, 44, 45, 54, 57, 63, 71, 73, 75, 90, 96, 98, 100, 104):
            def act(body, wanted="ACTIVE", status=202):
                answer = self.compute("POST", f"/servers/{server}/action", body, status, minor=minor)
                if wanted:
                    self.wait(server, wanted)
                return answer

            act({"rebuild": {"imageRef": self.ids["image"]}})
            act({"createImage": {"name": "c"}})
            act({"createBackup": {"name": "b", "backup_type": "daily", "rotation": 1}})
            act({"os-getConsoleOutput": {"length": 2}}, None, 200)
            act({"lock": None}, None)
            act({"unlock": None}, None)
        minor = 104
        for body, wanted in (
            ({"os-stop": None}, "SHUTOFF"), ({"os-start": None}, "ACTIVE"), ({"reboot": {"type": "SOFT"}}, "ACTIVE"),
            ({"reboot": {"type": "HARD"}}, "ACTIVE"), ({"pause": None}, "PAUSED"), ({"unpause": None}, "ACTIVE"),
            ({"suspend": None}, "SUSPENDED"), ({"resume": None}, "ACTIVE"), ({"resize": {"flavorRef": "large"}}, "VERIFY_RESIZE"),
            ({"revertResize": None}, "ACTIVE"),
            ({"removeSecurityGroup": {"name": "default"}}, "ACTIVE"), ({"addSecurityGroup": {"name": "default"}}, "ACTIVE"),
            ({"os-resetState": {"state": "active"}}, "ACTIVE"),
        ):
            self.compute("POST", f"/servers/{server}/action", body, 202, minor=minor)
            self.wait(server, wanted)
        # Simulated guests have no agent that would hear of a password.
        self.compute("POST", f"/servers/{server}/action", {"changePassword": {"adminPass": "p"}}, (202, 409))
        self.compute("POST", f"/servers/{server}/action", {"resize": {"flavorRef": "large"}}, 202)
        self.wait(server, "VERIFY_RESIZE")
        self.compute("POST", f"/servers/{server}/action", {"confirmResize": None}, 204)
        self.wait(server, "ACTIVE")

    def moves(self):
        """To other hosts, off them, and away from the own disk."""
        server = self.ids["server"]
        live = {"host": None, "block_migration": False}
        for minor, body, status, wanted in (
            (1, {"migrate": None}, 202, "VERIFY_RESIZE"), (1, {"revertResize": None}, 202, "ACTIVE"),
            (56, {"migrate": {"host": None}}, 202, "VERIFY_RESIZE"), (56, {"confirmResize": None}, 204, "ACTIVE"),
            (1, {"os-migrateLive": live | {"disk_over_commit": False}}, 202, "ACTIVE"), (25, {"os-migrateLive": live}, 202, "ACTIVE"),
            (30, {"os-migrateLive": live | {"force": False}}, 202, "ACTIVE"),
            (68, {"os-migrateLive": live | {"block_migration": "auto"}}, 202, "ACTIVE"),
            (1, {"rescue": None}, 200, "RESCUE"), (1, {"unrescue": None}, 202, "ACTIVE"),
            (87, {"rescue": {"adminPass": "p", "rescue_image_ref": self.ids["image"]}}, 200, "RESCUE"), (87, {"unrescue": None}, 202, "ACTIVE"),
            (1, {"shelve": None}, 202, "SHELVED_OFFLOADED"), (1, {"unshelve": None}, 202, "ACTIVE"),
            (77, {"shelve": None}, 202, "SHELVED_OFFLOADED"), (77, {"unshelve": {"availability_zone": "nova"}}, 202, "ACTIVE"),
            (91, {"shelve": None}, 202, "SHELVED_OFFLOADED"),
            (91, {"unshelve": {"availability_zone": None, "host": "host-1"}}, 202, "ACTIVE"),
        ):
            self.compute("POST", f"/servers/{server}/action", body, status, minor=minor)
            self.wait(server, wanted)

    def creating(self):
        """A server is made, and made again, at each microversion at which the body or the answer is another."""
        for minor in (1, 19, 32, 37, 42, 52, 57, 63, 67, 74, 90, 94, 104):
            made = self.compute("POST", "/servers", self.server_body(minor), 202, minor=minor)["server"]["id"]
            self.compute("DELETE", f"/servers/{made}", status=204)

    def older_urls(self):
        """The project in the URL, as it stood there once."""
        shown = self.api.call("GET", f"/compute/v2.1/{self.project}/flavors/small", status=200).json["flavor"]
        if f"/v2.1/{self.project}/flavors/small" not in shown["links"][0]["href"]:
            raise Failure(f"the links leave the project out: {shown['links']}")
        self.api.call("GET", "/compute/v2.1/0123456789abcdef0123456789abcdef/flavors", status=400)

    STEPS = [things, changes, server, volumes, reading, parts, updates, actions, moves, reading, creating, older_urls]


def run(binary, report):
    reference = NovaReference(source())
    with Cloud(binary) as cloud:
        account = Account(reference)
        walk = Walk(cloud, account)
        for step in Walk.STEPS:
            with report.case(f"walk: {step.__name__.replace('_', ' ')}"):
                step(walk)
        for name, why in sorted(account.wrong.items()):
            report.fail(name, why)
        for case in reference.cases() - set(account.seen):
            report.fail(case, "no answer came by that its schema could be held against")
        report.pass_(len(set(account.seen) - set(account.wrong)))
        say(f"  {len(account.seen)} methods' schemas held against {sum(account.seen.values())} answers")
        if report.failures:
            print(cloud.tail(20))
