"""Which request each of Nova's samples belongs to, what has to be there before it, and what is left out and why."""

import dataclasses
import typing


@dataclasses.dataclass(frozen=True)
class Case:
    """A request, by the names of its samples. What depends on the microversion is a dictionary by the one at which it begins."""

    resource: str
    call: str | dict
    answer: str | None = None
    request: str | None = None
    status: int | dict = 200
    # What the server is in before; afterwards it is brought back to ACTIVE, unless it is not settled.
    state: str | None = None
    is_settled: bool = True
    before: typing.Callable | None = None
    after: typing.Callable | None = None
    # What is changed of a request's body besides the ids.
    edit: typing.Callable | None = None
    # The microversions that have it; those at which the form changes without a sample; those that alone are tried.
    first: int = 1
    last: int = 104
    breaks: tuple = ()
    at: tuple = ()
    # Whose token: "sample" is a member's if the sample has not what only administrators see.
    who: str = "admin"
    is_open: bool = False
    is_empty: bool = True

    def _of(self, value, minor):
        return value[max(begin for begin in value if begin <= minor)] if isinstance(value, dict) else value

    @property
    def method(self):
        return self._of(self.call, 104).split()[0]

    def place(self, minor):
        return self._of(self.call, minor).split()[1]

    def code(self, minor):
        return self._of(self.status, minor)

    def by_member(self, sample):
        return self.who == "member" or (self.who == "sample" and "'OS-EXT-SRV-ATTR:host'" not in str(sample))


def reads(resource, answers, **more):
    return [Case(resource, "GET " + place if isinstance(place, str) else place, answer, **more) for answer, place in answers.items()]


def action(resource, request, answer=None, status=202, state="ACTIVE", **more):
    return Case(resource, "POST /servers/{server}/action", answer, request, status, state, **more)


# MARK: Before and after


def delete(place):
    return lambda world, answer, minor: world.compute("DELETE", world.put_in(minor, place), status=(200, 202, 204), minor=minor)


def delete_made(path, noun):
    return lambda world, answer, minor: answer.status < 300 and world.compute(
        "DELETE", f"{path}/{answer.json[noun]['id']}", status=(200, 202, 204))


def own_server(status="ACTIVE", **more):
    def before(world, minor):
        world.ids["server"] = world.spawn(**more)
        world.set(status)
    return before


def delete_own_server(world, answer, minor):
    world.compute("DELETE", f"/servers/{world.ids['server']}", status=(204, 404))


def delete_servers(world, answer, minor):
    """Those that were made, whether the answer names them or not."""
    if answer.status < 300 and "server" in answer.json:
        made = answer.json["server"]["id"]
        world.wait(made, "ACTIVE")
        if made not in world.kept:
            world.compute("DELETE", f"/servers/{made}", status=204)
    for entry in world.compute("GET", "/servers?name=new-server-test", status=200, minor=100)["servers"]:
        if entry["id"] not in world.kept:
            # Gone already, perhaps, as it was being deleted when the list was made.
            world.compute("DELETE", f"/servers/{entry['id']}", status=(204, 404))


def delete_servers_with_volumes(world, answer, minor):
    delete_servers(world, answer, minor)
    delete_volumes(world, answer, minor)


def made_volume(world, minor):
    made = {"size": 1, "name": "Volume Name", "description": "Volume Description"}
    world.ids["volume"] = world.api.post("/volume/v3/volumes", {"volume": made}, 202).json["volume"]["id"]
    world.until("the volume is there", lambda: world.volume(world.ids["volume"])["status"] == "available")


def attached_volume(world, minor):
    made_volume(world, minor)
    wish = {"volumeId": world.ids["volume"], "device": "/dev/sdb", "tag": "foo", "delete_on_termination": True}
    path = f"/servers/{world.ids['server']}/os-volume_attachments"
    world.compute("POST", path, {"volumeAttachment": wish}, 202, minor=104)
    world.until("the volume is in use", lambda: world.volume(world.ids["volume"])["status"] == "in-use")


def made_snapshot(world, minor):
    made_volume(world, minor)
    made = {"volume_id": world.ids["volume"], "name": "snap-001", "description": "Daily backup"}
    world.ids["snapshot"] = world.api.post("/volume/v3/snapshots", {"snapshot": made}, 202).json["snapshot"]["id"]


def delete_volumes(world, answer, minor):
    """All volumes and all snapshots that there are, also those that the server has."""
    path = f"/servers/{world.ids['server']}/os-volume_attachments"
    for entry in world.compute("GET", path, minor=104)["volumeAttachments"]:
        place = f"/compute/v2.1{path}/{entry['volumeId']}"
        world.until("the server lets the volume go", lambda: world.api.delete(place, None).status in (202, 404))
    for noun in ("snapshots", "volumes"):
        for entry in world.api.get(f"/volume/v3/{noun}").json[noun]:
            place = f"/volume/v3/{noun}/{entry['id']}"
            world.until("it can be deleted", lambda: world.api.delete(place, None).status in (202, 404))
        world.until(f"there are no {noun}", lambda: not world.api.get(f"/volume/v3/{noun}").json[noun])


def small_volume(body, minor, world):
    """The zone and the size of the sample's volume are of a larger cloud."""
    body["volume"] |= {"availability_zone": "nova", "size": 1}
    return body


