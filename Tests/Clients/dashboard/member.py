"""What a member of a project does in the dashboard: a first server that the outside can reach, then whatever else there is."""

import time

from harness import Failure, expect, password_login

from .walk import everything

# A key that nobody has the other half of.
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDfB0vHfZBVFxWlaq3Yz8jHkYqfKfOY8l4aJm3z0g0Y2 person@example.org"

SSH = {"rule_menu": "tcp", "direction": "ingress", "port_or_range": "port", "port": 22, "remote": "cidr", "cidr": "0.0.0.0/0"}


def a_member_logs_in_and_sees_the_first_page(story):
    password = story.cloud.password("demo")
    story.browser = story.dashboard.log_in("demo", password)
    story.api.log_in(password_login("demo", password, {"project": {"name": "demo", "domain": {"id": "default"}}}))
    for text in ("Limit Summary", "Instances", "Floating IPs", "Security Groups"):
        if text not in story.browser.open("/project/").answer.text:
            raise Failure(f"the first page has no {text}")


def a_member_sees_what_the_scripts_of_the_pages_ask_for(story):
    ask = story.browser.api
    for path in (
        "neutron/extensions/",
        "neutron/networks/",
        "network/securitygroups/",
        "network/floatingips/",
        "network/floatingippools/",
        "nova/availzones/",
        "nova/flavors/?is_public=true&get_extras=true",
        "nova/keypairs/",
        "nova/limits/?reserved=true",
        "nova/servergroups/",
        "nova/servers/",
        "glance/version/",
        "glance/images/?paginate=true&sort_dir=asc&sort_key=name",
        "glance/metadefs/namespaces/?properties_target=&resource_type=OS::Glance::Image",
        "glance/metadefs/namespaces/?properties_target=&resource_type=OS::Nova::Flavor",
        "glance/metadefs/namespaces/?properties_target=metadata&resource_type=OS::Nova::Server",
        "glance/metadefs/namespaces/?properties_target=scheduler_hints&resource_type=OS::Nova::Server",
        "keystone/user-session/",
        "keystone/version/",
        "keystone/svc-catalog/",
        "settings/",
    ):
        ask("GET", path)
    expect([one["name"] for one in ask("GET", "network/floatingippools/")["items"]], ["outside"], "the pools of floating IPs")


def a_network_with_a_subnet(story):
    form = story.browser.open("/project/networks/create", ajax=True).form("/project/networks/create")
    subnet = {"with_subnet": "on", "subnet_name": "inside-4", "cidr": "10.20.0.0/24", "ip_version": "4", "address_source": "manual"}
    story.browser.submit(form, net_name="inside", admin_state="on", enable_dhcp="on", dns_nameservers="9.9.9.9", **subnet)
    story.network = only(story, "networks", name="inside")
    story.subnet = only(story, "subnets", network_id=story.network["id"])
    expect((story.subnet["cidr"], story.subnet["dns_nameservers"]), ("10.20.0.0/24", ["9.9.9.9"]), "the subnet")


def a_network_is_renamed_and_a_port_made_in_it(story):
    update = f"/project/networks/{story.network['id']}/update"
    story.browser.submit(story.browser.open(update, ajax=True).form(update), name="indoors")
    expect(only(story, "networks", id=story.network["id"])["name"], "indoors", "the name")
    create = f"/project/networks/{story.network['id']}/ports/create"
    story.browser.submit(story.browser.open(create, ajax=True).form(create), name="spare", admin_state="on")
    only(story, "ports", name="spare")


def a_router_to_the_outside(story):
    outside = only(story, "networks", name="outside")
    form = story.browser.open("/project/routers/create/", ajax=True).form("/project/routers/create/")
    story.browser.submit(form, name="door", admin_state_up="on", external_network=outside["id"])
    story.router = only(story, "routers", name="door")
    expect(story.router["external_gateway_info"]["network_id"], outside["id"], "the gateway's network")
    add = f"/project/routers/{story.router['id']}/addinterface"
    story.browser.submit(story.browser.open(add, ajax=True).form(add), subnet_id=story.subnet["id"])
    only(story, "ports", device_id=story.router["id"], network_id=story.network["id"])


