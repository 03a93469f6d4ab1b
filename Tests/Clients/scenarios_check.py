"""Tempest's scenarios on real parts: it logs into its guests over their floating IPs, and looks at their networks from within."""

import os
import pathlib
import re
import time

from harness import Cloud, Failure
from guests import GUEST, Host
from tempest_check import Selection, refuse_unused_skips, run_selection

SCENARIOS = Selection(
    "scenarios",
    r"^tempest\.scenario\.test_(server_basic_ops|network_basic_ops|security_groups_basic_ops|server_advanced_ops|snapshot_pattern"
    r"|network_advanced_server_ops\.TestNetworkAdvancedServerOps)\.",
    28,
    {
        # The guest keeps what is written there, and no other folder.
        "scenario.target_dir": "/disk",
        "scenario.dhcp_client": "udhcpc",
        # Seconds. A guest without KVM is slow, but not as slow as Tempest's patience is long.
        "validation.ping_timeout": 60,
        "validation.ssh_timeout": 120,
    },
)
# Resident, of the development build, which begins with 110.
MOST_MEGABYTES = 300


def run(binary, report):
    if os.geteuid() != 0:
        report.fail("the host", "real machines want root here")
        return
    before = Host.now()
    used = set()
    with Cloud(binary, simulate=False) as cloud:
        try:
            image = guest_image(cloud)
            believed = SCENARIOS.believed | {"compute.image_ref": image, "compute.image_ref_alt": image}
            # Each of the guests takes a whole core for seconds.
            run_selection(SCENARIOS, cloud, believed, report, used, ["--ssh", "--ssh-user", "root", "--concurrency", "2"])
            with report.case("what ended is forgotten"):
                nothing_stays(cloud)
        finally:
            cloud.clear_host()
    refuse_unused_skips(report, used, of_scenarios=True)
    with report.case("the host is as it was"):
        Host.now().must_equal(before)


def nothing_stays(cloud):
    """The servers and networks of all tests leave neither memory nor dead children behind."""
    if cloud.resident_megabytes > MOST_MEGABYTES:
        raise Failure(f"the cloud has grown to {cloud.resident_megabytes:.0f} MB")
    deadline = time.monotonic() + 20
    while dead := dead_children(cloud):
        if time.monotonic() > deadline:
            raise Failure(f"nobody takes note of the end of {dead}")
        time.sleep(0.2)


def dead_children(cloud):
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            number, name, state, parent = re.match(r"(\d+) \((.*)\) (\S) (\d+)", path.read_text()).groups()
        except OSError:
            continue
        if state == "Z" and int(parent) == cloud.process.pid:
            found.append(f"{name} {number}")
    return found


def guest_image(cloud):
    """The id of an image for all that boots our guest: an empty disk that names its kernel and its RAM disk."""
    client = cloud.admin()

    def image(name, form, data, **properties):
        body = {"name": name, "disk_format": form, "container_format": "bare" if form == "raw" else form, "visibility": "public"}
        made = client.post("/image/v2/images", body | properties).json["id"]
        client.put(f"/image/v2/images/{made}/file", data, headers={"Content-Type": "application/octet-stream"})
        return made

    parts = {}
    for name, form in (("kernel", "aki"), ("ramdisk", "ari")):
        path = GUEST / name
        if not path.exists():
            raise Failure(f"there is no {path}: scripts/guest-image builds the guest")
        parts[f"{name}_id"] = image(f"guest-{name}", form, path.read_bytes())
    # What the kernel says of itself costs a guest without KVM half a second.
    made = image("guest", "raw", bytes(1 << 20), os_command_line="console=ttyS0 quiet", **parts)
    client.close()
    return made
