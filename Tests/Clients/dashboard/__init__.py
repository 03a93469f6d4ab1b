"""The dashboard of OpenStack, Horizon, as its users have it: every page that its navigation and its tables lead to, and its forms.

A page that shows a message of an error is a failure, although its status is 200; so is what the dashboard writes to its log that it
could not do.
"""

import os
import re
import subprocess
import time

from harness import HERE, Cloud, Failure, environment, say, show

from . import administrator, member
from .browser import Browser

# What the dashboard writes to its log when it was refused something, or sees something that it cannot show.
COMPLAINT = re.compile(r"^(?:WARNING|ERROR|CRITICAL):(.*)$", re.M)
# What it writes on any cloud: it looks for each kind of console in turn, warns of a call of its own and of formats that Glance has not
# either; and what it makes of the rule that is asked for twice.
OF_ITS_OWN = re.compile(
    r"No available console found|port_list\(\) is called with 'tenant_id'|OPENSTACK_IMAGE_BACKEND|Security group rule quota exceeded"
)


# What it writes when it fails itself.
TRACEBACK = re.compile(r"^Traceback.*\n(?: .*\n)+.*$", re.M)


class Dashboard:
    """A server of the dashboard's for one cloud."""

    START_DEADLINE = 60

    def __init__(self, cloud):
        self.cloud = cloud
        self.log = cloud.directory / "dashboard.log"
        self.process = None

    def __enter__(self):
        python = environment("dashboard") / "python"
        plain = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        own = {
            "KEYSTONE_URL": f"{self.cloud.url}/identity/v3",
            "DJANGO_SETTINGS_MODULE": "dashboard_settings",
            "PYTHONPATH": str(HERE / "dashboard"),
            "PYTHONWARNINGS": "ignore",
        }
        command = [str(python), str(HERE / "dashboard" / "server.py")]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, env=plain | own, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
            )
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            self.__exit__()
            raise Failure(f"the dashboard did not start: {self.said()[-2000:]}")
        self.url = line.split()[1]
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def said(self):
        return self.log.read_text(errors="replace")

    def log_in(self, name, password):
        browser = Browser(self.url)
        browser.log_in(name, password)
        return browser


class Story:
    """What the steps share: the dashboard, its cloud, who is logged in, and what was made."""

    def __init__(self, cloud, dashboard):
        self.cloud = cloud
        self.dashboard = dashboard
        self.api = cloud.admin()

    def becomes(self, server, status, deadline=60):
        """Waits until the server has this status and nothing is done to it."""
        end = time.monotonic() + deadline
        while True:
            shown = self.api.get(f"/compute/v2.1/servers/{server}").json["server"]
            if shown["status"] == status and not shown["OS-EXT-STS:task_state"]:
                return
            if time.monotonic() > end or shown["status"] == "ERROR":
                raise Failure(f"the server is {shown['status']}, {shown.get('fault')}")
            time.sleep(0.1)

    def gone(self, server, deadline=60):
        end = time.monotonic() + deadline
        while self.api.get(f"/compute/v2.1/servers/{server}", status=(200, 404)).status != 404:
            if time.monotonic() > end:
                raise Failure("the server is still there")
            time.sleep(0.1)


def run(binary, report):
    with Cloud(binary) as cloud, Dashboard(cloud) as dashboard:
        story = Story(cloud, dashboard)
        for step in administrator.BEFORE + member.STEPS[:-1] + administrator.STEPS + member.STEPS[-1:]:
            began = time.monotonic()
            name = step.__name__.replace("_", " ")
            with report.case(name):
                step(story)
                say(f"  {name} ({time.monotonic() - began:.1f} s)")
        with report.case("the dashboard's log tells of nothing that it could not do"):
            complaints = sorted({line for line in COMPLAINT.findall(dashboard.said()) if not OF_ITS_OWN.search(line)})
            if complaints:
                raise Failure("\n".join(complaints))
        if report.failures:
            show("\n".join(TRACEBACK.findall(dashboard.said())))
