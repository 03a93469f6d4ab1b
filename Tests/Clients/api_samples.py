"""Compute against the samples of requests and answers that come with Nova's documentation, each at its microversion.

A sample holds from its own microversion to the last one before the next sample of its name: it is tried at both ends, so that a
field that comes early or goes late is seen as well. Of an answer the form is compared: the keys of every object and the types of
all values. A request's sample is sent with the names of things that there are. Every file must be of a case, or left out with a
reason; which case has which file is in `api_sample_cases.py`.
"""

import collections
import importlib.metadata
import json
import os
import pathlib
import re
import sys
import types

from api_sample_cases import CASES, DIFFERENCES, LEFT_OUT, LEFT_OUT_RESOURCES
from harness import ADMIN_PROJECT, Client, Cloud, Failure, password_login, say
from nova_schemas import Walk

NEWEST = 104
SILENT = types.SimpleNamespace(judge=lambda *_: None)
# What has its keys from whoever uses it, or from a driver: its values have the form of one another.
OPEN = {"metadata", "extra_specs", "addresses", "properties", "scheduler_hints", "meta", "hosts", "log"}


def source():
    """The folder of samples: `run` unpacks it beside the Python environment."""
    if "NOVA_SAMPLES" in os.environ:
        return pathlib.Path(os.environ["NOVA_SAMPLES"])
    found = pathlib.Path(sys.prefix) / f"nova-samples-{importlib.metadata.version('nova')}"
    if not found.is_dir():
        raise Failure(f"Nova's samples are not in {found}")
    return found


class Samples:
    """{(resource, stem): {minor: content}}. Some samples are templates that nobody has filled in, which is no harm to a form."""

    def __init__(self, folder):
        self.files = collections.defaultdict(dict)
        for path in sorted(folder.rglob("*.json")):
            resource, *version, name = path.relative_to(folder).parts
            minor = int(version[0].removeprefix("v2.")) if version else 1
            self.files[resource, name.removesuffix(".json")][minor] = json.loads(path.read_text())

    def holding(self, resource, stem, minor):
        """The microversion of the sample that holds at one; None if there is none yet."""
        tried = (own for own in self.files.get((resource, stem), ()) if left_out(resource, stem, own) is None)
        return max((own for own in tried if own <= minor), default=None)

    def newest(self, resource, stem, minor):
        return self.files.get((resource, stem), {}).get(self.holding(resource, stem, minor))

    def all(self):
        return {(resource, stem, minor) for (resource, stem), minors in self.files.items() for minor in minors}


# MARK: Forms


def kind(value):
    if value is None:
        return None
    return {dict: "object", list: "list", bool: "boolean", int: "whole number", float: "number", str: "text"}[type(value)]


def differences(wanted, seen, at="", is_open=False):
    """How the values that were seen at a place differ in form from those of the sample at that place."""
    kinds = {kind(value) for value in wanted} - {None}
    allowed = kinds | ({"whole number"} if "number" in kinds else set())
    if kinds:
        for other in sorted({kind(value) for value in seen} - {None} - allowed):
            yield f"{at or 'the whole'} is a {other}, not a {' or '.join(sorted(kinds))}"
    ours, theirs = ([value for value in values if isinstance(value, dict)] for values in (seen, wanted))
    if is_open:
        yield from differences([v for o in theirs for v in o.values()], [v for o in ours for v in o.values()], at + "/*")
    elif ours and theirs:
        known = set().union(*theirs)
        always = known.intersection(*theirs)
        for name in sorted(set().union(*ours) - known):
            yield f"{at}/{name} is there and is not in the sample"
        for name in sorted(always - always.intersection(*ours)):
            yield f"{at}/{name} is not there"
        for name in sorted(known.intersection(set().union(*ours))):
            values = ([o[name] for o in objects if name in o] for objects in (theirs, ours))
            yield from differences(*values, f"{at}/{name}", name in OPEN)
    ours, theirs = ([element for value in values if isinstance(value, list) for element in value] for values in (seen, wanted))
    if ours and theirs:
        yield from differences(theirs, ours, at + "[]")
    elif theirs and any(isinstance(value, list) for value in seen):
        yield f"{at or 'the whole'} is empty, and there is nothing to compare"


# MARK: The cloud


