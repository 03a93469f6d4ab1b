"""What strangers' programs found wrong in clouds of this API: their bug reports and tests, each as a case that asserts the right answer.

All cases run on one cloud, over plain HTTP. Each asks as a member of a project of its own, and as the administrator where it says so.
"""

import os
import time

from harness import Cloud, say

from . import compute, disks, everywhere, identity, images, interfaces, networks, security_groups, sharing
from .people import People

CASES = (
    everywhere.CASES
    + identity.CASES
    + images.CASES
    + security_groups.CASES
    + networks.CASES
    + sharing.CASES
    + compute.CASES
    + disks.CASES
    + interfaces.CASES
)


def run(binary, report):
    # Some cases alone, as CASE=a_marker_may_be_a_deleted_server: to work on them.
    only = os.environ.get("CASE")
    with Cloud(binary) as cloud:
        people = People(cloud)
        for case in CASES:
            if only and case.__name__ not in only.split(","):
                continue
            began = time.monotonic()
            with report.case(case.__name__.replace("_", " ")):
                case(people)
            if (took := time.monotonic() - began) > 2:
                say(f"  {case.__name__.replace('_', ' ')} ({took:.1f} s)")
        if report.failures:
            print(cloud.tail(5))
