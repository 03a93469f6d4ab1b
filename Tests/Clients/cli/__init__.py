"""The `openstack` command for everything in Identity and Block Storage that it has a command for, and for metadata definitions.

Each flow makes, lists, shows, changes and deletes one kind of thing, and looks at what is answered after each step. A command
that no flow uses fails the check, so a new one in openstackclient cannot be missed.
"""

import os
import time

from harness import Cloud, Failure, say
from mirror import Mirror

from . import accounts, basics, catalog, delegation, images, metadefs, roles, volumes
from .command_line import COMMANDS, CommandLine, GROUPS
from .flow import Flow

FLOWS = basics.FLOWS + accounts.FLOWS + roles.FLOWS + catalog.FLOWS + delegation.FLOWS + images.FLOWS + metadefs.FLOWS + volumes.FLOWS

# Commands that are not used, each with the reason.
NOT_USED = {
    "federation domain list": "Novella has no federation",
    "federation project list": "Novella has no federation",
    **{
        f"{thing} {verb}": "Novella has no federation"
        for thing in ("federation protocol", "identity provider", "mapping", "service provider")
        for verb in ("create", "delete", "list", "set", "show")
    },
    **{f"volume backup {verb}": "there are no backups of volumes yet" for verb in ("create", "delete", "list", "restore", "set", "show", "unset")},
    **{f"volume backup record {verb}": "there are no backups of volumes yet" for verb in ("export", "import")},
    **{f"block storage cluster {verb}": "no host is in a cluster" for verb in ("set", "show")},
    **{f"volume {thing} failover": "no pool is replicated" for thing in ("group", "host")},
    "block storage cleanup": "openstack 10.5.0 fails where it is given no name of a cluster, and there are none",
    "volume migrate": "each host of the flows has one pool; Tempest moves volumes",
}


def every_command_is_used():
    wanted = {name for name, entry in COMMANDS.items() if entry.group in GROUPS} | {"versions show"}
    missed = wanted - CommandLine.used - set(NOT_USED)
    if missed:
        raise Failure(f"no flow uses {sorted(missed)}")
    if used := CommandLine.used & set(NOT_USED):
        raise Failure(f"used after all: {sorted(used)}")
    say(f"  {len(wanted & CommandLine.used)} of {len(wanted)} commands used")


def run(binary, report):
    # Some flows alone, as FLOW=users,groups: to work on them.
    only = os.environ.get("FLOW")
    with Mirror(os.urandom(50_000)) as mirror, Cloud(binary, {"IMAGES_CACHE_SIZE": 1, "IMAGES_STORES": "file,second", "SIMULATE_HOSTS": 2} | mirror.settings) as cloud:
        flow = Flow(cloud, mirror)
        for one in FLOWS:
            if only and one.__name__ not in only.split(","):
                continue
            began = time.monotonic()
            with report.case(one.__name__.replace("_", " ")):
                one(flow)
                say(f"  {one.__name__.replace('_', ' ')} ({time.monotonic() - began:.1f} s)")
        if not only:
            with report.case("every command is used"):
                every_command_is_used()
        if report.failures:
            print(cloud.tail(20))