class World(Walk):
    """A cloud with two hosts and what the samples' requests name. `ids` are what a case's path may have in braces."""

    def __init__(self, cloud):
        super().__init__(cloud, SILENT)
        self.admin = self.api
        self.member = None

    def prepare(self):
        self.identity()
        image, changed = self.image(auto_disk_config="True"), self.image(auto_disk_config="True", kernel_id="nokernel")
        network = self.api.post("/network/v2.0/networks", {"network": {"name": "private"}}).json["network"]["id"]
        subnet = {"network_id": network, "ip_version": 4, "cidr": "192.168.1.0/24"}
        subnet["allocation_pools"] = [{"start": "192.168.1.30", "end": "192.168.1.250"}]
        subnet = self.api.post("/network/v2.0/subnets", {"subnet": subnet}).json["subnet"]["id"]
        # Another project's: a server without a network named has its project's only one.
        outside = {"name": "public", "router:external": True, "project_id": self.ids["other_project"]}
        outside = self.api.post("/network/v2.0/networks", {"network": outside}).json["network"]["id"]
        self.api.post("/network/v2.0/subnets", {"subnet": {"network_id": outside, "ip_version": 4, "cidr": "192.0.2.0/24"}})
        router = {"router": {"name": "r", "external_gateway_info": {"network_id": outside}}}
        router = self.api.post("/network/v2.0/routers", router).json["router"]["id"]
        self.api.put(f"/network/v2.0/routers/{router}/add_router_interface", {"subnet_id": subnet}, 200)
        group = {"security_group": {"name": "test", "description": "d"}}
        group = self.api.post("/network/v2.0/security-groups", group).json["security_group"]["id"]
        self.ids |= {"project": self.project, "image": image, "changed_image": changed, "network": network, "security_group": group}
        for number, (name, ram) in enumerate((("tiny", 512), ("small", 1024), ("medium", 2048), ("specs", 512)), 1):
            number = {4: 6}.get(number, number)
            body = {"id": str(number), "name": f"m1.{name}", "ram": ram, "vcpus": 1, "disk": 1}
            self.compute("POST", "/flavors", {"flavor": body}, 200, minor=55)
        self.compute("POST", "/flavors/6/os-extra_specs", {"extra_specs": {"hw:numa_nodes": "1"}}, 200)
        # Room for all that is made, on each of the hosts.
        self.compute("PUT", f"/os-quota-sets/{self.project}", {"quota_set": {"instances": -1, "cores": -1, "ram": -1}}, 200)
        self.services = {entry["host"]: entry["id"] for entry in self.compute("GET", "/os-services", minor=53)["services"]
                         if entry["binary"] == "nova-compute"}
        for name, user in (("new-key", "admin"), ("another-key", "admin"), ("new-key", "user")):
            self.compute("POST", "/os-keypairs", {"keypair": {"name": name, "type": "ssh", "user_id": self.ids[user]}}, 201, minor=91)
        aggregate = {"aggregate": {"name": "west", "availability_zone": "us-west"}}
        aggregate = self.compute("POST", "/os-aggregates", aggregate, 200, minor=1)["aggregate"]["id"]
        self.compute("POST", f"/os-aggregates/{aggregate}/action", {"add_host": {"host": "host-1"}}, 200)
        group = {"server_group": {"name": "g", "policy": "anti-affinity", "rules": {"max_server_per_host": 3}}}
        group = self.compute("POST", "/os-server-groups", group, 200, minor=64)["server_group"]["id"]
        # The type of a volume that a sample asks for.
        self.api.post("/volume/v3/types", {"volume_type": {"name": "lvm-1"}}, 200)
        self.ids |= {"host": "host-2", "service": self.services["host-2"], "aggregate": aggregate, "group": group}

    def image(self, **properties):
        body = {"name": "i", "disk_format": "raw", "container_format": "bare"} | properties
        made = self.api.post("/image/v2/images", body).json["id"]
        self.api.call("PUT", f"/image/v2/images/{made}/file", b"\0" * 512, {"Content-Type": "application/octet-stream"}, 204)
        return made

    def identity(self):
        user = {"name": "member", "password": "password-of-the-member", "domain_id": "default"}
        member = self.api.post("/v3/users", {"user": user}).json["user"]["id"]
        role = self.api.get("/v3/roles?name=member").json["roles"][0]["id"]
        self.api.put(f"/v3/projects/{self.project}/users/{member}/roles/{role}")
        self.member = Client(self.api.host, self.api.port)
        self.member.log_in(password_login("member", user["password"], ADMIN_PROJECT))
        other = self.api.post("/v3/projects", {"project": {"name": "other", "domain_id": "default"}}).json["project"]["id"]
        admin = self.api.get("/v3/users?name=admin").json["users"][0]["id"]
        self.ids |= {"other_project": other, "user": member, "admin": admin}

    def put_in(self, minor, place):
        """The id of a hypervisor is another thing from 2.53 on."""
        if "{hypervisor}" in place:
            self.ids["hypervisor"] = self.compute("GET", "/os-hypervisors", minor=minor)["hypervisors"][0]["id"]
        return re.sub(r"\{(\w+)\}", lambda found: str(self.ids[found[1]]), place)

    # MARK: Servers

    def spawn(self, **more):
        body = {"name": "new-server-test", "imageRef": self.ids["image"], "flavorRef": "1", "networks": [{"uuid": self.ids["network"]}],
                "metadata": {"foo": "Foo Value"}, "accessIPv4": "1.2.3.4"} | more
        made = self.compute("POST", "/servers", {"server": body}, 202, minor=100)["server"]["id"]
        self.wait(made, "ACTIVE")
        return made

    def shown(self):
        return self.compute("GET", f"/servers/{self.ids['server']}", minor=100)["server"]

    def set(self, status):
        """Brings the server into a status, from whichever it is in."""
        server = self.ids["server"]
        ways_back = {"SHUTOFF": {"os-start": None}, "PAUSED": {"unpause": None}, "SUSPENDED": {"resume": None},
                     "RESCUE": {"unrescue": None}, "VERIFY_RESIZE": {"revertResize": None}, "SHELVED_OFFLOADED": {"unshelve": None}}
        ways = {"SHUTOFF": {"os-stop": None}, "PAUSED": {"pause": None}, "SUSPENDED": {"suspend": None}, "RESCUE": {"rescue": {}},
                "VERIFY_RESIZE": {"resize": {"flavorRef": "2"}}, "SHELVED_OFFLOADED": {"shelve": None}}
        self.until("the server is at rest", lambda: self.shown()["OS-EXT-STS:task_state"] is None)
        now = self.shown()["status"]
        if now == status:
            return
        if now != "ACTIVE":
            self.compute("POST", f"/servers/{server}/action", ways_back[now], (200, 202))
            self.wait(server, "ACTIVE")
        if status != "ACTIVE":
            self.compute("POST", f"/servers/{server}/action", ways[status], (200, 202))
            self.wait(server, status)

    def other_host(self):
        return "host-1" if self.shown()["OS-EXT-SRV-ATTR:host"] == "host-2" else "host-2"

    # MARK: Requests

    def fit(self, value, key=None, around=None):
        """A sample's body with the ids of things that there are in place of those that it has."""
        if isinstance(value, dict):
            return {name: self.fit(member, name, value) for name, member in value.items()}
        if isinstance(value, list) and key != "trusted_image_certificates":
            return [self.fit(member, key, around) for member in value]
        if key in ("imageRef", "rescue_image_ref") or (key == "id" and set(around) == {"id"}) or (
                key == "uuid" and around.get("source_type") == "image"):
            return self.ids["image"]
        if key == "networks" and value == "auto":
            # Novella allocates no networks by itself.
            return [{"uuid": self.ids["network"]}]
        if key in ("host", "hypervisor_hostname") and value is not None:
            return self.ids["host"]
        known = {
            "uuid": "network", "net_id": "network", "networkId": "network", "port_id": "port", "tenant": "project", "user_id": "user",
            "same_host": "server", "group": "group", "server_uuid": "server", "parent_group_id": "security_group", "address": "address",
            "fixed_address": "fixed_address", "volumeId": "volume", "volume_id": "volume", "serverId": "server",
        }
        if key in known and known[key] in self.ids:
            return self.ids[known[key]]
        return self.ids.get("zone", "us-west") if value in ("us-west", "%(availability_zone)s") else value