def another_volume(body, minor, world):
    """A volume that the server does not have takes the place of its own."""
    body["volumeAttachment"]["volumeId"] = world.ids["second"]
    return body


def own_attachment(body, minor, world):
    """What is told of the attachment besides is what it has."""
    if "id" in body["volumeAttachment"]:
        body["volumeAttachment"]["id"] = world.ids["volume"]
    return body


def scratch_aggregate(*hosts):
    def before(world, minor):
        made = world.compute("POST", "/os-aggregates", {"aggregate": {"name": "name", "availability_zone": "london"}}, 200, minor=1)
        world.ids["scratch"] = made["aggregate"]["id"]
        for host in hosts:
            world.compute("POST", f"/os-aggregates/{world.ids['scratch']}/action", {"add_host": {"host": host}}, 200)
    return before


def delete_scratch_aggregate(world, answer, minor):
    path = f"/os-aggregates/{world.ids['scratch']}"
    for host in world.compute("GET", path, minor=1)["aggregate"]["hosts"]:
        world.compute("POST", path + "/action", {"remove_host": {"host": host}}, 200)
    world.compute("DELETE", path, status=200)


def flavor_ten(public, *accesses):
    def before(world, minor):
        body = {"id": "10", "name": "test_flavor", "ram": 1024, "vcpus": 2, "disk": 10, "os-flavor-access:is_public": public}
        world.compute("POST", "/flavors", {"flavor": body}, 200, minor=1)
        for project in accesses:
            world.compute("POST", "/flavors/10/action", {"addTenantAccess": {"tenant": world.put_in(1, project)}}, 200)
    return before


def service_up(world, answer, minor):
    world.compute("PUT", "/os-services/" + world.services[world.ids["host"]], {"status": "enabled", "forced_down": False}, 200, minor=53)


def lost_host(world, minor):
    """The server's host is held for lost; the request names the other."""
    world.ids["server"] = world.spawn()
    world.ids["host"] = world.other_host()
    lost = "host-1" if world.ids["host"] == "host-2" else "host-2"
    world.compute("PUT", "/os-services/" + world.services[lost], {"forced_down": True}, 200, minor=53)


def found_host(world, answer, minor):
    world.until("the server is at rest", lambda: world.shown()["OS-EXT-STS:task_state"] is None)
    for service in world.services.values():
        world.compute("PUT", "/os-services/" + service, {"forced_down": False}, 200, minor=53)
    delete_own_server(world, answer, minor)


def elsewhere(world, minor):
    world.ids["host"] = world.other_host()


def made_port(world, minor):
    world.ids["port"] = world.api.post("/network/v2.0/ports", {"port": {"network_id": world.ids["network"]}}).json["port"]["id"]


def detached(world, answer, minor):
    if answer.status < 300:
        port = answer.json["interfaceAttachment"]["port_id"]
        path = f"/servers/{world.ids['server']}"
        world.until("the port is active", lambda: world.interfaces(path).get(port) == "ACTIVE")
        world.until("it can be detached", lambda: world.api.delete(f"/compute/v2.1{path}/os-interface/{port}", None).status == 202)
        world.until("the port is gone", lambda: port not in world.interfaces(path))


def made_floating(world, minor):
    made = world.compute("POST", "/os-floating-ips", {"pool": "public"}, 200, minor=1)["floating_ip"]
    world.ids |= {"floating": made["id"], "address": made["ip"]}


def associated_floating(world, minor):
    made_floating(world, minor)
    world.compute("POST", f"/servers/{world.ids['server']}/action", {"addFloatingIp": {"address": world.ids["address"]}}, 202)


def delete_floating(world, answer, minor):
    world.compute("DELETE", f"/os-floating-ips/{world.ids['floating']}", status=202, minor=1)


def delete_all_floating(world, answer, minor):
    for entry in world.compute("GET", "/os-floating-ips", minor=1)["floating_ips"]:
        world.compute("DELETE", f"/os-floating-ips/{entry['id']}", status=202)


def second_address(world, minor):
    own_server()(world, minor)
    world.compute("POST", f"/servers/{world.ids['server']}/action", {"addFixedIp": {"networkId": world.ids["network"]}}, 202, minor=1)
    world.ids["address"] = world.shown()["addresses"]["private"][-1]["addr"]


def with_group(world, minor):
    world.compute("POST", f"/servers/{world.ids['server']}/action", {"addSecurityGroup": {"name": "test"}}, 202, minor=1)


def fixed_address(world, minor):
    made_floating(world, minor)
    world.ids["fixed_address"] = world.shown()["addresses"]["private"][0]["addr"]


def unlocked(world, answer, minor):
    world.compute("POST", f"/servers/{world.ids['server']}/action", {"unlock": None}, 202)


def locked(world, minor):
    world.compute("POST", f"/servers/{world.ids['server']}/action", {"lock": None}, 202, minor=1)


def rescued(world, minor):
    own_server()(world, minor)
    world.compute("POST", f"/servers/{world.ids['server']}/action", {"rescue": {}}, 200, minor=1)
    world.wait(world.ids["server"], "RESCUE")


