"""What is done to a cloud whose state becomes a release's example: some of everything, and then many things at once."""

import base64
import time
from concurrent.futures import ThreadPoolExecutor

from harness import Failure, password_login

SERVERS = "/compute/v2.1/servers"
COMPUTE = "/compute/v2.1"
NETWORK = "/network/v2.0"
IMAGES = "/image/v2/images"
NEW = {"X-OpenStack-Nova-API-Version": "2.96"}
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
DEADLINE = 30
# Makes what hosts do take fifty times as long: something is always under way.
SLOW = {"simulate:fault": "slow"}
SECRET = "the-password-of-{}"


def until(what, ask):
    deadline = time.monotonic() + DEADLINE
    while not (found := ask()):
        if time.monotonic() > deadline:
            raise Failure(f"in vain: {what}")
        time.sleep(0.1)
    return found


# A state that a server rests in: what is done to it after its creation, each with the status that it ends with.
REST = {
    "active": [],
    "shutoff": [("stop", "SHUTOFF")],
    "paused": [("pause", "PAUSED")],
    "suspended": [("suspend", "SUSPENDED")],
    "rescued": [("rescue", "RESCUE")],
    "shelved": [("shelve", "SHELVED")],
    "offloaded": [("shelve", "SHELVED"), ("offload", "SHELVED_OFFLOADED")],
    "resized": [("resize", "VERIFY_RESIZE")],
    "deleted": [("delete", None)],
}

# An action that is under way when the process is killed: how the server rests before, and what it comes to in the end.
UNDER_WAY = {
    "delete": ("active", None),
    "resize": ("active", "VERIFY_RESIZE"),
    "migrate": ("active", "VERIFY_RESIZE"),
    "confirm": ("resized", "ACTIVE"),
    "revert": ("resized", "ACTIVE"),
    "live": ("active", "ACTIVE"),
    "snapshot": ("active", "ACTIVE"),
    "backup": ("active", "ACTIVE"),
    "rebuild": ("active", "ACTIVE"),
    "attach": ("active", "ACTIVE"),
    "detach": ("active", "ACTIVE"),
    "shelve": ("active", "SHELVED"),
    "offload": ("shelved", "SHELVED_OFFLOADED"),
    "unshelve": ("offloaded", "ACTIVE"),
    "rescue": ("active", "RESCUE"),
    "unrescue": ("rescued", "ACTIVE"),
    "start": ("shutoff", "ACTIVE"),
    "stop": ("active", "SHUTOFF"),
    "reboot": ("active", "ACTIVE"),
    "reboot-hard": ("active", "ACTIVE"),
    "pause": ("active", "PAUSED"),
    "unpause": ("paused", "ACTIVE"),
    "suspend": ("active", "SUSPENDED"),
    "resume": ("suspended", "ACTIVE"),
}

# The kinds of workflows that must be there, not ended, at the kill.
KINDS = {
    "confirm": "confirm-resize", "revert": "revert-resize", "live": "live-migrate", "attach": "attach-interface",
    "detach": "detach-interface", "offload": "shelve-offload",
}  # fmt: skip


