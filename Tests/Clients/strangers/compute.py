"""Servers: what they show, and how they are listed."""

import datetime
import time

from harness import Failure, expect

from .people import COMPUTE


def progress_is_zero_while_a_server_is_built_and_deleted(people):
    member = people.member()
    image, flavor = member.image(), people.flavor()
    server = member.boot(image, flavor, wait=False)
    seen = set()
    while (shown := member.server(server))["status"] != "ACTIVE":
        seen.add(shown.get("progress"))
    seen.add(shown.get("progress"))
    member.ask("DELETE", f"{COMPUTE}/servers/{server}", status=204)
    while (answer := member.ask("GET", f"{COMPUTE}/servers/{server}")).status == 200:
        seen.add(answer.json["server"].get("progress"))
    expect(seen - {0, None}, set(), "progress that was shown")


def several_servers_do_not_ask_for_one_port_or_address(people):
    member = people.member()
    image, flavor = member.image(), people.flavor()
    subnet = member.subnet("10.35.0.0/24")
    port = member.network("ports", network_id=subnet["network_id"])["id"]
    for networks in ([{"port": port}], [{"uuid": subnet["network_id"], "fixed_ip": "10.35.0.9"}]):
        for count in ({"min_count": 2}, {"max_count": 2}):
            body = {"name": "many", "imageRef": image, "flavorRef": flavor, "networks": networks, **count}
            member.ask("POST", f"{COMPUTE}/servers", {"server": body}, status=400)
    expect(member.ask("GET", f"{COMPUTE}/servers").json["servers"], [], "servers that were made")


def diagnostics_want_a_server_that_runs(people):
    member = people.member()
    server = member.boot(member.image(), people.flavor())
    for stop, status, start in (("os-stop", "SHUTOFF", "os-start"), ("pause", "PAUSED", "unpause"), ("suspend", "SUSPENDED", "resume")):
        member.act(server, stop)
        member.becomes(server, status)
        for microversion in ("2.1", "2.48"):
            people.admin.ask("GET", f"{COMPUTE}/servers/{server}/diagnostics", microversion=microversion, status=409)
        member.act(server, start)
        member.becomes(server, "ACTIVE")
    people.admin.ask("GET", f"{COMPUTE}/servers/{server}/diagnostics", microversion="2.48", status=200)


class Fleet:
    """Five servers, of which every second is deleted, and one that could not be made."""

    def __init__(self, people):
        self.member = member = people.member()
        image = member.image()
        flavor, huge = people.flavor(), people.flavor(disk=1 << 24)
        self.since = moment(-5)
        self.made = [member.boot(image, flavor) for _ in range(5)]
        self.broken = member.boot(image, huge, wait=False)
        end = time.monotonic() + 30
        while member.server(self.broken)["status"] != "ERROR":
            if time.monotonic() > end:
                raise Failure("the server that no host has room for is not in ERROR")
            time.sleep(0.05)
        self.deleted = self.made[::2]
        for server in self.deleted:
            member.delete(server)
        self.everything = {*self.made, self.broken}

    def pages(self, person, query):
        """All rows, page by page, by the links."""
        rows, path = [], f"{COMPUTE}/servers/detail?{query}"
        while path:
            answer = person.ask("GET", path, status=200).json
            rows += answer["servers"]
            after = [link["href"] for link in answer.get("servers_links", []) if link["rel"] == "next"]
            path = after[0][after[0].index(COMPUTE) :] if after else None
            if len(rows) > 50:
                raise Failure("the pages do not end")
        return rows