def tagged(world, minor):
    world.compute("PUT", f"/servers/{world.ids['server']}/tags", {"tags": ["tag1", "tag2"]}, 200, minor=26)


def near(world, minor):
    """The zone that samples ask for is that of the server beside which they want another."""
    world.ids["zone"] = world.shown()["OS-EXT-AZ:availability_zone"]


def taken(body, minor, world):
    """Two samples have what Nova's own schemas do not take at their microversions, and no test sends them: files, and no networks."""
    if minor >= 57:
        body["server"].pop("personality", None)
    if minor >= 37:
        body["server"].setdefault("networks", [{"uuid": world.ids["network"]}])
    return body


def known_event(body, minor, world):
    """The sample's event has a name that only Nova's tests know."""
    body["events"][0]["name"] = "network-changed"
    return body


def in_zone(zone, host):
    def before(world, minor):
        own_server("SHELVED_OFFLOADED")(world, minor)
        world.ids["host"] = host
    return before


# MARK: Without servers

TIMES = "start=2026-01-01T00:00:00&end=2099-01-01T00:00:00"

WITHOUT_SERVERS = [
    *reads("versions", {"versions-get-resp": "raw:/compute/", "v21-version-get-resp": "raw:/compute/v2.1/"}),
    *reads("versions", {"v2-version-get-resp": "raw:/compute/v2/"}, at=(1,)),
    *reads("extension-info", {"extensions-list-resp": "/extensions", "extensions-get-resp": "/extensions/os-agents"}),
    Case("os-aggregates", "POST /os-aggregates", "aggregate-post-resp", "aggregate-post-req",
         after=delete_made("/os-aggregates", "aggregate")),
    *reads("os-aggregates", {"aggregates-list-get-resp": "/os-aggregates", "aggregates-get-resp": "/os-aggregates/{aggregate}"}),
    *[
        Case("os-aggregates", "POST /os-aggregates/{scratch}/action", answer, request, before=before, after=delete_scratch_aggregate)
        for answer, request, before in (
            ("aggregates-add-host-post-resp", "aggregate-add-host-post-req", scratch_aggregate()),
            ("aggregates-remove-host-post-resp", "aggregate-remove-host-post-req", scratch_aggregate("host-2")),
            ("aggregates-metadata-post-resp", "aggregate-metadata-post-req", scratch_aggregate()),
        )
    ],
    Case("os-aggregates", "PUT /os-aggregates/{scratch}", "aggregate-update-post-resp", "aggregate-update-post-req",
         before=scratch_aggregate(), after=delete_scratch_aggregate),
    Case("os-aggregates", "POST /os-aggregates/{scratch}/images", None, "aggregate-images-post-req", 202,
         before=scratch_aggregate("host-2"), after=delete_scratch_aggregate),
    *reads("flavors", {"flavors-list-resp": "/flavors", "flavors-detail-resp": "/flavors/detail", "flavor-get-resp": "/flavors/1"}),
    Case("flavor-manage", "POST /flavors", "flavor-create-post-resp", "flavor-create-post-req", after=delete("/flavors/10")),
    Case("flavor-manage", "PUT /flavors/1", "flavor-update-resp", "flavor-update-req"),
    Case("flavor-access", "POST /flavors", None, "flavor-create-req", after=delete("/flavors/10"), is_empty=False),
    Case("flavor-access", "POST /flavors/10/action", "flavor-access-add-tenant-resp", "flavor-access-add-tenant-req", {1: 200, 7: 409},
         before=flavor_ten(False), after=delete("/flavors/10"), last=6),
    # Nobody needs access to what is public.
    Case("flavor-access", "POST /flavors/10/action", None, "flavor-access-add-tenant-req", 409,
         before=flavor_ten(True), after=delete("/flavors/10"), first=7, is_empty=False),
    Case("flavor-access", "POST /flavors/10/action", "flavor-access-remove-tenant-resp", "flavor-access-remove-tenant-req",
         before=flavor_ten(False, "{project}", "{other_project}"), after=delete("/flavors/10")),
    Case("flavor-access", "GET /flavors/10/os-flavor-access", "flavor-access-list-resp",
         before=flavor_ten(False, "{project}"), after=delete("/flavors/10")),
    Case("flavor-extra-specs", "POST /flavors/2/os-extra_specs", "flavor-extra-specs-create-resp", "flavor-extra-specs-create-req"),
    *reads("flavor-extra-specs", {"flavor-extra-specs-list-resp": "/flavors/2/os-extra_specs",
                                  "flavor-extra-specs-get-resp": "/flavors/2/os-extra_specs/hw:numa_nodes"}),
    Case("flavor-extra-specs", "PUT /flavors/2/os-extra_specs/hw:numa_nodes", "flavor-extra-specs-update-resp",
         "flavor-extra-specs-update-req", after=delete("/flavors/2/os-extra_specs/hw:numa_nodes")),
    Case("os-keypairs", "POST /os-keypairs", "keypairs-post-resp", "keypairs-post-req", {1: 200, 2: 201},
         after=lambda world, answer, minor: delete_key(world, answer), last=91),
    # From 2.92 on a key must be brought along.
    Case("os-keypairs", "POST /os-keypairs", None, "keypairs-post-req", 400, first=92, is_empty=False),
    Case("os-keypairs", "POST /os-keypairs", "keypairs-import-post-resp", "keypairs-import-post-req", {1: 200, 2: 201},
         after=lambda world, answer, minor: delete_key(world, answer)),
    *reads("os-keypairs", {
        "keypairs-list-resp": {1: "GET /os-keypairs", 35: "GET /os-keypairs?limit=1"}, "keypairs-get-resp": "/os-keypairs/new-key",
        "keypairs-list-user1-resp": "/os-keypairs?user_id={admin}",
        "keypairs-list-user2-resp": "/os-keypairs?user_id={admin}&limit=1"}),
    *reads("limits", {"limit-get-resp": "/limits"}),
    *reads("os-quota-sets", {
        "quotas-show-get-resp": "/os-quota-sets/{other_project}",
        "quotas-show-defaults-get-resp": "/os-quota-sets/{other_project}/defaults",
        "quotas-show-detail-get-resp": "/os-quota-sets/{other_project}/detail",
        "user-quotas-show-get-resp": "/os-quota-sets/{other_project}?user_id={user}"}),
    *[
        Case("os-quota-sets", f"PUT /os-quota-sets/{{other_project}}{of}", f"{kind}-post-resp", f"{kind}-post-req")
        for kind, of in (("quotas-update", ""), ("quotas-update-force", ""), ("user-quotas-update", "?user_id={user}"))
    ],
    *reads("os-quota-class-sets", {"quota-classes-show-get-resp": "/os-quota-class-sets/test_class"}),
    Case("os-quota-class-sets", "PUT /os-quota-class-sets/test_class", "quota-classes-update-post-resp", "quota-classes-update-post-req"),
    *reads("os-services", {"services-list-get-resp": "/os-services"}),
    *[
        Case("os-services", {1: f"PUT /os-services/{old}", 53: "PUT /os-services/{service}"}, f"service-{stem}-put-resp",
             f"service-{stem}-put-req", after=service_up)
        for stem, old in (("disable", "disable"), ("disable-log", "disable-log-reason"), ("enable", "enable"),
                          ("force-down", "force-down"))
    ],
    *reads("os-hosts", {"hosts-list-resp": "/os-hosts", "host-get-resp": "/os-hosts/host-1"}, last=42),
    *reads("os-availability-zone", {"availability-zone-list-resp": "/os-availability-zone",
                                    "availability-zone-detail-resp": "/os-availability-zone/detail"}),
    Case("os-server-groups", "POST /os-server-groups", "server-groups-post-resp", "server-groups-post-req",
         after=delete_made("/os-server-groups", "server_group")),
    Case("servers", "POST /os-server-groups", "server-groups-post-resp", "server-groups-post-req",
         after=delete_made("/os-server-groups", "server_group")),
    *reads("os-server-groups", {"server-groups-list-resp": "/os-server-groups", "server-groups-get-resp": "/os-server-groups/{group}"}),
    *reads("images", {"images-list-get-resp": "/images", "images-details-get-resp": "/images/detail",
                      "image-get-resp": "/images/{image}"}, last=35),
    *reads("images", {"image-metadata-get-resp": "/images/{changed_image}/metadata",
                      "image-meta-key-get": "/images/{changed_image}/metadata/kernel_id"}, last=38),
    Case("images", "POST /images/{changed_image}/metadata", "image-metadata-post-resp", "image-metadata-post-req", last=38),
    Case("images", "PUT /images/{changed_image}/metadata", "image-metadata-put-resp", "image-metadata-put-req", last=38),
    Case("images", "PUT /images/{changed_image}/metadata/auto_disk_config", "image-meta-key-put-resp",
         "image-meta-key-put-req", last=38),
    *reads("os-networks", {"networks-list-resp": "/os-networks", "network-show-resp": "/os-networks/{network}"}, last=35),
    *reads("os-tenant-networks", {"networks-list-res": "/os-tenant-networks"}, last=35),
    *reads("os-floating-ip-pools", {"floatingippools-list-resp": "/os-floating-ip-pools"}, last=35),
    *reads("os-floating-ips", {"floating-ips-list-empty-resp": "/os-floating-ips"}, last=35),
    Case("os-floating-ips", "POST /os-floating-ips", "floating-ips-create-resp", "floating-ips-create-req", last=35,
         after=delete_all_floating),
    *reads("os-floating-ips", {"floating-ips-list-resp": "/os-floating-ips", "floating-ips-get-resp": "/os-floating-ips/{floating}"},
           last=35, before=made_floating, after=delete_floating),
    *reads("os-security-groups", {"security-groups-list-get-resp": "/os-security-groups",
                                  "security-groups-get-resp": "/os-security-groups/{security_group}"}, last=35),
    Case("os-security-groups", "POST /os-security-groups", "security-groups-create-resp", "security-group-post-req", last=35,
         after=delete_made("/os-security-groups", "security_group")),
    Case("os-security-groups", "POST /os-security-group-rules", "security-group-rules-post-resp",
         "security-group-rules-post-req", last=35, after=delete_made("/os-security-group-rules", "security_group_rule")),
    *reads("os-instance-usage-audit-log", {
        "inst-usage-audit-log-index-get-resp": "/os-instance_usage_audit_log",
        "inst-usage-audit-log-show-get-resp": "/os-instance_usage_audit_log/2026-01-02%2003:04:05"}),
    *reads("os-hypervisors", {"hypervisors-without-servers-resp": {1: "GET /os-hypervisors/host-1/servers",
                                                                   53: "GET /os-hypervisors?with_servers=true"}}, at=(1, 52, 53, 74)),
]


