"""Networks, subnets, addresses, quotas, and what runs them."""

import re

from harness import Failure, expect, expect_has

from .people import NETWORK, NOWHERE, refused, single


def a_member_reads_the_quotas_of_the_own_project_alone(people):
    member, other = people.member(), people.member()
    for path in ("", "/details", "/default"):
        member.ask("GET", f"{NETWORK}/quotas/{member.project}{path}", status=200)
        member.ask("GET", f"{NETWORK}/quotas/{other.project}{path}", status=(403, 404))
    expect(member.ask("GET", f"{NETWORK}/quotas/project", status=200).json, {"project": {"project_id": member.project}}, "the own project")
    expect(member.ask("GET", f"{NETWORK}/quotas/tenant", status=200).json, {"tenant": {"tenant_id": member.project}}, "the own tenant")


def service_providers_are_filtered(people):
    expect(people.member().networks("service-providers", "service_type=VPN"), [], "providers of VPNs")


def agents_are_filtered_paged_and_changed(people):
    every = people.admin.networks("agents")
    if len(every) < 2:
        raise Failure(f"there are only {len(every)} agents")
    missing = {"created_at", "started_at", "heartbeat_timestamp", "resources_synced"} - set(every[0])
    expect(missing, set(), "what an agent does not show")
    expect(people.admin.networks("agents", "host=nowhere"), [], "agents of a host that there is not")
    expect(people.admin.networks("agents", f"id={every[0]['id']}&fields=id"), [{"id": every[0]["id"]}], "one agent's id")
    expect(len(people.admin.networks("agents", "limit=1&sort_key=host&sort_dir=desc")), 1, "agents on a page of one")
    path = f"{NETWORK}/agents/{every[0]['id']}"
    changed = people.admin.ask("PUT", path, {"agent": {"description": "upstairs"}}, status=200).json["agent"]
    expect(changed["description"], "upstairs", "the description")
    member = people.member()
    member.ask("PUT", path, {"agent": {"description": "mine"}}, status=(403, 404))
    member.ask("DELETE", path, status=(403, 404))
    # One that is alive comes back when it is heard of.
    people.admin.ask("DELETE", path, status=204)


def a_floating_address_goes_to_a_port_of_a_router_but_not_of_a_name_server(people):
    member = people.member()
    outside = people.external("198.18.1.0/24")
    subnet = member.subnet("10.31.0.0/24")
    inner = member.subnet("10.32.0.0/24")
    router = member.network("routers", name="outer", external_gateway_info={"network_id": outside})["id"]
    member.ask("PUT", f"{NETWORK}/routers/{router}/add_router_interface", {"subnet_id": subnet["id"]}, status=200)
    nested = member.network("routers", name="inner")["id"]
    port = member.network("ports", network_id=subnet["network_id"])["id"]
    member.ask("PUT", f"{NETWORK}/routers/{nested}/add_router_interface", {"port_id": port}, status=200)
    member.ask("PUT", f"{NETWORK}/routers/{nested}/add_router_interface", {"subnet_id": inner["id"]}, status=200)
    given = member.network("floatingips", floating_network_id=outside, port_id=port)
    expect(given["port_id"], port, "the port that has the address")
    named = people.admin.networks("ports", f"network_id={subnet['network_id']}&device_owner=network:dhcp")
    if not named:
        named = [people.admin.network("ports", network_id=subnet["network_id"], device_owner="network:dhcp")]
    refused(people.admin.network("floatingips", 400, floating_network_id=outside, port_id=named[0]["id"]), 400)


def things_in_bulk_may_be_wrapped_one_by_one(people):
    member = people.member()
    network = member.subnet("10.33.0.0/24")["network_id"]
    for kind, fields in (("networks", {"name": "a"}), ("ports", {"network_id": network}), ("security-groups", {"name": "a"})):
        body = {kind.replace("-", "_"): [{single(kind): fields}, {single(kind): fields}]}
        made = member.ask("POST", f"{NETWORK}/{kind}", body, status=201).json[kind.replace("-", "_")]
        expect(len(made), 2, f"{kind} that were made")