def a_security_group_with_rules(story):
    form = story.browser.open("/project/security_groups/create/", ajax=True).form("/project/security_groups/create/")
    story.browser.submit(form, name="doors", description="what may come in")
    story.group = only(story, "security-groups", name="doors")["id"]
    path = f"/project/security_groups/{story.group}/add_rule/"
    for rule in (
        SSH,
        SSH | {"port_or_range": "range", "from_port": 8000, "to_port": 8080, "cidr": "10.0.0.0/8"},
        {"rule_menu": "all_icmp", "direction": "ingress", "remote": "cidr", "cidr": "0.0.0.0/0"},
        {"rule_menu": "icmp", "direction": "ingress", "icmp_type": 8, "icmp_code": 0, "remote": "cidr", "cidr": "192.0.2.0/24"},
        {"rule_menu": "udp", "direction": "egress", "port_or_range": "port", "port": 53, "remote": "sg", "security_group": story.group},
    ):
        story.browser.submit(story.browser.open(path, ajax=True).form(path), **rule)
    rules = story.api.get(f"/network/v2.0/security-group-rules?security_group_id={story.group}").json["security_group_rules"]
    expect(len(rules), 2 + 5, "rules, with the two that come with a group")
    # The person must be told of the same once more; the dashboard has one sentence for every conflict.
    try:
        story.browser.submit(story.browser.open(path, ajax=True).form(path), **SSH)
    except Failure as failure:
        if "rule" not in str(failure).lower():
            raise
    else:
        raise Failure("the same rule twice is taken without a word")


def key_pairs(story):
    made = story.browser.api("POST", "nova/keypairs/", {"name": "made", "key_type": "ssh"}, 201)
    if "PRIVATE KEY" not in made.get("private_key", ""):
        raise Failure(f"no private key: {made}")
    story.browser.api("POST", "nova/keypairs/", {"name": "mine", "public_key": PUBLIC_KEY, "key_type": "ssh"}, 201)
    expect(sorted(one["name"] for one in story.browser.api("GET", "nova/keypairs/")["items"]), ["made", "mine"], "the keys")
    expect(story.browser.api("GET", "nova/keypairs/mine")["public_key"], PUBLIC_KEY, "the key")
    story.browser.api("DELETE", "nova/keypairs/made")


def an_image_is_uploaded(story):
    about = {"name": "disk", "visibility": "private", "container_format": "bare", "disk_format": "raw", "min_disk": 0, "min_ram": 0}
    story.image = story.browser.api("POST", "glance/images/", about | {"protected": False}, 201, file=b"a disk" * 2000)["id"]
    end = time.monotonic() + 20
    while (shown := story.browser.api("GET", f"glance/images/{story.image}/"))["status"] != "active" and time.monotonic() < end:
        time.sleep(0.1)
    expect((shown["status"], shown["size"]), ("active", 12000), "the image")
    changed = {"name": "my disk", "description": "made by hand", "visibility": "private", "disk_format": "raw", "container_format": "bare"}
    story.browser.api("PATCH", f"glance/images/{story.image}/", changed | {"min_disk": 0, "min_ram": 0, "protected": False})
    expect(story.browser.api("GET", f"glance/images/{story.image}/")["name"], "my disk", "the name")


def the_wizard_launches_a_server(story):
    flavors = story.browser.api("GET", "nova/flavors/?is_public=true&get_extras=true")["items"]
    flavor = next(one for one in flavors if one["name"] == "small")
    spec = {
        "availability_zone": "nova",
        "config_drive": False,
        "create_volume_default": True,
        "description": "from the wizard",
        "disk_config": "AUTO",
        "flavor_id": flavor["id"],
        "hide_create_volume": False,
        "instance_count": 1,
        "key_name": "mine",
        "meta": {},
        "name": "first",
        "nics": [{"net-id": story.network["id"], "v4-fixed-ip": ""}],
        "scheduler_hints": {},
        "security_groups": [story.group],
        "source_id": story.image,
        "user_data": "",
    }
    story.server = story.browser.api("POST", "nova/servers/", spec, 201)["id"]
    story.becomes(story.server, "ACTIVE")
    row = story.browser.open(f"/project/instances/?action=row_update&table=instances&obj_id={story.server}", ajax=True)
    for text in ("first", "Active", "10.20.0."):
        if text not in row.answer.text:
            raise Failure(f"the row of the server has no {text}")


def a_floating_address_is_taken_and_given_to_the_server(story):
    form = story.browser.open("/project/floating_ips/allocate/", ajax=True).form("/project/floating_ips/allocate/")
    story.browser.submit(form, description="for the first")
    address = only(story, "floatingips")
    form = story.browser.open("/project/floating_ips/associate/", ajax=True).form("/project/floating_ips/associate/")
    port = only(story, "ports", device_id=story.server)
    target = next((one for one in form.choices["port_id"] if one.startswith(port["id"])), None)
    if not target:
        raise Failure(f"the form does not offer the server's port, only {form.choices['port_id']}")
    story.browser.submit(form, ip_id=address["id"], port_id=target)
    story.address = only(story, "floatingips", port_id=port["id"])
    if story.address["floating_ip_address"] not in story.browser.open("/project/instances/").answer.text:
        raise Failure("the list of servers does not show the address")


