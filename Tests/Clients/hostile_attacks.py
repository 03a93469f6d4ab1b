"""What a hostile tenant sends: every attack that was once found, and inputs made from the table of limits (docs/limits.md).

An attack is a function of a Tenant that sends one request, or a few that belong together, and returns the last status. `tenant.scale` is 1 or
10: each input also comes tenfold.
"""

import json
import re
import socket
import time
import urllib.parse

from harness import ROOT, Client, password_login

IDENTITY = "/identity/v3"
COMPUTE = "/compute/v2.1"
NETWORK = "/network/v2.0"
IMAGES = "/image/v2/images"
LATEST = {"OpenStack-API-Version": "compute 2.104"}
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
CLOSED = "closed"


def table_of_limits():
    """The numbers of docs/limits.md by their names."""
    text = (ROOT / "docs" / "limits.md").read_text()
    return {name: int(number) for name, number in re.findall(r"^\| `(\w+)` \| .*? \| (\d+) \| .*? \|$", text, re.M)}


LIMITS = table_of_limits()


class Tenant:
    """A member of one project, with one connection."""

    def __init__(self, facts, random):
        self.facts, self.random = facts, random
        self.client = Client(facts["host"], facts["port"], timeout=20)
        self.client.token = facts["token"]
        self.scale = 1
        self.made = {}

    def call(self, method, path, body=None, headers=None):
        return self.client.call(method, path, body, headers)

    def status(self, *arguments):
        return self.call(*arguments).status

    def once(self, name, make):
        """What the attack needs and makes only once: an id, or None where it is refused."""
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]

    def number(self, name):
        """A number at a limit, one more, or a multiple of it."""
        return (LIMITS[name] + self.random.choice((0, 1))) * self.scale

    def image(self):
        return self.once("image", lambda: self.call("POST", IMAGES, {"name": "b", "disk_format": "raw", "container_format": "bare"}).json["id"])

    def network(self):
        def make():
            answer = self.call("POST", f"{NETWORK}/networks", {"network": {"name": "b"}})
            if answer.status == 201:
                return answer.json["network"]["id"]
            return self.call("GET", f"{NETWORK}/networks?name=b").json["networks"][0]["id"]

        return self.once("network", make)

    def abandon(self, method, path, body=b"", rest=b""):
        """Sends a request and leaves before the answer."""
        with socket.create_connection((self.client.host, self.client.port), timeout=20) as connection:
            head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {self.client.token}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body[: len(body) - len(rest)])
        return CLOSED


# MARK: What was found


def huge_counts(b):
    server = {"name": "b", "imageRef": b.facts["image"], "flavorRef": "f", "networks": "none", "min_count": 1, "max_count": 9 * 10**17 * b.scale}
    return b.status("POST", f"{COMPUTE}/servers", {"server": server}, LATEST)


def endless_patterns(b):
    pattern = "^(" + "a+" * 20 * b.scale + ")+$"
    name = b.random.choice(("name", "ip", "ip6", "description"))
    return b.status("GET", f"{COMPUTE}/servers/detail?{name}={urllib.parse.quote(pattern)}", None, LATEST)


def long_ranges(b):
    return b.status("GET", f"{IMAGES}/{b.facts['image']}/file", None, {"Range": "bytes=" + " " * min(3000 * b.scale, 30_000) + "x"})


def starry_rules(b):
    rule = {"service": "identity", "method": "GET", "path": "/" + "**/" * 7 * b.scale + "zz"}
    body = {"application_credential": {"name": f"r{b.random.random()}", "access_rules": [rule]}}
    answer = b.call("POST", f"{IDENTITY}/users/{b.facts['user']}/application_credentials", body)
    if answer.status != 201:
        return answer.status
    made = answer.json["application_credential"]
    method = {"methods": ["application_credential"], "application_credential": {"id": made["id"], "secret": made["secret"]}}
    answer = b.call("POST", f"{IDENTITY}/auth/tokens", {"auth": {"identity": method}})
    token = {"X-Auth-Token": answer.headers["X-Subject-Token"] or ""}
    status = b.status("GET", f"{IDENTITY}/OS-INHERIT/domains/default/users/u/roles/x/inherited_to_projects", None, token)
    b.call("DELETE", f"{IDENTITY}/users/{b.facts['user']}/application_credentials/{made['id']}")
    return status