def delete_key(world, answer):
    if answer.status < 300:
        made = answer.json["keypair"]
        of = f"?user_id={made['user_id']}" if made["user_id"] != world.ids["admin"] else ""
        world.compute("DELETE", f"/os-keypairs/{made['name'].replace(' ', '%20')}{of}", status=204, minor=10)


# MARK: With servers


def servers(world):
    """One server that all reads are of, a second beside it on the other host, and a history for both."""
    body = {"server": {
        "name": "new-server-test", "imageRef": world.ids["image"], "flavorRef": "6", "networks": [{"uuid": world.ids["network"]}],
        "metadata": {"foo": "Foo Value"}, "accessIPv4": "1.2.3.4", "accessIPv6": "80fe::", "tags": ["tag1", "tag2"],
        "user_data": "IyEvYmluL2Jhc2gK", "key_name": "new-key", "description": "d"}}
    for name, host in (("server", "host-1"), ("second", "host-2")):
        body = {"server": body["server"] | {"host": host}, "os:scheduler_hints": {"group": world.ids["group"]}}
        world.ids[name] = world.compute("POST", "/servers", body, 202, minor=100)["server"]["id"]
        world.wait(world.ids[name], "ACTIVE")
    world.kept = {world.ids["server"], world.ids["second"]}
    for state in ("VERIFY_RESIZE", "ACTIVE", "SHUTOFF", "ACTIVE"):
        world.set(state)
    live = {"os-migrateLive": {"host": None, "block_migration": "auto"}}
    # There and back, so that each host has one of them.
    for _ in range(2):
        world.compute("POST", f"/servers/{world.ids['server']}/action", live, 202, minor=25)
        world.wait(world.ids["server"], "ACTIVE")
    path = f"/servers/{world.ids['server']}"
    world.ids["migration"] = world.compute("GET", "/os-migrations", minor=59)["migrations"][0]["uuid"]
    world.ids["request"] = world.compute("GET", path + "/os-instance-actions")["instanceActions"][0]["request_id"]
    world.ids["attached"] = world.compute("GET", path + "/os-interface")["interfaceAttachments"][0]["port_id"]