# MARK: The check


class Check:
    def __init__(self, world, samples):
        self.world = world
        self.samples = samples
        self.answers = 0
        self.mapped = set()
        self.wrong = {}
        self.met = set()

    def is_meant(self, difference):
        found = [known for known in DIFFERENCES if re.fullmatch(known, difference)]
        self.met |= set(found)
        return bool(found)

    def versions(self, case):
        """The microversions at which a case is tried, each with the files that are tried there."""
        stems = [stem for stem in (case.request, case.answer) if stem]
        own = set(case.at) or {
            minor for stem in stems for minor in self.samples.files.get((case.resource, stem), ())
            if left_out(case.resource, stem, minor) is None and case.first <= minor <= case.last}
        ends = sorted(own | set(case.breaks)) + [case.last + 1]
        for minor in sorted(own):
            files = [(case.resource, stem, self.samples.holding(case.resource, stem, minor)) for stem in stems]
            last = next(end for end in ends if end > minor) - 1
            yield [minor, last] if last > minor and not case.at else [minor], [file for file in files if file[2] is not None]

    def run(self, case):
        for minors, files in self.versions(case):
            self.mapped |= set(files)
            for minor in minors:
                try:
                    problems = self.one(case, minor)
                except Failure as failure:
                    problems = [str(failure)]
                except (KeyError, IndexError, StopIteration) as error:
                    problems = [f"{type(error).__name__} {error}"]
                for file in files if problems else ():
                    self.wrong.setdefault(file, f"{case.method} {case.place(minor)} at 2.{minor}: {'; '.join(problems[:8])}")

        if case.last < NEWEST and case.method == "GET" and not (case.at or case.before):
            client, place = self.world.admin, "/compute/v2.1" + self.world.put_in(case.last, case.place(case.last))
            answer = client.call("GET", place, None, {"OpenStack-API-Version": f"compute 2.{case.last + 1}"})
            if answer.status != 404:
                why = f"GET {place} is no more at 2.{case.last + 1}, and was answered: {answer}"
                self.wrong.setdefault((case.resource, case.answer, 1), why)

    def one(self, case, minor):
        world = self.world
        home = dict(world.ids)
        try:
            if case.state:
                world.set(case.state)
            if case.before:
                case.before(world, minor)
            wanted = self.samples.newest(case.resource, case.answer, minor) if case.answer else None
            body = world.fit(self.samples.newest(case.resource, case.request, minor)) if case.request else None
            if case.edit:
                body = case.edit(body, minor, world)
            place = world.put_in(minor, case.place(minor))
            place = place.removeprefix("raw:") if place.startswith("raw:") else "/compute/v2.1" + place
            client = world.member if case.by_member(wanted) else world.admin
            # The body of a request is what the sample has: the status says whether it was taken.
            answer = client.call(case.method, place, body, {"OpenStack-API-Version": f"compute 2.{minor}"})
            self.answers += 1
            problems = []
            if answer.status != case.code(minor):
                problems = [f"expected {case.code(minor)}, saw {answer}"]
            elif wanted is not None:
                problems = [
                    problem for problem in differences([wanted], [answer.json] if answer.content else [None], is_open=case.is_open)
                    if not self.is_meant(f"{case.resource}/{case.answer}: {problem}")]
            elif answer.content and case.method != "GET" and case.is_empty:
                problems = [f"an empty answer was expected, saw {answer}"]
            if case.after:
                case.after(world, answer, minor)
            return problems
        finally:
            world.ids = home
            if case.state and case.is_settled:
                world.set("ACTIVE")


