"""Rally's own scenarios, each some times and two at once: it makes users and projects of its own, and takes away what it made."""

import json
import os
import subprocess

from harness import Cloud, Failure, environment, show

TIMES, AT_ONCE = 4, 2
SERVER = {"flavor": {"name": "small"}, "image": {"name": "disk"}}
REBUILT = {"flavor": {"name": "small"}, "from_image": {"name": "disk"}, "to_image": {"name": "disk"}}
ACTIONS = [{"hard_reboot": 1}, {"stop_start": 1}, {"rescue_unrescue": 1}]
ATTACHED = {"subnet_cidr_start": "10.74.0.0/24", "network_create_args": {}, "subnet_create_args": {}, "boot_server_args": {}}
NETWORK = {"network": {"start_cidr": "10.70.0.0/24"}}
SMALL = {"ram": 64, "vcpus": 1, "disk": 1}
DISK = {"container_format": "bare", "disk_format": "raw"}


def subnets(number, **more):
    return {"subnet_cidr_start": f"10.{number}.0.0/24", "subnets_per_network": 2} | more


# The scenario, what it is told, what it needs besides users.
SCENARIOS = [
    ("Authenticate.keystone", {}, {}),
    ("Authenticate.validate_nova", {"repetitions": 2}, {}),
    ("Authenticate.validate_glance", {"repetitions": 2}, {}),
    ("Authenticate.validate_neutron", {"repetitions": 2}, {}),
    ("KeystoneBasic.create_and_list_tenants", {}, {}),
    ("KeystoneBasic.create_user_update_password", {}, {}),
    ("KeystoneBasic.create_user_set_enabled_and_delete", {"enabled": True}, {}),
    ("KeystoneBasic.add_and_remove_user_role", {}, {}),
    ("KeystoneBasic.create_and_delete_ec2credential", {}, {}),
    ("KeystoneBasic.authenticate_user_and_validate_token", {}, {}),
    ("KeystoneBasic.get_entities", {}, {}),
    ("GlanceImages.create_and_delete_image", DISK, {}),
    ("GlanceImages.create_and_list_image", DISK, {}),
    ("GlanceImages.create_and_update_image", DISK, {}),
    ("GlanceImages.create_and_deactivate_image", DISK, {}),
    ("NeutronNetworks.create_and_list_networks", {}, {}),
    ("NeutronNetworks.create_and_update_networks", {"network_update_args": {"admin_state_up": False}}, {}),
    ("NeutronNetworks.create_and_update_subnets", {"subnet_update_args": {"enable_dhcp": False}} | subnets(71), {}),
    ("NeutronNetworks.create_and_delete_routers", subnets(72), {}),
    ("NeutronNetworks.create_and_update_routers", {"router_update_args": {"admin_state_up": False}} | subnets(73), {}),
    ("NeutronNetworks.create_and_delete_ports", {"ports_per_network": 2}, {}),
    ("NeutronNetworks.create_and_delete_floating_ips", {"floating_network": "outside"}, {}),
    ("NeutronNetworks.associate_and_dissociate_floating_ips", {"floating_network": "outside"}, {}),
    ("NeutronNetworks.list_agents", {}, {}),
    ("NeutronSecurityGroup.create_and_update_security_groups", {}, {}),
    ("NeutronSecurityGroup.create_and_list_security_group_rules", {}, {}),
    ("NeutronSecurityGroup.create_and_delete_security_group_rule", {}, {}),
    ("NovaAggregates.create_and_update_aggregate", {"availability_zone": "upstairs"}, {}),
    ("NovaFlavors.create_and_list_flavor_access", SMALL, {}),
    ("NovaFlavors.create_flavor_and_set_keys", SMALL | {"extra_specs": {"quota:disk_read_bytes_sec": 10240}}, {}),
    ("NovaHypervisors.list_and_get_hypervisors", {}, {}),
    ("NovaHypervisors.statistics_hypervisors", {}, {}),
    ("NovaServices.list_services", {}, {}),
    ("NovaServerGroups.create_and_get_server_group", {"policies": ["affinity"]}, {}),
    ("NovaKeypair.create_and_delete_keypair", {}, {}),
    ("NovaKeypair.boot_and_delete_server_with_keypair", SERVER | {"boot_server_kwargs": {}}, NETWORK),
    ("NovaServers.boot_and_delete_server", SERVER, NETWORK),
    ("NovaServers.boot_and_delete_multiple_servers", SERVER | {"count": 3}, NETWORK),
    ("NovaServers.boot_and_list_server", SERVER, NETWORK),
    ("NovaServers.boot_and_bounce_server", SERVER | {"actions": ACTIONS}, NETWORK),
    ("NovaServers.boot_lock_unlock_and_delete", SERVER, NETWORK),
    ("NovaServers.boot_and_get_console_output", SERVER, NETWORK),
    ("NovaServers.boot_and_rebuild_server", REBUILT, NETWORK),
    ("NovaServers.boot_and_migrate_server", SERVER, NETWORK),
    ("NovaServers.pause_and_unpause_server", SERVER, NETWORK),
    ("NovaServers.suspend_and_resume_server", SERVER, NETWORK),
    ("NovaServers.shelve_and_unshelve_server", SERVER, NETWORK),
    ("NovaServers.resize_server", SERVER | {"to_flavor": {"name": "bigger"}, "confirm": True}, NETWORK),
    ("NovaServers.resize_shutoff_server", SERVER | {"to_flavor": {"name": "bigger"}, "confirm": False}, NETWORK),
    ("NovaServers.boot_server_and_attach_interface", SERVER | ATTACHED, NETWORK),
    ("NovaServers.boot_and_associate_floating_ip", SERVER | {"floating_network": "outside"}, NETWORK),
    ("NovaServers.snapshot_server", SERVER, NETWORK),
    ("Quotas.nova_update", {"max_quota": 100}, {}),
    ("Quotas.nova_get", {}, {}),
    ("Quotas.neutron_update", {"max_quota": 100}, {}),
]
# Rally waits as for a hypervisor that needs seconds; here a server is there after some tenths.
WAITS = ("boot", "delete", "image_create", "image_delete", "migrate", "pause", "reboot", "rebuild", "rescue", "resize", "resize_confirm")
WAITS += ("resize_revert", "resume", "shelve", "start", "stop", "suspend", "unpause", "unrescue", "unshelve")
SETTINGS = "".join(f"nova_server_{one}_{kind} = 0.2\n" for one in WAITS for kind in ("prepoll_delay", "poll_interval"))