HYPERVISORS = {
    "hypervisors-list-resp": {1: "GET /os-hypervisors", 33: "GET /os-hypervisors?limit=1"},
    "hypervisors-detail-resp": {1: "GET /os-hypervisors/detail", 33: "GET /os-hypervisors/detail?limit=1"},
    "hypervisors-show-resp": "/os-hypervisors/{hypervisor}",
    "hypervisors-show-with-servers-resp": "/os-hypervisors/{hypervisor}?with_servers=1",
    "hypervisors-detail-with-servers-resp": "/os-hypervisors/detail?with_servers=1",
    "hypervisors-search-resp": {1: "GET /os-hypervisors/host-1/search", 53: "GET /os-hypervisors?hypervisor_hostname_pattern=host-1"},
    "hypervisors-with-servers-resp": {1: "GET /os-hypervisors/host-1/servers", 53: "GET /os-hypervisors?with_servers=true"},
}

WITH_SERVERS = [
    *reads("os-hypervisors", HYPERVISORS),
    *reads("os-hypervisors", {"hypervisors-statistics-resp": "/os-hypervisors/statistics",
                              "hypervisors-uptime-resp": "/os-hypervisors/{hypervisor}/uptime"}, last=87),
    *reads("servers", {"servers-list-resp": "/servers?limit=1",
                       "servers-list-status-resp": "/servers?limit=1&status=active&status=error",
                       "servers-list-with-changes-before": "/servers?changes-before=2099-01-01T00:00:00Z"}),
    *reads("servers", {"servers-details-resp": {1: "GET /servers/detail?limit=1", 73: "GET /servers/detail",
                                                90: "GET /servers/detail?limit=1"},
                       "server-get-resp": "/servers/{server}"}, breaks=(26,), who="sample"),
    *reads("servers", {"servers-details-with-changes-before": "/servers/detail?changes-before=2099-01-01T00:00:00Z"}, breaks=(73,),
           who="sample"),
    *reads("servers-sort", {"server-sort-keys-list-resp": "/servers?sort_key=display_name&sort_dir=asc"}),
    *reads("os-server-tags", {"server-tags-index-resp": "/servers/{server}/tags"}),
    *reads("os-server-tags", {"servers-tags-details-resp": "/servers/detail", "server-tags-show-details-resp": "/servers/{server}"},
           breaks=(47,), who="sample"),
    Case("os-server-tags", "PUT /servers/{server}/tags", "server-tags-put-all-resp", "server-tags-put-all-req"),
    Case("server-metadata", "PUT /servers/{server}/metadata", "server-metadata-all-resp", "server-metadata-all-req"),
    Case("server-metadata", "POST /servers/{server}/metadata", "server-metadata-all-resp", "server-metadata-all-req"),
    *reads("server-metadata", {"server-metadata-all-resp": "/servers/{server}/metadata",
                               "server-metadata-resp": "/servers/{server}/metadata/foo"}),
    Case("server-metadata", "PUT /servers/{server}/metadata/foo", "server-metadata-resp", "server-metadata-req"),
    *reads("server-ips", {"server-ips-resp": "/servers/{server}/ips", "server-ips-network-resp": "/servers/{server}/ips/private"}),
    *reads("os-attach-interfaces", {"attach-interfaces-list-resp": "/servers/{server}/os-interface",
                                    "attach-interfaces-show-resp": "/servers/{server}/os-interface/{attached}"}),
    Case("os-attach-interfaces", "POST /servers/{server}/os-interface", "attach-interfaces-create-resp", "attach-interfaces-create-req",
         state="ACTIVE", before=made_port, after=detached),
    Case("os-attach-interfaces", "POST /servers/{server}/os-interface", "attach-interfaces-create-resp",
         "attach-interfaces-create-net_id-req", state="ACTIVE", after=detached),
    *reads("os-instance-actions", {
        "instance-actions-list-resp": "/servers/{server}/os-instance-actions",
        "instance-action-get-resp": "/servers/{server}/os-instance-actions/{request}",
        "instance-actions-list-with-limit-resp": "/servers/{server}/os-instance-actions?limit=1",
        "instance-actions-list-with-marker-resp": "/servers/{server}/os-instance-actions?marker={request}",
        "instance-actions-list-with-changes-since": "/servers/{server}/os-instance-actions?changes-since=2020-01-01T00:00:00Z",
        "instance-actions-list-with-changes-before": "/servers/{server}/os-instance-actions?changes-before=2099-01-01T00:00:00Z"}),
    *reads("os-instance-actions", {"instance-action-get-non-admin-resp": "/servers/{server}/os-instance-actions/{request}"},
           who="member"),
    *reads("os-migrations", {
        "migrations-get": "/os-migrations", "migrations-get-with-limit": "/os-migrations?limit=1",
        "migrations-get-with-marker": "/os-migrations?marker={migration}",
        "migrations-get-with-changes-since": "/os-migrations?changes-since=2020-01-01T00:00:00Z",
        "migrations-get-with-changes-before": "/os-migrations?changes-before=2099-01-01T00:00:00Z",
        "migrations-get-with-user-or-project-id": "/os-migrations?user_id={admin}&project_id={project}"}),
    *reads("os-simple-tenant-usage", {
        "simple-tenant-usage-get": {1: f"GET /os-simple-tenant-usage?{TIMES}", 40: f"GET /os-simple-tenant-usage?{TIMES}&limit=1"},
        "simple-tenant-usage-get-all": f"/os-simple-tenant-usage?{TIMES}&detailed=1",
        "simple-tenant-usage-get-detail": {1: f"GET /os-simple-tenant-usage?{TIMES}&detailed=1",
                                           40: f"GET /os-simple-tenant-usage?{TIMES}&detailed=1&limit=1"},
        "simple-tenant-usage-get-specific": {1: f"GET /os-simple-tenant-usage/{{project}}?{TIMES}",
                                             40: f"GET /os-simple-tenant-usage/{{project}}?{TIMES}&limit=1"}}),
    Case("os-server-diagnostics", "GET /servers/{server}/diagnostics", "server-diagnostics-get-resp", at=(1, 47), is_open=True),
    Case("os-server-diagnostics", "GET /servers/{server}/diagnostics", "server-diagnostics-get-resp", first=48),
    *reads("os-server-topology", {"servers-topology-resp": "/servers/{server}/topology"}),
    *reads("os-server-topology", {"servers-topology-resp-user": "/servers/{server}/topology"}, who="member"),
    *reads("os-security-groups", {"server-security-groups-list-resp": "/servers/{server}/os-security-groups"}),
    *reads("os-server-password", {"get-password-resp": "/servers/{server}/os-server-password"}),
    Case("os-server-external-events", "POST /os-server-external-events", "event-create-resp", "event-create-req", edit=known_event),
    # Volumes
    Case("os-volume_attachments", "POST /servers/{server}/os-volume_attachments", "attach-volume-to-server-resp",
         "attach-volume-to-server-req", state="ACTIVE", before=made_volume, after=delete_volumes, last=100),
    Case("os-volume_attachments", "POST /servers/{server}/os-volume_attachments", None, "attach-volume-to-server-req", 202,
         state="ACTIVE", before=made_volume, after=delete_volumes, first=101),
    *reads("os-volume_attachments", {"list-volume-attachments-resp": "/servers/{server}/os-volume_attachments",
                                     "volume-attachment-detail-resp": "/servers/{server}/os-volume_attachments/{volume}"},
           state="ACTIVE", before=attached_volume, after=delete_volumes),
    Case("os-volume_attachments", "PUT /servers/{server}/os-volume_attachments/{volume}", None,
         "update-volume-attachment-delete-flag-req", 202, state="ACTIVE", before=attached_volume, after=delete_volumes,
         edit=own_attachment),
    # Nothing but Block Storage puts another volume in the place of one, and does so for its migrations alone.
    Case("os-volume_attachments", "PUT /servers/{server}/os-volume_attachments/{volume}", None, "update-volume-req", 409,
         state="ACTIVE", before=attached_volume, after=delete_volumes, edit=another_volume, is_empty=False),
    *reads("os-volumes", {"os-volumes-index-resp": "/os-volumes", "os-volumes-detail-resp": "/os-volumes/detail",
                          "os-volumes-get-resp": "/os-volumes/{volume}"},
           state="ACTIVE", before=attached_volume, after=delete_volumes, last=35),
    Case("os-volumes", "POST /os-volumes", "os-volumes-post-resp", "os-volumes-post-req", after=delete_volumes, edit=small_volume,
         last=35),
    *reads("os-snapshots", {"snapshots-list-resp": "/os-snapshots", "snapshots-detail-resp": "/os-snapshots/detail",
                            "snapshots-show-resp": "/os-snapshots/{snapshot}"},
           before=made_snapshot, after=delete_volumes, last=35),
    Case("os-snapshots", "POST /os-snapshots", "snapshot-create-resp", "snapshot-create-req", before=made_volume,
         after=delete_volumes, last=35),
    # Changes of a server
    Case("servers", "PUT /servers/{server}", "server-update-resp", "server-update-req", state="ACTIVE", who="sample",
         breaks=(9, 19, 26)),
    Case("servers", "PUT /servers/{server}", "server-put-resp", "server-put-req", breaks=(26,), state="ACTIVE"),
    action("servers", "server-action-rebuild", "server-action-rebuild-resp", who="sample", before=tagged, breaks=(9,)),
    action("os-preserve-ephemeral-rebuild", "server-action-rebuild-preserve-ephemeral",
           "server-action-rebuild-preserve-ephemeral-resp", breaks=(9, 19)),
    action("servers", "server-action-reboot"),
    action("servers", "server-action-create-image", "server-action-create-image-resp"),
    action("servers", "server-action-resize"),
    action("servers", "server-action-confirm-resize", status=204, state=None, before=own_server("VERIFY_RESIZE"),
           after=delete_own_server),
    action("servers", "server-action-revert-resize", state="VERIFY_RESIZE"),
    action("servers", "server-action-stop"),
    action("servers", "server-action-start", state="SHUTOFF"),
    action("servers", "lock-server-with-reason", after=unlocked),
    action("servers", "server-action-addfloatingip-req", before=fixed_address, after=delete_floating, last=43),
    action("servers", "server-action-removefloatingip-req", before=associated_floating, after=delete_floating, last=43),
    action("os-lock-server", "lock-server", after=unlocked),
    action("os-lock-server", "lock-server-with-reason", after=unlocked),
    action("os-lock-server", "unlock-server", before=locked),
    action("os-pause-server", "pause-server"),
    action("os-pause-server", "unpause-server", state="PAUSED"),
    action("os-suspend-server", "server-suspend"),
    action("os-suspend-server", "server-resume", state="SUSPENDED"),
    *[action("os-admin-actions", f"admin-actions-{which}") for which in ("reset-server-state", "reset-network", "inject-network-info")],
    action("os-console-output", "console-output-post-req", "console-output-post-resp", 200),
    action("os-create-backup", "create-backup-req", "create-backup-resp"),
    action("os-multinic", "multinic-add-fixed-ip-req", before=own_server(), after=delete_own_server, last=43),
    action("os-multinic", "multinic-remove-fixed-ip-req", before=second_address, after=delete_own_server, last=43),
    action("os-security-groups", "security-group-add-post-req"),
    action("os-security-groups", "security-group-remove-post-req", before=with_group),
    # Moves
    action("os-migrate-server", "migrate-server", before=elsewhere),
    action("os-migrate-server", "migrate-server-null"),
    action("os-migrate-server", "live-migrate-server", before=elsewhere),
    action("server-migrations", "live-migrate-server", before=elsewhere, last=24),
    action("server-migrations", "live-migrate-server", before=elsewhere, first=25),
    action("os-evacuate", "server-evacuate-req", "server-evacuate-resp", 200, before=lost_host, after=found_host, last=13),
    action("os-evacuate", "server-evacuate-find-host-req", "server-evacuate-find-host-resp", 200, before=lost_host,
           after=found_host, last=13),
    action("os-evacuate", "server-evacuate-req", None, 200, before=lost_host, after=found_host, first=14),
    action("os-evacuate", "server-evacuate-find-host-req", None, 200, before=lost_host, after=found_host, first=14),
    *[
        action("os-shelve", stem, state=None, before=before, after=delete_own_server) for stem, before in (
            ("os-shelve", own_server()), ("os-unshelve", own_server("SHELVED_OFFLOADED")),
            ("os-unshelve-az", own_server("SHELVED_OFFLOADED")), ("os-unshelve-unpin-az", own_server("SHELVED_OFFLOADED")),
            ("os-unshelve-az-host", in_zone("nova", "host-2")), ("os-unshelve-host", in_zone(None, "host-1")),
            ("os-unshelve-host-and-unpin-az", in_zone(None, "host-1")),
        )
    ],
    action("os-rescue", "server-rescue-req", "server-rescue", 200),
    action("os-rescue", "server-rescue-req-with-image-ref", "server-rescue", 200),
    action("os-rescue", "server-unrescue-req", state="RESCUE"),
    Case("os-rescue", "GET /servers/{server}", "server-get-resp-rescue", state="RESCUE", breaks=(3, 90), who="sample"),
    Case("os-rescue", "GET /servers/{server}", "server-get-resp-unrescue", state="ACTIVE", breaks=(3, 90), who="sample"),
    action("os-deferred-delete", "force-delete-post-req", state=None, before=own_server()),
    # Understood, and refused for what is so: no agent in the guest, no memory dumps yet, nothing that is shelved and yet on its host or
    # deleted and yet there, no power of hosts.
    action("os-admin-password", "admin-password-change-password", status=409, is_empty=False),
    action("servers", "server-action-trigger-crash-dump", status=501, is_empty=False),
    action("os-shelve", "os-shelve-offload", status=409, state=None, before=own_server("SHELVED_OFFLOADED"), after=delete_own_server,
           is_empty=False),
    action("os-deferred-delete", "restore-post-req", status=409, is_empty=False),
    Case("os-hosts", "PUT /os-hosts/host-2", None, "host-put-maintenance-req", 501, last=42, is_empty=False),
    # New servers
    # Tags of devices are gone again from 2.33 to 2.41.
    Case("servers", "POST /servers", "server-create-resp", "server-create-req", 202, before=near,
         after=delete_servers_with_volumes, edit=taken, breaks=(33,)),
    Case("servers", "POST /servers", "server-create-resp", "server-create-req-v237", 202, before=near, after=delete_servers, at=(37, 56)),
    Case("servers", "POST /servers", "server-create-resp", "server-create-req-v257", 202, before=near, after=delete_servers, at=(57, 104)),
    *[
        Case("servers", "POST /servers", "server-create-resp", f"server-create-req-with-{which}", 202, before=near, after=delete_servers,
             at=(74, 104))
        for which in ("only-host", "only-node", "host-and-node")
    ],
    *[
        Case("os-multiple-create", "POST /servers", f"{stem}-resp", f"{stem}-req", 202, after=delete_servers, last=36)
        for stem in ("multiple-create-post", "multiple-create-no-resv-post")
    ],
]