def sort_keys(b):
    keys = ["name", "id", "status", "created_at"] * (b.number("sortKeys") // 4 + 1)
    what = b.random.choice((0, 1, 2))
    if what == 0:
        return b.status("GET", f"{IMAGES}?marker={b.image()}&sort=" + ",".join(keys))
    if what == 1:
        return b.status("GET", f"{NETWORK}/networks?marker={b.network()}&" + "&".join(f"sort_key={key}" for key in keys))
    return b.status("GET", f"{COMPUTE}/servers/detail?" + "&".join(f"sort_key={key}" for key in keys), None, LATEST)


def slow_upload(b):
    """A part of the data, and no more of it for a moment."""
    image = b.image()
    with socket.create_connection((b.client.host, b.client.port), timeout=20) as connection:
        head = f"PUT {IMAGES}/{image}/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {b.client.token}\r\n"
        connection.sendall((head + "Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n").encode())
        connection.settimeout(0.05)
        for _ in range(10 * b.scale):
            connection.sendall(b"1\r\nx\r\n")
            try:
                return int(connection.recv(4096).split()[1])
            except TimeoutError:
                pass
            except IndexError:
                return CLOSED
    return CLOSED


def slow_download(b):
    """The beginning of an image that fills the socket, and no more of it for a moment."""

    def make():
        image = b.call("POST", IMAGES, {"name": "large", "disk_format": "raw", "container_format": "bare"}).json["id"]
        answer = b.call("PUT", f"{IMAGES}/{image}/file", bytes(8 << 20), {"Content-Type": "application/octet-stream"})
        return image if answer.status == 204 else None

    image = b.once("large", make)
    if not image:
        return CLOSED
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect((b.client.host, b.client.port))
        head = f"GET {IMAGES}/{image}/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {b.client.token}\r\n\r\n"
        connection.sendall(head.encode())
        status = int(connection.recv(64).split()[1])
        time.sleep(0.2 * b.scale)
    return status


def web_download(b):
    answer = b.call("POST", IMAGES, {"name": "w", "disk_format": "raw", "container_format": "bare"})
    if answer.status != 201:
        return answer.status
    url = f"http://127.0.0.1:{b.facts['source']}/x"
    status = b.status("POST", f"{IMAGES}/{answer.json['id']}/import", {"method": {"name": "web-download", "uri": url}})
    b.call("DELETE", f"{IMAGES}/{answer.json['id']}")
    return status


def image_properties(b):
    answer = b.call("POST", IMAGES, {"name": "p", **{f"p{number}": "v" * 1000 for number in range(b.number("imageProperties"))}})
    if answer.status == 201:
        changes = [{"op": "remove", "path": f"/p{number}"} for number in range(100)]
        b.call("PATCH", f"{IMAGES}/{answer.json['id']}", json.dumps(changes).encode(), PATCH)
    return answer.status


def image_list(b):
    return b.status("GET", f"{IMAGES}?limit=1000")


def subnet_pools(b):
    def make():
        answer = b.call("POST", f"{NETWORK}/address-scopes", {"address_scope": {"name": "s", "ip_version": 4}})
        return answer.json["address_scope"]["id"] if answer.status == 201 else None

    base = b.random.randrange(1 << 23)
    numbers = iter(range(base, base + (1 << 22), 2))
    addresses = (f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}/32" for number in numbers)
    count, each = 10 * b.scale, 100
    pools = [{"name": "p", "address_scope_id": b.once("scope", make), "default_prefixlen": 32, "prefixes": [next(addresses) for _ in range(each)]}
             for _ in range(count)]
    return b.status("POST", f"{NETWORK}/subnetpools", {"subnetpools": pools})


def address_groups(b):
    def make():
        answer = b.call("POST", f"{NETWORK}/address-groups", {"address_group": {"name": "g"}})
        return answer.json["address_group"]["id"] if answer.status == 201 else None

    base = b.random.randrange(1 << 23)
    addresses = [f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}/32" for number in range(base, base + b.number("addresses"))]
    path = f"{NETWORK}/address-groups/{b.once('group', make)}"
    status = b.status("PUT", f"{path}/add_addresses", {"address_group": {"addresses": addresses}})
    if status == 200:
        b.call("PUT", f"{path}/remove_addresses", {"address_group": {"addresses": addresses}})
    return status


def long_bodies(b):
    body = json.dumps({"network": {f"a{number}": 1 for number in range(7000 * b.scale)}}).encode()
    return b.status("POST", f"{NETWORK}/networks", body)


def deep_bodies(b):
    depth = b.number("bodyDepth")
    return b.status("POST", f"{COMPUTE}/servers", b'{"a":' * depth + b"1" + b"}" * depth, LATEST)


def revocations(b):
    body = {"auth": {"identity": {"methods": ["token"], "token": {"id": b.client.token}}, "scope": b.facts["scope"]}}
    answer = b.call("POST", f"{IDENTITY}/auth/tokens", body)
    if answer.status != 201:
        return answer.status
    return b.status("DELETE", f"{IDENTITY}/auth/tokens", None, {"X-Subject-Token": answer.headers["X-Subject-Token"]})


def wrong_log_ins(b):
    # Not for B itself, whose right log-ins would have to wait.
    return b.status("POST", f"{IDENTITY}/auth/tokens", password_login(f"nobody{b.random.randrange(1000)}", "wrong" * 10 * b.scale))


def right_log_ins(b):
    return b.status("POST", f"{IDENTITY}/auth/tokens", password_login(b.facts["name"], b.facts["password"], b.facts["scope"]))


def wrong_passcodes(b):
    user = {"id": b.facts["user"], "passcode": f"{b.random.randrange(10**6):06d}"}
    return b.status("POST", f"{IDENTITY}/auth/tokens", {"auth": {"identity": {"methods": ["totp"], "totp": {"user": user}}}})


def secrets(b):
    credential = {"type": "totp", "blob": "GEZDGNBVGY3TQOJQ" * b.scale, "user_id": b.facts["user"]}
    return b.status("POST", f"{IDENTITY}/credentials", {"credential": credential})


def server_metadata(b):
    server = {"name": "b", "imageRef": b.facts["image"], "flavorRef": "f", "networks": "none"}
    server["metadata"] = {f"k{number}": "v" * 200 for number in range(129 * b.scale)}
    return b.status("POST", f"{COMPUTE}/servers", {"server": server}, LATEST)


def tag_filters(b):
    tags = ",".join(f"t{number}" for number in range(b.number("filterValues")))
    name = b.random.choice(("tags", "tags-any", "not-tags", "not-tags-any"))
    path = b.random.choice((f"{IDENTITY}/projects", f"{NETWORK}/networks", f"{COMPUTE}/servers"))
    return b.status("GET", f"{path}?{name}={tags}", None, LATEST)


# MARK: From the table


def many_items(b):
    path = b.random.choice((f"{NETWORK}/ports", IMAGES, f"{COMPUTE}/servers", f"{IDENTITY}/users"))
    return b.status("GET", f"{path}?" + "&".join(f"name=x{number}" for number in range(b.number("queryItems"))))


def long_queries(b):
    return b.status("GET", f"{NETWORK}/networks?name=" + "x" * min(b.number("queryLength"), 30_000 * b.scale))


def bulks(b):
    networks = [{"name": "b"} for _ in range(b.number("bulk"))]
    return b.status("POST", f"{NETWORK}/networks", {"networks": networks})


def many_values(b):
    body = json.dumps({"network": {"x": [1] * b.number("bodyValues")}}).encode()
    return b.status("POST", f"{NETWORK}/networks", body)


def things(b):
    """The lists of one thing, at their limits."""
    tags = [f"t{number}" for number in range(b.number("tags"))]
    rules = [{"service": "compute", "method": "GET", "path": f"/{number}"} for number in range(b.number("accessRules"))]
    options = [{"opt_name": f"{number}", "opt_value": "x"} for number in range(b.number("dhcpOptions"))]
    pairs = [{"ip_address": f"10.0.{number >> 8 & 255}.{number & 255}"} for number in range(b.number("addressPairs"))]
    port = {"network_id": b.network(), "extra_dhcp_opts": options, "allowed_address_pairs": pairs}
    choice = b.random.randrange(4)
    if choice == 0:
        return b.status("PUT", f"{NETWORK}/networks/{b.network()}/tags", {"tags": tags})
    if choice == 1:
        credential = {"name": "a", "access_rules": rules}
        return b.status("POST", f"{IDENTITY}/users/{b.facts['user']}/application_credentials", {"application_credential": credential})
    if choice == 2:
        answer = b.call("POST", f"{NETWORK}/ports", {"port": port})
        if answer.status == 201:
            b.call("DELETE", f"{NETWORK}/ports/{answer.json['port']['id']}")
        return answer.status
    return b.status("PATCH", f"{IMAGES}/{b.image()}", json.dumps([{"op": "replace", "path": "/tags", "value": tags}]).encode(), PATCH)


def owned(b):
    """The things of a user and a project, until there is no room for more."""
    choice = b.random.randrange(5)
    if choice == 0:
        return b.status("POST", f"{NETWORK}/address-groups", {"address_groups": [{"name": "g"}] * 20 * b.scale})
    if choice == 1:
        return b.status("POST", f"{NETWORK}/address-scopes", {"address_scope": {"name": "s", "ip_version": 4}})
    if choice == 2:
        return b.status("POST", f"{IDENTITY}/users/{b.facts['user']}/credentials/OS-EC2", {"tenant_id": b.facts["project"]})
    if choice == 3:
        return b.status("POST", f"{COMPUTE}/os-server-groups", {"server_group": {"name": "g", "policy": "affinity"}}, LATEST)
    return b.status("POST", IMAGES, {"name": "many"})


def abandoned(b):
    """Requests whose client leaves, some in the middle of the body."""
    choice = b.random.randrange(3)
    if choice == 0:
        return b.abandon("GET", f"{IMAGES}?limit=1000")
    if choice == 1:
        body = json.dumps({"networks": [{"name": "b"}] * 100 * b.scale}).encode()
        return b.abandon("POST", f"{NETWORK}/networks", body, rest=body[-10:])
    return b.abandon("GET", f"{COMPUTE}/servers/detail?limit=1000")


ATTACKS = {
    attack.__name__.replace("_", "-"): attack
    for attack in (
        huge_counts, endless_patterns, long_ranges, starry_rules, sort_keys, slow_upload, slow_download, web_download,
        image_properties, image_list, subnet_pools, address_groups, long_bodies, deep_bodies, revocations, wrong_log_ins,
        right_log_ins, wrong_passcodes, secrets, server_metadata, tag_filters, many_items, long_queries, bulks, many_values,
        things, owned, abandoned,
    )
}