class Story:
    def __init__(self, cloud, mirror):
        self.cloud, self.mirror = cloud, mirror
        self.admin = cloud.admin()
        self.kinds = {f"compute.server.{KINDS.get(name, name)}" for name in UNDER_WAY} | {"compute.server.create", "images.import"}
        # By name: what is asked of the cloud that opens this.
        self.servers = {}
        self.ids = {}
        self.expected = {"passwords": {"admin": cloud.password(), "demo": cloud.password("demo")}}

    # What rests

    def settled(self):
        self.accounts()
        self.images()
        self.networks()
        self.compute()
        for name in REST:
            self.create(f"rests-{name}")
        self.create("rests-error", {"simulate:fault": "boot-fails"})
        for name in UNDER_WAY:
            self.create(f"on-{name}", SLOW)
        self.wait("rests-error", "ERROR")
        self.bring({f"on-{name}": rest for name, (rest, _) in UNDER_WAY.items()} | {f"rests-{name}": name for name in REST})
        self.expose()
        self.expected["lists"] = {path: self.rows(path, *spec) for path, spec in LISTS.items()}

    def make(self, client, path, noun, status=201, **members):
        made = client.post(path, {noun: members}, (200, status)).json[noun]
        if "name" in made and "id" in made:
            self.ids[f"{noun}/{made['name']}"] = made["id"]
        return made["id"] if "id" in made else made

    def accounts(self):
        a = self.admin
        works = self.make(a, "/v3/projects", "project", name="works", tags=["one", "two"], description="it's \"quoted\" é")
        self.make(a, "/v3/projects", "project", name="works-below", parent_id=works)
        guild = self.make(a, "/v3/domains", "domain", name="guild", description="another")
        self.make(a, "/v3/projects", "project", name="guild-hall", domain_id=guild, enabled=False)
        alice = self.make(a, "/v3/users", "user", name="alice", password=SECRET.format("alice"), email="alice@example.org",
                          options={"ignore_lockout_failure_attempts": True})
        bob = self.make(a, "/v3/users", "user", name="bob", password=SECRET.format("bob"), default_project_id=works)
        self.make(a, "/v3/users", "user", name="carol", domain_id=guild, enabled=False)
        group = self.make(a, "/v3/groups", "group", name="masons")
        a.put(f"/v3/groups/{group}/users/{bob}")
        known = {role["name"]: role["id"] for role in a.get("/v3/roles").json["roles"]}
        worker = self.make(a, "/v3/roles", "role", name="worker")
        self.make(a, "/v3/roles", "role", name="guild-worker", domain_id=guild)
        a.put(f"/v3/roles/{worker}/implies/{known['reader']}", status=201)
        for user in (alice, bob):
            a.put(f"/v3/projects/{works}/users/{user}/roles/{known['member']}")
        a.put(f"/v3/projects/{works}/users/{alice}/roles/{known['manager']}")
        a.put(f"/v3/projects/{works}/groups/{group}/roles/{worker}")
        a.put(f"/v3/domains/default/users/{alice}/roles/{known['reader']}")
        a.put(f"/v3/OS-INHERIT/domains/default/groups/{group}/roles/{worker}/inherited_to_projects")
        a.put(f"/v3/system/users/{bob}/roles/{known['reader']}")
        self.alice = self.log_in("alice")
        self.delegated(alice, bob, works, known)
        self.catalogue()
        # A token that was taken back stays so.
        gone = self.log_in("bob")
        a.delete("/v3/auth/tokens", headers={"X-Subject-Token": gone.token})
        self.expected |= {"project": works, "revoked": gone.token, "alice": {"id": alice, "password": SECRET.format("alice")}}

    def log_in(self, name):
        client = self.cloud.client()
        client.log_in(password_login(name, SECRET.format(name), {"project": {"name": "works", "domain": {"id": "default"}}}))
        return client

    def delegated(self, alice, bob, works, known):
        rules = [{"service": "compute", "method": "GET", "path": "/v2.1/servers/**"}, {"service": "identity", "method": "GET", "path": "/v3/**"}]
        made = {}
        for name, members in {"plain": {}, "ruled": {"access_rules": rules}, "free": {"unrestricted": True}}.items():
            body = {"application_credential": {"name": name, "secret": f"the-secret-of-{name}"} | members}
            made[name] = self.alice.post(f"/v3/users/{alice}/application_credentials", body).json["application_credential"]["id"]
        trust = {"trustor_user_id": alice, "trustee_user_id": bob, "project_id": works, "impersonation": False, "roles": [{"name": "member"}]}
        trust = self.alice.post("/v3/OS-TRUST/trusts", {"trust": trust}).json["trust"]["id"]
        ec2 = self.alice.post(f"/v3/users/{alice}/credentials/OS-EC2", {"tenant_id": works}).json["credential"]
        a = self.admin
        for kind, blob in {"totp": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "cert": "a sealed certificate"}.items():
            self.make(a, "/v3/credentials", "credential", user_id=bob, type=kind, blob=blob)
        a.post("/v3/OS-OAUTH1/consumers", {"consumer": {"description": "a consumer"}})
        self.expected |= {"applicationCredentials": made, "trust": trust, "ec2": {"access": ec2["access"], "secret": ec2["secret"]}}

    def catalogue(self):
        a = self.admin
        self.make(a, "/v3/regions", "region", id="west", description="another")
        service = self.make(a, "/v3/services", "service", name="swift", type="object-store")
        self.make(a, "/v3/endpoints", "endpoint", service_id=service, interface="public", region_id="west", url="http://swift.test/v1/$(project_id)s")
        a.post("/v3/OS-EP-FILTER/endpoint_groups", {"endpoint_group": {"name": "public ones", "filters": {"interface": "public"}}})
        glance = a.get("/v3/services?type=image").json["services"][0]["id"]
        a.post("/v3/registered_limits", {"registered_limits": [{"service_id": glance, "resource_name": "image_count_total", "default_limit": 500}]})
        limit = {"service_id": glance, "resource_name": "image_count_total", "project_id": self.ids["project/works"], "resource_limit": 400}
        a.post("/v3/limits", {"limits": [limit]})
        a.post("/v3/policies", {"policy": {"type": "application/json", "blob": "{}"}})

    def image(self, name, data=None, **members):
        body = {"name": name, "disk_format": "raw", "container_format": "bare"} | members
        image = self.alice.post(IMAGES, body).json["id"]
        self.ids[f"image/{name}"] = image
        if data is not None:
            self.alice.put(f"{IMAGES}/{image}/file", data, headers={"Content-Type": "application/octet-stream"})
        return image

    def images(self):
        self.disk = b"a disk of a release\n" * 50
        self.base = self.image("base", self.disk, os_distro="novella", hw_disk_bus="virtio", tags=["first"], min_ram=1)
        self.other = self.image("other", b"another disk\n" * 70)
        self.image("queued")
        self.image("protected", b"kept", protected=True)
        shared = self.image("shared", b"for others", visibility="shared")
        self.alice.post(f"{IMAGES}/{shared}/members", {"member": self.ids["project/works-below"]}, 200)
        off = self.image("deactivated", b"off")
        self.admin.post(f"{IMAGES}/{off}/actions/deactivate", status=204)
        self.staged = self.image("half-imported")
        self.alice.put(f"{IMAGES}/{self.staged}/stage", b"staged before the kill", headers={"Content-Type": "application/octet-stream"})
        self.fetched = self.image("half-fetched")
        names = {"base": self.disk, "other": b"another disk\n" * 70, "protected": b"kept", "shared": b"for others", "half-imported": b"staged before the kill"}
        self.expected["data"] = {self.ids[f"image/{name}"]: base64.b64encode(data).decode() for name, data in names.items()}
        a = self.admin
        definitions = "/image/v2/metadefs/namespaces"
        property_ = {"type": "integer", "title": "Weight", "minimum": 1}
        a.post(definitions, {"namespace": "Release::Things", "display_name": "Things", "visibility": "public", "description": "of a release"})
        a.post(f"{definitions}/Release::Things/properties", {"name": "weight"} | property_)
        a.post(f"{definitions}/Release::Things/objects", {"name": "Stone", "properties": {"weight": property_}})
        a.post(f"{definitions}/Release::Things/tags/heavy")
        a.post(f"{definitions}/Release::Things/resource_types", {"name": "OS::Glance::Image", "prefix": "thing:"})

    def networks(self):
        c, a = self.alice, self.admin
        scope = self.make(c, f"{NETWORK}/address-scopes", "address_scope", name="scope", ip_version=4)
        pool = self.make(c, f"{NETWORK}/subnetpools", "subnetpool", name="pool", prefixes=["10.64.0.0/16"], default_prefixlen=24, address_scope_id=scope)
        self.private = self.make(c, f"{NETWORK}/networks", "network", name="inside", mtu=1400, description="within")
        subnet = self.make(c, f"{NETWORK}/subnets", "subnet", name="inside-4", network_id=self.private, ip_version=4, subnetpool_id=pool,
                           dns_nameservers=["192.0.2.53"], host_routes=[{"destination": "192.0.2.0/24", "nexthop": "10.64.0.9"}])
        self.make(c, f"{NETWORK}/subnets", "subnet", name="inside-6", network_id=self.private, ip_version=6, cidr="fd00:64::/64", ipv6_address_mode="slaac",
                  ipv6_ra_mode="slaac")
        self.second = self.make(c, f"{NETWORK}/networks", "network", name="second")
        self.make(c, f"{NETWORK}/subnets", "subnet", name="second-4", network_id=self.second, ip_version=4, cidr="10.20.0.0/24")
        self.outside = self.make(a, f"{NETWORK}/networks", "network", **{"name": "outside", "router:external": True})
        self.make(a, f"{NETWORK}/subnets", "subnet", name="outside-4", network_id=self.outside, ip_version=4, cidr="203.0.113.0/24", enable_dhcp=False)
        router = self.make(c, f"{NETWORK}/routers", "router", name="door", external_gateway_info={"network_id": self.outside})
        c.put(f"{NETWORK}/routers/{router}/add_router_interface", {"subnet_id": subnet}, 200)
        group = self.make(c, f"{NETWORK}/security-groups", "security_group", name="web", description="of a release")
        for members in ({"protocol": "tcp", "port_range_min": 80, "port_range_max": 443}, {"remote_group_id": group}, {"protocol": "icmp", "remote_ip_prefix": "0.0.0.0/0"}):
            c.post(f"{NETWORK}/security-group-rules", {"security_group_rule": {"security_group_id": group, "direction": "ingress", "ethertype": "IPv4"} | members})
        self.make(a, f"{NETWORK}/address-groups", "address_group", name="office", addresses=["198.51.100.0/24"])
        share = {"object_type": "network", "object_id": self.second, "action": "access_as_shared", "target_tenant": self.ids["project/works-below"]}
        c.post(f"{NETWORK}/rbac-policies", {"rbac_policy": share})
        self.make(c, f"{NETWORK}/ports", "port", name="spare", network_id=self.private, allowed_address_pairs=[{"ip_address": "10.64.0.200"}])
        c.post(f"{NETWORK}/floatingips", {"floatingip": {"floating_network_id": self.outside, "description": "spare"}})
        c.put(f"{NETWORK}/networks/{self.second}/tags/red", status=201)

    def compute(self):
        a, project = self.admin, self.ids["project/works"]
        quota = {"instances": 200, "cores": 400, "ram": 400_000, "server_groups": 12}
        a.put(f"{COMPUTE}/os-quota-sets/{project}", {"quota_set": quota}, 200)
        a.put(f"{NETWORK}/quotas/{project}", {"quota": {"port": 600, "network": 60}}, 200)
        for name, ram in (("tiny", 64), ("larger", 128)):
            self.make(a, f"{COMPUTE}/flavors", "flavor", name=f"release-{name}", ram=ram, vcpus=1, disk=1, swap=1)
        a.post(f"{COMPUTE}/flavors/{self.ids['flavor/release-tiny']}/os-extra_specs", {"extra_specs": {"hw:cpu_policy": "shared"}}, 200)
        own = self.make(a, f"{COMPUTE}/flavors", "flavor", **{"name": "release-own", "ram": 64, "vcpus": 1, "disk": 0, "os-flavor-access:is_public": False})
        a.post(f"{COMPUTE}/flavors/{own}/action", {"addTenantAccess": {"tenant": project}}, 200)
        key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJJz0SQVwMvIkCcYtY8NBfiQ2U0uF0v4vSX5u2dKXYqE alice"
        self.alice.post(f"{COMPUTE}/os-keypairs", {"keypair": {"name": "alice", "public_key": key, "type": "ssh"}}, (200, 201), headers=NEW)
        group = {"server_group": {"name": "apart", "policy": "soft-anti-affinity"}}
        self.group = self.alice.post(f"{COMPUTE}/os-server-groups", group, 200, headers=NEW).json["server_group"]["id"]
        aggregate = a.post(f"{COMPUTE}/os-aggregates", {"aggregate": {"name": "row-1", "availability_zone": "north"}}, 200).json["aggregate"]["id"]
        a.post(f"{COMPUTE}/os-aggregates/{aggregate}/action", {"add_host": {"host": "host-1"}}, 200)
        a.post(f"{COMPUTE}/os-aggregates/{aggregate}/action", {"set_metadata": {"metadata": {"rack": "1"}}}, 200)

    # Servers

    def create(self, name, metadata=None):
        body = {"name": name, "flavorRef": self.ids["flavor/release-tiny"], "imageRef": self.base, "key_name": "alice"}
        body |= {"networks": [{"uuid": self.private}], "security_groups": [{"name": "web"}], "metadata": {"of": "release"} | (metadata or {})}
        body |= {"tags": ["released"], "description": f"it {name}", "user_data": base64.b64encode(b"#!/bin/sh\n").decode()}
        hints = {"group": self.group} if name.startswith("rests-active") else {}
        self.servers[name] = self.another(self.alice).post(SERVERS, {"server": body, "os:scheduler_hints": hints}, 202, headers=NEW).json["server"]["id"]

    def another(self, client):
        """A second connection of the same user: several are at work at the end."""
        other = self.cloud.client()
        other.token = client.token
        return other

    def import_(self, image, method):
        self.another(self.alice).post(f"{IMAGES}/{image}/import", {"method": method}, 202)

    def show(self, name):
        answer = self.alice.get(f"{SERVERS}/{self.servers[name]}", (200, 404), headers=NEW)
        return answer.json["server"] if answer.status == 200 else None

    def wait(self, name, status):
        def has_come():
            shown = self.show(name)
            if shown and shown["status"] == "ERROR" and status != "ERROR":
                raise Failure(f"{name}: {shown.get('fault')}")
            self.seen = shown and (shown["status"], shown["OS-EXT-STS:task_state"], shown.get("fault"))
            return shown is None if status is None else shown and shown["status"] == status and shown["OS-EXT-STS:task_state"] is None

        try:
            until(f"{name} is {status}", has_come)
        except Failure as failure:
            actions = self.alice.get(f"{SERVERS}/{self.servers[name]}/os-instance-actions", headers=NEW).json["instanceActions"]
            raise Failure(f"{failure}: it is {self.seen}, after {actions[:2]}\n{self.cloud.tail(20)}") from None

    def bring(self, wanted):
        """Brings each server, by name, to the state in which it is to rest; all of them step by step."""
        for name in wanted:
            self.wait(name, "ACTIVE")
        for number in range(max(len(steps) for steps in REST.values())):
            now = {name: REST[rest][number] for name, rest in wanted.items() if number < len(REST[rest])}
            for name, (action, _) in now.items():
                self.act(name, action)
            for name, (_, status) in now.items():
                self.wait(name, status)

    def act(self, name, action):
        admin = action in ("migrate", "live", "offload")
        client, path = self.another(self.admin if admin else self.alice), f"{SERVERS}/{self.servers[name]}"
        larger = self.ids["flavor/release-larger"]
        body = {
            "stop": {"os-stop": None}, "start": {"os-start": None}, "pause": {"pause": None}, "unpause": {"unpause": None},
            "suspend": {"suspend": None}, "resume": {"resume": None}, "rescue": {"rescue": {}}, "unrescue": {"unrescue": None},
            "shelve": {"shelve": None}, "offload": {"shelveOffload": None}, "unshelve": {"unshelve": None},
            "resize": {"resize": {"flavorRef": larger}}, "confirm": {"confirmResize": None}, "revert": {"revertResize": None},
            "migrate": {"migrate": None}, "live": {"os-migrateLive": {"host": None, "block_migration": "auto"}},
            "snapshot": {"createImage": {"name": f"copy of {name}"}}, "rebuild": {"rebuild": {"imageRef": self.other}},
            "backup": {"createBackup": {"name": f"backup of {name}", "backup_type": "daily", "rotation": 1}},
            "reboot": {"reboot": {"type": "SOFT"}}, "reboot-hard": {"reboot": {"type": "HARD"}},
        }.get(action)  # fmt: skip
        if action == "delete":
            client.delete(path, headers=NEW)
        elif action == "attach":
            # The answer waits for nothing but the rows.
            client.post(f"{path}/os-interface", {"interfaceAttachment": {"net_id": self.second}}, 200, headers=NEW)
        elif action == "detach":
            port = client.get(f"{path}/os-interface", headers=NEW).json["interfaceAttachments"][0]["port_id"]
            client.delete(f"{path}/os-interface/{port}", 202, headers=NEW)
        else:
            client.post(f"{path}/action", body, (200, 202, 204), headers=NEW)

    def expose(self):
        port = self.alice.get(f"{NETWORK}/ports?device_id={self.servers['rests-active']}").json["ports"][0]["id"]
        self.alice.post(f"{NETWORK}/floatingips", {"floatingip": {"floating_network_id": self.outside, "port_id": port}})

    # What is under way at the end

    def begin(self):
        """Returns while everything that it has begun is under way."""
        rests = {name: steps[-1][1] if steps else "ACTIVE" for name, steps in REST.items()} | {"error": "ERROR"}
        finals = {f"rests-{name}": status for name, status in rests.items()} | {f"on-{name}": end for name, (_, end) in UNDER_WAY.items()}
        self.create("on-create", SLOW)
        self.create("on-create-fails", {"simulate:fault": "slow,boot-fails"})
        self.create("on-create-and-delete", SLOW)
        finals |= {"on-create": "ACTIVE", "on-create-fails": "ERROR", "on-create-and-delete": None}
        jobs = [lambda name=name: self.act(f"on-{name}", name) for name in UNDER_WAY if name != "confirm"]
        # Nobody answers there when it is gone on with.
        method = {"name": "web-download", "uri": self.mirror.url}
        jobs.insert(0, lambda: self.act("on-create-and-delete", "delete"))
        jobs.insert(0, lambda: self.import_(self.fetched, method))
        for number in range(12):
            name = f"on-waiting-{number}"
            jobs.append(lambda name=name: self.create(name, SLOW))
            finals[name] = "ACTIVE"
        # All at once: the first must not have ended when the last begins. The last find every place taken.
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(lambda job: job(), jobs))
        # So do these, which are done in no time.
        self.act("on-confirm", "confirm")
        self.import_(self.staged, {"name": "glance-direct"})
        self.expected["servers"] = [{"id": self.servers[name], "name": name, "status": status} for name, status in sorted(finals.items())]
        images = {"half-imported": "active", "half-fetched": "queued", "base": "active", "queued": "queued", "deactivated": "deactivated"}
        self.expected["images"] = {self.ids[f"image/{name}"]: status for name, status in images.items()}
        self.expected["copies"] = ["copy of on-snapshot", "backup of on-backup"]

    # What is there

    def rows(self, path, list_, *names):
        found = self.admin.get(path, headers=NEW).json
        for part in list_.split("."):
            found = found[part]
        return {"list": list_, "rows": [{name: without_links(row[name]) for name in names if name in row} for row in found]}