CASES = [*WITHOUT_SERVERS, servers, *WITH_SERVERS]


# MARK: What is left out

NOVA_NETWORK = "nova-network: Nova itself answers 410, or has it no more"
GONE = "Nova itself answers 410, or has it no more"
CHAINS = "files of volumes with a chain of snapshots, which no host has"
CONSOLES = "consoles of guests, which are for those who are on the host"
CELLS = "cells: what a cell that is down leaves out of answers"

LEFT_OUT_RESOURCES = {
    "consoles": GONE, "os-agents": GONE, "os-assisted-volume-snapshots": CHAINS, "os-baremetal-nodes": "machines of Ironic",
    "os-cells": GONE, "os-certificates": GONE, "os-cloudpipe": GONE, "os-console-auth-tokens": CONSOLES, "os-fixed-ips": NOVA_NETWORK,
    "os-floating-ip-dns": NOVA_NETWORK, "os-floating-ips-bulk": NOVA_NETWORK, "os-fping": GONE, "os-networks-associate": NOVA_NETWORK,
    "os-quota-sets-noop": "a Nova that is configured to have no quotas", "os-remote-consoles": CONSOLES,
    "os-security-group-default-rules": NOVA_NETWORK, "os-server-shares": "shares of Manila",
    "os-virtual-interfaces": NOVA_NETWORK,
}

