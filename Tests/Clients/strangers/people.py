"""Who asks: the administrator, and members of projects of their own; and what they make to ask about."""

import concurrent.futures
import threading
import time

from harness import Failure, expect, password_login

NETWORK = "/network/v2.0"
COMPUTE = "/compute/v2.1"
IMAGE = "/image/v2"
NOWHERE = "00000000-0000-0000-0000-000000000000"


class Person:
    """A client with its project. What it makes is made with what must not fail."""

    def __init__(self, client, project, user):
        self.client, self.project, self.user = client, project, user

    def ask(self, method, path, body=None, microversion=None, **rest):
        if microversion:
            rest["headers"] = {"OpenStack-API-Version": f"compute {microversion}"} | rest.get("headers", {})
        return self.client.call(method, path, body, **rest)

    def network(self, kind, status=201, **fields):
        """Makes a thing of Networking's; with another status than 201 returns the answer that refuses it."""
        answer = self.ask("POST", f"{NETWORK}/{kind}", {single(kind): fields}, status=status)
        return answer.json[single(kind)] if status == 201 else answer

    def networks(self, kind, query=""):
        return self.ask("GET", f"{NETWORK}/{kind}?{query}", status=200).json[kind.replace("-", "_")]

    def subnet(self, cidr, **fields):
        """A network with a subnet."""
        network = self.network("networks", name="net")
        return self.network("subnets", network_id=network["id"], ip_version=6 if ":" in cidr else 4, cidr=cidr, **fields)

    def image(self, data=b"stranger" * 1000):
        body = {"name": "disk", "disk_format": "raw", "container_format": "bare"}
        image = self.ask("POST", f"{IMAGE}/images", body, status=201).json["id"]
        self.ask("PUT", f"{IMAGE}/images/{image}/file", data, headers={"Content-Type": "application/octet-stream"}, status=204)
        return image

    def boot(self, image, flavor, networks="none", wait=True, **fields):
        server = {"name": "server", "imageRef": image, "flavorRef": flavor, "networks": networks, **fields}
        made = self.ask("POST", f"{COMPUTE}/servers", {"server": server}, microversion="2.37", status=202).json["server"]["id"]
        if wait:
            self.becomes(made, "ACTIVE")
        return made

    def server(self, server):
        return self.ask("GET", f"{COMPUTE}/servers/{server}", status=200).json["server"]

    def becomes(self, server, status, deadline=60):
        end = time.monotonic() + deadline
        while True:
            shown = self.server(server)
            if shown["status"] == status and not shown["OS-EXT-STS:task_state"]:
                return shown
            if time.monotonic() > end or shown["status"] == "ERROR":
                raise Failure(f"the server is {shown['status']}, not {status}: {shown.get('fault')}")
            time.sleep(0.05)

    def act(self, server, action, status=202, **rest):
        body = {action: None} if isinstance(action, str) else action
        return self.ask("POST", f"{COMPUTE}/servers/{server}/action", body, status=status, **rest)

    def delete(self, server):
        self.ask("DELETE", f"{COMPUTE}/servers/{server}", status=204)
        end = time.monotonic() + 60
        while self.ask("GET", f"{COMPUTE}/servers/{server}").status != 404:
            if time.monotonic() > end:
                raise Failure("the server is still there")
            time.sleep(0.05)

    def twin(self):
        """The same person with a connection of its own, for what is asked at the same time."""
        client = type(self.client)(self.client.host, self.client.port)
        client.token = self.client.token
        return Person(client, self.project, self.user)


class People:
    def __init__(self, cloud):
        self.cloud = cloud
        client = cloud.client()
        token = client.log_in(password_login("admin", cloud.password(), {"project": {"name": "admin", "domain": {"id": "default"}}}))
        self.catalog = token["catalog"]
        self.admin = Person(client, token["project"]["id"], token["user"]["id"])
        self.roles = {role["name"]: role["id"] for role in client.get("/v3/roles").json["roles"]}
        self.count = 0

    def member(self):
        """A new user who is a member of a new project."""
        self.count += 1
        name = f"stranger-{self.count}"
        make = self.admin.client.post
        project = make("/v3/projects", {"project": {"name": name, "domain_id": "default"}}).json["project"]["id"]
        user = make("/v3/users", {"user": {"name": name, "password": name, "domain_id": "default"}}).json["user"]["id"]
        self.admin.client.put(f"/v3/projects/{project}/users/{user}/roles/{self.roles['member']}")
        client = self.cloud.client()
        client.log_in(password_login(name, name, {"project": {"name": name, "domain": {"id": "default"}}}))
        return Person(client, project, user)

    def flavor(self, disk=1, **fields):
        self.count += 1
        body = {"name": f"flavor-{self.count}", "vcpus": 1, "ram": 64, "disk": disk, **fields}
        return self.admin.ask("POST", f"{COMPUTE}/flavors", {"flavor": body}, status=200).json["flavor"]["id"]

    def external(self, cidr):
        """An external network of the administrator's: its id."""
        network = self.admin.network("networks", name="outside", **{"router:external": True})["id"]
        self.admin.network("subnets", network_id=network, ip_version=4, cidr=cidr, enable_dhcp=False)
        return network


def single(kind):
    """One of these: `rbac-policies` is made by `rbac_policy`."""
    name = kind.replace("-", "_")
    return name[:-3] + "y" if name.endswith("ies") else name[:-1]


def refused(answer, status, kind=None):
    """The answer is this error, of Networking if a type is named."""
    expect(answer.status, status, f"the status of {answer}")
    if kind:
        expect(answer.json["NeutronError"]["type"], kind, "the type of the error")


def at_once(person, count, ask):
    """The answers of this many clients who ask at the same moment, each with its number."""
    gate = threading.Barrier(count)

    def one(number):
        own = person.twin()
        gate.wait()
        try:
            return ask(own, number)
        finally:
            own.client.close()

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))