def the_topology_shows_it_all(story):
    story.browser.open("/project/network_topology/")
    drawn = story.browser.json("/project/network_topology/json")
    expect({"indoors", "outside"} - {one["name"] for one in drawn["networks"]}, set(), "networks that are not drawn")
    expect([one["name"] for one in drawn["servers"]], ["first"], "the servers")
    expect([one["name"] for one in drawn["routers"]], ["door"], "the routers")


def every_page_that_a_member_can_reach(story):
    roots = [f"{story.browser.url}{path}" for path in ("/project/", "/identity/", "/settings/")]
    # The dashboard itself refuses members the page of a project that it lists for them.
    count = everything(story.browser, roots, r"/(project|identity|settings)/", {"/identity/ID/detail/"})
    if count < 60:
        raise Failure(f"only {count} pages were found")
    server = f"nova/servers/{story.server}"
    for path in (server, f"{server}/actions/", f"{server}/security-groups/", f"{server}/volumes/", f"{server}/metadata"):
        story.browser.api("GET", path)
    for tab in ("overview", "interfaces", "log", "audit"):
        story.browser.open(f"/project/instances/{story.server}/?tab=instance_details__{tab}")


def what_one_does_with_a_server(story):
    for button, status in (("stop", "SHUTOFF"), ("start", "ACTIVE")):
        story.browser.press(story.browser.open("/project/instances/"), f"instances__{button}__{story.server}")
        story.becomes(story.server, status)
    for operation, status in (
        ("pause", "PAUSED"),
        ("unpause", "ACTIVE"),
        ("suspend", "SUSPENDED"),
        ("resume", "ACTIVE"),
        ("hard_reboot", "ACTIVE"),
    ):
        story.browser.api("POST", f"nova/servers/{story.server}", {"operation": operation})
        story.becomes(story.server, status)
    story.browser.api("POST", f"nova/servers/{story.server}/console-output/", {"length": 50})
    story.browser.api("POST", "nova/snapshots/", {"instance_id": story.server, "name": "copy"})
    story.becomes(story.server, "ACTIVE")
    update = f"/project/instances/{story.server}/update"
    story.browser.submit(story.browser.open(update, ajax=True).form(update), name="renamed", description="by a form")
    expect(story.api.get(f"/compute/v2.1/servers/{story.server}").json["server"]["name"], "renamed", "the server's name")


def everything_is_taken_away(story):
    browser = story.browser
    browser.press(browser.open("/project/floating_ips/"), f"floating_ips__disassociate__{story.address['id']}")
    browser.press(browser.open("/project/floating_ips/"), f"floating_ips__release__{story.address['id']}")
    browser.press(browser.open("/project/instances/"), f"instances__delete__{story.server}")
    story.gone(story.server)
    page = browser.open(f"/project/routers/{story.router['id']}/?tab=router_details__interfaces")
    inside = only(story, "ports", device_id=story.router["id"], network_id=story.network["id"])
    browser.press(page, f"interfaces__delete__{inside['id']}")
    browser.press(browser.open("/project/routers/"), f"routers__delete__{story.router['id']}")
    spare = only(story, "ports", name="spare")
    page = browser.open(f"/project/networks/{story.network['id']}/detail?tab=network_tabs__ports_tab")
    browser.press(page, f"ports__delete__{spare['id']}")
    browser.press(browser.open("/project/networks/"), f"networks__delete__{story.network['id']}")
    browser.press(browser.open("/project/security_groups/"), f"security_groups__delete__{story.group}")
    for kind in ("floatingips", "routers"):
        expect(story.api.get(f"/network/v2.0/{kind}").json[kind], [], kind)
    expect([one["name"] for one in story.api.get("/network/v2.0/networks").json["networks"]], ["outside"], "the networks")


def only(story, kind, **wanted):
    """The one thing of Networking's that has these values."""
    query = "&".join(f"{name}={value}" for name, value in wanted.items())
    found = story.api.get(f"/network/v2.0/{kind}?{query}").json[kind.replace("-", "_")]
    expect(len(found), 1, f"{kind} with {wanted}")
    return found[0]


STEPS = [
    a_member_logs_in_and_sees_the_first_page,
    a_member_sees_what_the_scripts_of_the_pages_ask_for,
    a_network_with_a_subnet,
    a_network_is_renamed_and_a_port_made_in_it,
    a_router_to_the_outside,
    a_security_group_with_rules,
    key_pairs,
    an_image_is_uploaded,
    the_wizard_launches_a_server,
    a_floating_address_is_taken_and_given_to_the_server,
    the_topology_shows_it_all,
    every_page_that_a_member_can_reach,
    what_one_does_with_a_server,
    everything_is_taken_away,
]