def a_pool_gives_out_prefixes_shorter_than_its_defaults(people):
    member = people.member()
    six = member.network("subnetpools", name="six", prefixes=["2001:db8::/40"], min_prefixlen=48, default_prefixlen=56)
    expect_has(six, "the pool of IPv6", min_prefixlen="48", default_prefixlen="56", max_prefixlen="128")
    four = member.network("subnetpools", name="four", prefixes=["0.0.0.0/4"], min_prefixlen=6, default_prefixlen=7)
    expect_has(four, "the pool of IPv4", min_prefixlen="6", default_prefixlen="7", max_prefixlen="32")
    plain = member.network("subnetpools", name="plain", prefixes=["10.0.0.0/8"])
    expect_has(plain, "a pool that says nothing", min_prefixlen="8", default_prefixlen="8", max_prefixlen="32")
    network = member.network("networks", name="long")["id"]
    subnet = member.network("subnets", network_id=network, ip_version=6, subnetpool_id=six["id"])
    if not subnet["cidr"].endswith("/56"):
        raise Failure(f"the pool gave out {subnet['cidr']}")
    refused(member.network("subnetpools", 404, name="lost", prefixes=["10.0.0.0/8"], address_scope_id=NOWHERE), 404)


def the_addresses_of_a_long_prefix_are_a_whole_number(people):
    member = people.member()
    network = member.subnet("2001:db8:1::/64")["network_id"]
    shown = people.admin.ask("GET", f"{NETWORK}/network-ip-availabilities/{network}", status=200)
    found = re.findall(r'"total_ips": *([^,}\s]+)', shown.content.decode())
    if not found or not all(number.isdigit() for number in found):
        raise Failure(f"total_ips is {found}")


def a_member_sets_what_services_a_subnet_is_for(people):
    member = people.member()
    expect(member.subnet("10.34.0.0/24", service_types=["compute:nova"])["service_types"], ["compute:nova"], "the services")


def a_full_page_leads_to_the_next(people):
    member = people.member()
    for name in ("a", "b"):
        member.network("networks", name=name)
    answer = member.ask("GET", f"{NETWORK}/networks?limit=2&sort_key=name&shared=False", status=200).json
    expect(len(answer["networks"]), 2, "networks on the page")
    expect("next" in [link["rel"] for link in answer.get("networks_links", [])], True, "whether the page has a next")


def networks_of_vlans_get_free_numbers(people):
    vlan = {"provider:network_type": "vlan", "provider:physical_network": "public"}
    made = [people.admin.network("networks", name="tagged", **vlan)["provider:segmentation_id"] for _ in range(2)]
    expect((type(made[0]), len(set(made))), (int, 2), "the numbers")


def networks_are_walked_as_monitors_do(people):
    for kind in ("agents", "floatingips", "networks", "subnets", "ports", "routers", "security-groups", "network-ip-availabilities"):
        people.admin.networks(kind)
    needed = {"network_id", "network_name", "project_id", "total_ips", "used_ips", "subnet_ip_availability"}
    for row in people.admin.networks("network-ip-availabilities"):
        expect(needed - set(row), set(), "what an availability does not show")


CASES = [
    a_member_reads_the_quotas_of_the_own_project_alone,
    service_providers_are_filtered,
    agents_are_filtered_paged_and_changed,
    a_floating_address_goes_to_a_port_of_a_router_but_not_of_a_name_server,
    things_in_bulk_may_be_wrapped_one_by_one,
    a_pool_gives_out_prefixes_shorter_than_its_defaults,
    the_addresses_of_a_long_prefix_are_a_whole_number,
    a_member_sets_what_services_a_subnet_is_for,
    a_full_page_leads_to_the_next,
    networks_of_vlans_get_free_numbers,
    networks_are_walked_as_monitors_do,
]