def run(binary, report):
    with Cloud(binary) as cloud:
        folder = cloud.directory / "rally"
        folder.mkdir()
        rally = Rally(folder)
        prepare(cloud, folder)
        login = {"username": "admin", "password": cloud.password(), "project_name": "admin"}
        domains = {"user_domain_name": "Default", "project_domain_name": "Default"}
        spec = {"auth_url": f"{cloud.url}/identity/v3", "region_name": "RegionOne", "admin": login | domains}
        rally("db", "create")
        rally("env", "create", "--name", "cloud", "--spec", rally.file("cloud.json", {"openstack": spec}))
        said = rally("task", "start", rally.file("task.json", task(folder)), may_fail=True)
        rally("task", "report", "--json", "--out", str(folder / "report.json"))
        workloads = [
            workload
            for one in json.loads((folder / "report.json").read_text())["tasks"]
            for part in one["subtasks"]
            for workload in part["workloads"]
        ]
        if not workloads:
            raise Failure(f"no scenario was run: {said[-1500:]}")
        for name, _, _ in SCENARIOS:
            with report.case(name):
                judge(name, workloads)
        if report.failures:
            show(cloud.tail(10))


def prepare(cloud, folder):
    """What the scenarios name: flavors, an image that all see, and an outside."""
    admin = cloud.admin()
    for name, ram in (("small", 64), ("bigger", 128)):
        admin.post("/compute/v2.1/flavors", {"flavor": {"name": name, "vcpus": 1, "ram": ram, "disk": 1}}, status=200)
    image = {"name": "disk", "visibility": "public", "disk_format": "raw", "container_format": "bare"}
    made = admin.post("/image/v2/images", image).json["id"]
    admin.put(f"/image/v2/images/{made}/file", b"a disk" * 1000, headers={"Content-Type": "application/octet-stream"})
    outside = admin.post("/network/v2.0/networks", {"network": {"name": "outside", "router:external": True}}).json["network"]["id"]
    subnet = {"network_id": outside, "ip_version": 4, "cidr": "198.18.0.0/16", "enable_dhcp": False}
    admin.post("/network/v2.0/subnets", {"subnet": subnet})
    (folder / "disk.raw").write_bytes(b"a disk" * 1000)


def task(folder):
    def part(name, arguments, contexts):
        if name.startswith("GlanceImages"):
            arguments = arguments | {"image_location": str(folder / "disk.raw")}
        return {
            "title": name,
            "scenario": {name: arguments},
            "runner": {"constant": {"times": TIMES, "concurrency": AT_ONCE}},
            "contexts": {"users": {"tenants": 2, "users_per_tenant": 1}} | contexts,
            "sla": {"failure_rate": {"max": 0}},
        }

    return {"version": 2, "title": "scenarios", "subtasks": [part(*scenario) for scenario in SCENARIOS]}


def judge(name, workloads):
    found = [workload for workload in workloads if name in workload["scenario"]]
    if not found:
        raise Failure("it was not run")
    for workload in found:
        errors = [one["error"] for one in workload["data"] if one["error"]]
        wrong = [one["detail"] for one in workload["sla_results"]["sla"] if not one["success"]]
        if errors or wrong or len(workload["data"]) != TIMES:
            raise Failure(f"{len(workload['data'])} of {TIMES} runs; {wrong}; {[error[:2] for error in errors[:2]]}")


class Rally:
    def __init__(self, folder):
        self.folder = folder
        self.binary = environment("rally", "Rally") / "rally"
        (folder / "rally.conf").write_text(f"[database]\nconnection = sqlite:///{folder}/rally.sqlite\n[openstack]\n{SETTINGS}")

    def __call__(self, *words, may_fail=False):
        plain = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        line = [str(self.binary), "--config-file", str(self.folder / "rally.conf"), *words]
        # It keeps what it chose in the folder of who runs it.
        plain["HOME"] = str(self.folder)
        done = subprocess.run(line, env=plain, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1800)
        if done.returncode != 0 and not may_fail:
            raise Failure(f"rally {words} ended with {done.returncode}: {done.stdout[-600:]}{done.stderr[-600:]}")
        return done.stdout

    def file(self, name, content):
        path = self.folder / name
        path.write_text(json.dumps(content))
        return str(path)