# By resource, microversion and name.
LEFT_OUT = {
    r"extension-info/v2\.1/extensions-list-resp-v21-compatible": "the API 2.0, of which there is no more than its version",
    r"os-tenant-networks/v2\.1/networks-post-re[qs]": NOVA_NETWORK,
    r"os-networks/v2\.1/network-(add|create)-re(q|sp)": NOVA_NETWORK,
    r"(servers|os-services)/v2\.69/(servers-.*|server-get|services-list-get)-resp": CELLS,
    r"servers/v2\.69/server-get-resp": CELLS,
    r"servers/v2\.71/server-get-down-cell-resp": CELLS,
    r"os-hosts/v2\.1/host-(get-(reboot|shutdown|startup)|put-maintenance-resp)":
        "the host's power, which nothing but Nova's driver for tests has",
    r"server-migrations/v2\.22/force_complete": "a live migration that lasts; simulated ones have ended",
    r"server-migrations/v2\.\d+/migrations-(get|index)": "a live migration that lasts; simulated ones have ended",
}

# Differences of form that are meant, by resource, answer and difference; each with its reason.
DIFFERENCES = {
    r"os-migrations/.*: /migrations\[\]/links is not there": "only a live migration under way has a link; simulated ones have ended",
    r"(servers|os-rescue)/.*/os-extended-volumes:volumes_attached is empty, .*": "these servers have no volumes",
    r"os-volumes/os-volumes-post-resp: /volume/attachments\[\]/(device|id|serverId|volumeId) is not there":
        "a new volume is attached to no server; Nova's sample is of a cloud that is not real",
    r"os-server-topology/.*: /nodes is empty, .*": "no guest is bound to parts of its host",
    r"os-hypervisors/.*/cpu_info/features is empty, .*": "a simulated host's processor has no features to tell of",
}