def left_out(resource, stem, minor):
    """The reason why a file is not tried; None for one that is."""
    if resource in LEFT_OUT_RESOURCES:
        return LEFT_OUT_RESOURCES[resource]
    name = f"{resource}/v2.{minor}/{stem}"
    return next((reason for pattern, reason in LEFT_OUT.items() if re.fullmatch(pattern, name)), None)


def run(binary, report):
    samples = Samples(source())
    with Cloud(binary, {"SIMULATE_HOSTS": 2}) as cloud:
        world = World(cloud)
        world.prepare()
        check = Check(world, samples)
        only = os.environ.get("SAMPLES")
        for case in CASES:
            if callable(case):
                case(world)
            elif only is None or case.resource in only.split(","):
                check.run(case)
        if only is None:
            account(check, samples, report)
        else:
            for file, why in sorted(check.wrong.items()):
                report.fail("{0}/v2.{2}/{1}".format(*file), why)
            report.pass_(len(check.mapped - set(check.wrong)))
        if report.failures:
            print(cloud.tail(20))


def stale(check, samples, report):
    """What speaks of a file, or of a difference, that there is not."""
    names = ["{0}/v2.{2}/{1}".format(*file) for file in samples.all()]
    for pattern in [pattern for pattern in LEFT_OUT if not any(re.fullmatch(pattern, name) for name in names)]:
        report.fail(pattern, "it is left out, and there is no such file")
    for resource in set(LEFT_OUT_RESOURCES) - {file[0] for file in samples.all()}:
        report.fail(resource, "it is left out, and there is no such folder")
    for pattern in set(DIFFERENCES) - check.met:
        report.fail(pattern, "it is a difference that is meant, and was not seen")
    for case in CASES:
        for stem in () if callable(case) else filter(None, (case.request, case.answer)):
            if (case.resource, stem) not in samples.files:
                report.fail(f"{case.resource}/{stem}", "a case has it, and there is no such file")


def account(check, samples, report):
    """Every file is passed, failed or left out."""
    reasons = collections.Counter()
    for file in sorted(samples.all()):
        name = "{0}/v2.{2}/{1}".format(*file)
        reason = left_out(*file)
        if reason and file in check.mapped:
            report.fail(name, f"it is tried, and left out as well: {reason}")
        elif file in check.wrong:
            report.fail(name, check.wrong[file])
        elif file in check.mapped:
            report.pass_()
        elif reason:
            reasons[reason] += 1
        else:
            report.fail(name, "it is in no case, and is not left out")
    stale(check, samples, report)
    say(f"  {check.answers} requests; {sum(reasons.values())} of {len(samples.all())} files left out:")
    for reason, count in reasons.most_common():
        say(f"    {count:3d} {reason}")