def moment(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def deleted_servers_are_paged_and_their_ids_are_markers(people):
    fleet = Fleet(people)
    member = fleet.member
    for person, query in (
        (member, f"changes-since={fleet.since}&limit=2"),
        (people.admin, f"changes-since={fleet.since}&limit=2&all_tenants=1&project_id={member.project}"),
        (member, f"changes-since={fleet.since}&limit=1&sort_key=created_at&sort_dir=asc"),
    ):
        rows = fleet.pages(person, query)
        expect(sorted(row["id"] for row in rows), sorted(fleet.everything), f"the servers of {query}")
        expect({row["id"] for row in rows if row["status"] == "DELETED"}, set(fleet.deleted), "the deleted ones")
    expect({row["id"] for row in fleet.pages(member, "limit=1")}, fleet.everything - set(fleet.deleted), "those that are there")
    # Newest first. The last but one that was made is deleted: the page after it begins with the one before.
    for kind in ("", "/detail"):
        after = member.ask("GET", f"{COMPUTE}/servers{kind}?limit=2&marker={fleet.made[4]}", status=200).json["servers"]
        expect([row["id"] for row in after], [fleet.made[3], fleet.made[1]], "the page behind a deleted server")
    for query in (
        f"marker={fleet.broken}",
        f"marker={fleet.made[0]}&changes-since={fleet.since}",
        f"marker={fleet.made[0]}&sort_key=created_at&sort_dir=asc",
        f"marker={fleet.made[0]}&name=server",
    ):
        member.ask("GET", f"{COMPUTE}/servers?{query}", status=200)
    member.ask("GET", f"{COMPUTE}/servers?marker=00000000-0000-0000-0000-000000000000", status=400)
    times_are_read_as_they_are_spelled(fleet)
    the_moment_of_a_change_is_within(fleet)
    path = f"{COMPUTE}/servers?deleted=true&all_tenants=1&project_id={member.project}"
    deleted = people.admin.ask("GET", path, status=200).json["servers"]
    expect({row["id"] for row in deleted}, set(fleet.deleted), "the deleted ones for the administrator")


def times_are_read_as_they_are_spelled(fleet):
    for spelled in (
        "2011-01-24T17:08:01",
        "2011-01-24T17:08:01.123Z",
        "2011-01-24T17:08:01%2B02:00",
        "2011-01-24T17:08:01,5Z",
        "2011-01-24T17:08",
        "2011-01-24T17",
        "2011-01-24T17:08:01-05",
        "2011-01-24",
        "2011-01",
        "2011",
        "20110124",
    ):
        rows = fleet.member.ask("GET", f"{COMPUTE}/servers?changes-since={spelled}", status=200).json["servers"]
        expect({row["id"] for row in rows}, fleet.everything, f"the servers changed since {spelled}")
    fleet.member.ask("GET", f"{COMPUTE}/servers?changes-since=yesterday", status=400)
    expect(fleet.member.ask("GET", f"{COMPUTE}/servers?changes-since={moment(3600)}").json["servers"], [], "servers changed in an hour")


def the_moment_of_a_change_is_within(fleet):
    for server in (fleet.made[1], fleet.made[3]):
        updated = fleet.member.server(server)["updated"]
        rows = fleet.member.ask("GET", f"{COMPUTE}/servers?changes-before={updated}", microversion="2.66", status=200).json["servers"]
        expect(server in {row["id"] for row in rows}, True, f"whether a server that changed at {updated} changed before {updated}")


def what_a_server_has_of_volumes_is_none(people):
    member = people.member()
    server = member.boot(member.image(), people.flavor())
    for microversion in ("2.1", "2.79", "2.96"):
        answer = member.ask("GET", f"{COMPUTE}/servers/{server}/os-volume_attachments", microversion=microversion, status=200)
        expect(answer.json, {"volumeAttachments": []}, "the attachments")


def usage_is_told_without_a_time(people):
    member = people.member()
    for query in ("", "?detailed=1"):
        people.admin.ask("GET", f"{COMPUTE}/os-simple-tenant-usage{query}", status=200)
    member.ask("GET", f"{COMPUTE}/os-simple-tenant-usage/{member.project}", status=200)


def hosts(people, microversion):
    return people.admin.ask("GET", f"{COMPUTE}/os-hypervisors/detail", microversion=microversion, status=200).json["hypervisors"]


def hosts_and_servers_are_read_as_monitors_do(people):
    member = people.member()
    server = member.boot(member.image(), flavor := people.flavor())
    figures = ("vcpus", "vcpus_used", "memory_mb", "memory_mb_used", "free_ram_mb", "local_gb", "local_gb_used", "free_disk_gb", "running_vms")
    for microversion in ("2.1", "2.52", "2.53", "2.60", "2.87"):
        for host in hosts(people, microversion):
            wrong = {name: host.get(name) for name in figures if type(host.get(name)) not in (int, float)}
            expect(wrong, {}, f"what is no number at {microversion}")
            expect(type(host["cpu_info"]), str if microversion == "2.1" else dict, f"cpu_info at {microversion}")
    for host in hosts(people, "2.88"):
        expect(("cpu_info" in host, "uptime" in host), (False, True), "whether 2.88 has cpu_info, and uptime")
    people.admin.ask("GET", f"{COMPUTE}/os-security-groups", microversion="2.1", status=200)
    people.admin.ask("GET", f"{COMPUTE}/os-security-groups", microversion="2.36", status=404)
    counts = people.admin.ask("GET", f"{COMPUTE}/os-hypervisors/statistics", microversion="2.87", status=200).json["hypervisor_statistics"]
    expect(counts["count"] >= 1, True, "whether hosts are counted")
    for spelled in ("=1", "=True", "", "=", "=false"):
        found = people.admin.ask("GET", f"{COMPUTE}/servers?all_tenants{spelled}", status=200).json["servers"]
        expect(server in [row["id"] for row in found], spelled != "=false", f"whether all_tenants{spelled} shows other projects")
    people.admin.ask("GET", f"{COMPUTE}/servers?all_tenants=nonsense", status=400)
    member.ask("GET", f"{COMPUTE}/servers?all_tenants=1", status=403)
    found = people.admin.ask("GET", f"{COMPUTE}/flavors/detail?is_public=None", status=200).json["flavors"]
    expect(flavor in [row["id"] for row in found], True, "whether is_public=None shows all")


CASES = [
    progress_is_zero_while_a_server_is_built_and_deleted,
    several_servers_do_not_ask_for_one_port_or_address,
    diagnostics_want_a_server_that_runs,
    deleted_servers_are_paged_and_their_ids_are_markers,
    what_a_server_has_of_volumes_is_none,
    usage_is_told_without_a_time,
    hosts_and_servers_are_read_as_monitors_do,
]