def without_links(value):
    return {name: part for name, part in value.items() if name != "links"} if isinstance(value, dict) else value


# Lists as the administrator reads them: where the rows are, and which of their members must stay as they are.
LISTS = {
    "/v3/domains": ("domains", "id", "name", "description", "enabled"),
    "/v3/projects": ("projects", "id", "name", "description", "enabled", "domain_id", "parent_id", "tags"),
    "/v3/users": ("users", "id", "name", "enabled", "domain_id", "email", "options", "default_project_id"),
    "/v3/groups": ("groups", "id", "name", "domain_id"),
    "/v3/roles": ("roles", "id", "name", "domain_id"),
    "/v3/role_inferences": ("role_inferences", "prior_role"),
    "/v3/role_assignments": ("role_assignments", "role", "scope", "user", "group"),
    "/v3/credentials": ("credentials", "id", "type", "blob", "user_id", "project_id"),
    "/v3/OS-TRUST/trusts": ("trusts", "id", "trustor_user_id", "trustee_user_id", "project_id", "impersonation", "expires_at"),
    "/v3/OS-OAUTH1/consumers": ("consumers", "id", "description"),
    "/v3/OS-EP-FILTER/endpoint_groups": ("endpoint_groups", "id", "name", "filters"),
    "/v3/policies": ("policies", "id", "type", "blob"),
    "/v3/regions": ("regions", "id", "description", "parent_region_id"),
    "/v3/services": ("services", "id", "type", "enabled"),
    "/v3/endpoints?region_id=west": ("endpoints", "id", "interface", "url", "service_id"),
    "/v3/registered_limits": ("registered_limits", "id", "resource_name", "default_limit", "service_id"),
    "/v3/limits": ("limits", "id", "resource_name", "resource_limit", "project_id"),
    "/image/v2/images?limit=100": ("images", "id", "name", "owner", "visibility", "protected", "min_ram", "tags", "os_distro", "disk_format"),
    "/image/v2/metadefs/namespaces/Release::Things/objects": ("objects", "name", "properties"),
    "/image/v2/metadefs/namespaces/Release::Things/tags": ("tags", "name"),
    "/image/v2/metadefs/namespaces/Release::Things/resource_types": ("resource_type_associations", "name", "prefix"),
    f"{NETWORK}/networks": ("networks", "id", "name", "mtu", "description", "shared", "router:external", "provider:segmentation_id", "tags"),
    f"{NETWORK}/subnets": ("subnets", "id", "name", "cidr", "gateway_ip", "dns_nameservers", "host_routes", "subnetpool_id", "allocation_pools"),
    f"{NETWORK}/subnetpools": ("subnetpools", "id", "name", "prefixes", "address_scope_id"),
    f"{NETWORK}/address-scopes": ("address_scopes", "id", "name", "ip_version"),
    f"{NETWORK}/routers": ("routers", "id", "name", "external_gateway_info"),
    f"{NETWORK}/floatingips": ("floatingips", "id", "floating_ip_address", "fixed_ip_address", "port_id", "description"),
    f"{NETWORK}/security-groups": ("security_groups", "id", "name", "description", "project_id"),
    f"{NETWORK}/security-group-rules": (
        "security_group_rules", "id", "security_group_id", "direction", "ethertype", "protocol", "port_range_min", "remote_ip_prefix", "remote_group_id",
    ),
    f"{NETWORK}/address-groups": ("address_groups", "id", "name", "addresses"),
    f"{NETWORK}/rbac-policies": ("rbac_policies", "id", "object_id", "action", "target_tenant"),
    f"{NETWORK}/ports?name=spare": ("ports", "id", "mac_address", "fixed_ips", "allowed_address_pairs"),
    f"{COMPUTE}/flavors/detail?is_public=none": ("flavors", "id", "name", "ram", "vcpus", "disk", "swap", "extra_specs", "os-flavor-access:is_public"),
    f"{COMPUTE}/os-server-groups?all_projects=true": ("server_groups", "id", "name", "policy", "members"),
    f"{COMPUTE}/os-aggregates": ("aggregates", "uuid", "name", "hosts", "metadata", "availability_zone"),
}  # fmt: skip
