"""What one member can do to everybody else: each attack that was once found, with the latency of others meanwhile.

It is a measurement. A row fails only when others get no answer at all, or when the attack is not answered as it must be. Each attack has
a cloud of its own. `ATTACKS=repeated-sort-keys,…` chooses some of them; `SECONDS=10` is how long each lasts.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
import statistics
import struct
import threading
import time
import urllib.parse

from harness import Client, Cloud, Failure, SlowSource, password_login, say

SECONDS = float(os.environ.get("SECONDS", "8"))
# Longer than this an answer is none.
PATIENCE = 6
IMAGES = "/image/v2/images"
NETWORK = "/network/v2.0"
COMPUTE = "/compute/v2.1"
LATEST = {"OpenStack-API-Version": "compute 2.104"}
DEMO = {"project": {"name": "demo", "domain": {"id": "default"}}}


class Scene:
    """A cloud with an attacker, who is a member of one project, and a bystander, who works in another."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.admin = cloud.admin()
        self.admin.timeout = 60
        self.admin.post(f"{COMPUTE}/flavors", {"flavor": {"id": "f", "name": "f", "ram": 64, "vcpus": 1, "disk": 1}}, 200)
        self.image = self.make_image(self.admin, b"\0" * 512)
        self.attacker = self.member()
        self.extra = None

    def member(self, scope=DEMO):
        client = self.cloud.client()
        client.timeout = PATIENCE
        self.token = client.log_in(password_login("demo", self.cloud.password("demo"), scope))
        return client

    def another(self, like):
        client = Client(like.host, like.port, timeout=like.timeout)
        client.token = like.token
        return client

    def make_image(self, client, data=None, **properties):
        body = {"name": "x", "disk_format": "raw", "container_format": "bare", **properties}
        if client is self.admin:
            body["visibility"] = "public"
        answer = client.call("POST", IMAGES, body)
        if answer.status != 201:
            return answer.status
        if data is not None:
            client.put(f"{IMAGES}/{answer.json['id']}/file", data, headers={"Content-Type": "application/octet-stream"})
        return answer.json["id"]

    def server(self, client, **more):
        body = {"server": {"name": "x", "imageRef": self.image, "flavorRef": "f", "networks": "none", **more}}
        return client.call("POST", f"{COMPUTE}/servers", body, LATEST)

    def await_server(self, client, server):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            status = client.get(f"{COMPUTE}/servers/{server}", headers=LATEST).json["server"]["status"]
            if status != "BUILD":
                return status
            time.sleep(0.02)
        raise Failure("the server is still built")


# What others do meanwhile. Each is one request, or what a user takes for one.


def read_own_projects(scene, client):
    client.get("/identity/v3/auth/projects")


def list_own_servers(scene, client):
    client.get(f"{COMPUTE}/servers/detail?status=ACTIVE", headers=LATEST)


def build_a_server(scene, client):
    answer = scene.server(client)
    if answer.status != 202:
        raise Failure(repr(answer))
    scene.await_server(client, answer.json["server"]["id"])
    client.delete(f"{COMPUTE}/servers/{answer.json['server']['id']}")


def upload_an_image(scene, client):
    image = scene.make_image(client, b"\0" * 1024)
    client.delete(f"{IMAGES}/{image}")


def write_a_network(scene, client):
    client.put(f"{NETWORK}/networks/{scene.network}", {"network": {"name": f"n{time.monotonic()}"}}, 200)


# The attacks. `prepare` may keep something in scene.extra; `strike` is repeated by each of the clients and returns a status.


class Attack:
    def __init__(self, name, prepare, strike, clients, wanted, others=read_own_projects, settings=None):
        self.name, self.prepare, self.strike, self.clients = name, prepare, strike, clients
        self.wanted, self.others, self.settings = wanted, others, settings or {}


def nothing(scene):
    return None


def huge_counts(scene, client):
    return scene.server(client, min_count=1, max_count=9_000_000_000_000_000_000).status


def prepare_names(scene):
    answer = scene.server(scene.attacker, name="a" * 60 + "!")
    scene.await_server(scene.attacker, answer.json["server"]["id"])


def endless_name(scene, client):
    return client.call("GET", f"{COMPUTE}/servers?name=%5E(a%2B)%2B%24").status


def prepare_data(scene):
    scene.extra = scene.make_image(scene.attacker, b"\0" * 4096)


def long_range(scene, client):
    return client.call("GET", f"{IMAGES}/{scene.extra}/file", headers={"Range": "bytes=" + " " * 8000 + "x"}).status


def prepare_rules(scene):
    user = scene.token["user"]["id"]
    rule = {"service": "identity", "method": "GET", "path": "/" + "**/" * 24 + "zz"}
    answer = scene.attacker.call(
        "POST", f"/identity/v3/users/{user}/application_credentials", {"application_credential": {"name": "x", "access_rules": [rule]}})
    if answer.status != 201:
        scene.extra = answer.status
        return
    made = answer.json["application_credential"]
    client = scene.cloud.client()
    client.timeout = PATIENCE
    client.log_in({"auth": {"identity": {
        "methods": ["application_credential"], "application_credential": {"id": made["id"], "secret": made["secret"]}}}})
    scene.extra = client
    scene.path = f"/identity/v3/OS-INHERIT/domains/default/users/{user}/roles/x/inherited_to_projects"


def starry_rules(scene, client):
    if isinstance(scene.extra, int):
        return scene.extra
    return scene.another(scene.extra).call("GET", scene.path).status


def repeated_sort_keys(scene, client):
    return client.call("GET", f"{IMAGES}?marker={scene.extra}&sort=" + ",".join(["name"] * 24)).status


def many_sort_keys(scene, client):
    return client.call("GET", f"{NETWORK}/networks?marker={scene.extra}&" + "&".join(["sort_key=name"] * 250)).status


def prepare_network(scene):
    scene.extra = scene.attacker.post(f"{NETWORK}/networks", {"network": {"name": "x"}}).json["network"]["id"]


SOURCE = SlowSource()
SOURCE_SETTINGS = {
    "IMPORT_FILTERING_OPTS_PRIVATE_HOSTS": "127.0.0.1",
    "IMPORT_FILTERING_OPTS_ALLOWED_PORTS": str(SOURCE.server_address[1]),
}


def slow_downloads(scene, client):
    image = scene.make_image(client)
    if isinstance(image, int):
        return image
    method = {"name": "web-download", "uri": f"http://127.0.0.1:{SOURCE.server_address[1]}/x"}
    return client.call("POST", f"{IMAGES}/{image}/import", {"method": method}).status


def slow_uploads(scene, client):
    """One byte every second for as long as the attack lasts. Returns the status if there is one before."""
    image = scene.make_image(client)
    connection = socket.create_connection((client.host, client.port), timeout=PATIENCE)
    try:
        connection.sendall((
            f"PUT {IMAGES}/{image}/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {client.token}\r\n"
            "Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n").encode())
        end = time.monotonic() + SECONDS
        connection.settimeout(1)
        while time.monotonic() < end:
            connection.sendall(b"1\r\nx\r\n")
            try:
                return int(connection.recv(4096).split()[1])
            except TimeoutError:
                pass
    except (OSError, IndexError):
        return "closed"
    finally:
        connection.close()
    return "slow"


def many_properties(scene, client):
    answer = client.call("POST", IMAGES, {"name": "x", **{f"p{number}": "v" for number in range(9_000)}})
    if answer.status != 201:
        return answer.status
    changes = [{"op": "remove", "path": f"/p{number}"} for number in range(9_000)]
    headers = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
    return client.call("PATCH", f"{IMAGES}/{answer.json['id']}", json.dumps(changes).encode(), headers).status


def list_of_properties(scene, client):
    return client.call("GET", f"{IMAGES}?limit=1000").status


def prepare_property_images(scene):
    for _ in range(20):
        scene.attacker.call("POST", IMAGES, {"name": "x", **{f"p{number}": "v" for number in range(9_000)}})


def prepare_scope(scene):
    scene.extra = scene.attacker.post(f"{NETWORK}/address-scopes", {"address_scope": {"name": "s", "ip_version": 4}}).json["address_scope"]["id"]


def many_prefixes(scene, client):
    # Every other address: neighbours would become one prefix.
    numbers = iter(range(0, 1 << 24, 2))
    scene.base = getattr(scene, "base", 0) + (1 << 16)

    def address():
        number = scene.base + next(numbers)
        return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}/32"

    pools = [{"name": "p", "address_scope_id": scene.extra, "default_prefixlen": 32, "prefixes": [address() for _ in range(1000)]}
             for _ in range(20)]
    return client.call("POST", f"{NETWORK}/subnetpools", {"subnetpools": pools}).status


def prepare_group(scene):
    scene.extra = scene.attacker.post(f"{NETWORK}/address-groups", {"address_group": {"name": "g"}}).json["address_group"]["id"]
    scene.count = 0


def many_addresses(scene, client):
    scene.count += 10_000
    addresses = [f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}/32" for number in range(scene.count, scene.count + 10_000)]
    return client.call("PUT", f"{NETWORK}/address-groups/{scene.extra}/add_addresses", {"address_group": {"addresses": addresses}}).status


def prepare_unscoped(scene):
    scene.extra = scene.member("unscoped")
    members = {f"a{number}": 1 for number in range(600_000)}
    scene.body = json.dumps({"network": members}).encode()[: (8 << 20) - 1]


def long_bodies(scene, client):
    return scene.another(scene.extra).call("POST", f"{NETWORK}/networks", scene.body).status


def many_revocations(scene, client):
    body = {"auth": {"identity": {"methods": ["token"], "token": {"id": client.token}}, "scope": DEMO}}
    answer = client.call("POST", "/identity/v3/auth/tokens", body)
    if answer.status == 201:
        return client.call("DELETE", "/identity/v3/auth/tokens", headers={"X-Subject-Token": answer.headers["X-Subject-Token"]}).status
    return answer.status


def prepare_totp(scene):
    scene.secret = base64.b32encode(b"12345678901234567890").decode()
    scene.user = scene.token["user"]["id"]
    body = {"credential": {"type": "totp", "blob": scene.secret, "user_id": scene.user}}
    scene.attacker.post("/identity/v3/credentials", body)


def passcode(secret, at):
    key = base64.b32decode(secret)
    digest = hmac.new(key, struct.pack(">Q", int(at) // 30), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset:offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def guess_passcodes(scene, client):
    def log_in(code):
        user = {"id": scene.user, "passcode": code}
        body = {"auth": {"identity": {"methods": ["totp"], "totp": {"user": user}}}}
        return scene.cloud.client().call("POST", "/identity/v3/auth/tokens", body).status

    for _ in range(20):
        log_in("000000")
    return log_in(passcode(scene.secret, time.time()))


def many_secrets(scene, client):
    secret = base64.b32encode(os.urandom(20)).decode()
    return client.call("POST", "/identity/v3/credentials", {"credential": {"type": "totp", "blob": secret, "user_id": scene.token["user"]["id"]}}).status


def prepare_server(scene):
    answer = scene.server(scene.attacker)
    scene.extra = answer.json["server"]["id"]
    scene.await_server(scene.attacker, scene.extra)


def much_metadata(scene, client):
    body = {"rebuild": {"imageRef": scene.image, "metadata": {f"k{number}": "v" for number in range(900)}}}
    return client.call("POST", f"{COMPUTE}/servers/{scene.extra}/action", body, LATEST).status


def many_tags(scene, client):
    tags = urllib.parse.quote(",".join(f"t{number}" for number in range(3000)))
    return scene.another(scene.admin).call("GET", f"/identity/v3/projects?tags={tags}").status


REFUSED = {400, 403, 409, 413, 429}
ATTACKS = [
    Attack("huge-counts", nothing, huge_counts, 2, {202, 403}),
    Attack("endless-name-pattern", prepare_names, endless_name, 10, {200, 400}, list_own_servers),
    Attack("long-range-header", prepare_data, long_range, 4, {200, 400, 416}),
    Attack("starry-access-rules", prepare_rules, starry_rules, 2, {400, 401, 403}),
    Attack("repeated-sort-keys", prepare_data, repeated_sort_keys, 2, {200, 400}),
    Attack("many-sort-keys", prepare_network, many_sort_keys, 2, {200, 400}),
    Attack("slow-downloads", nothing, slow_downloads, 4, {202, 403, 409, 413, 503}, build_a_server, SOURCE_SETTINGS),
    Attack("slow-uploads", nothing, slow_uploads, 20, {"slow", "closed", 408, 503}, upload_an_image),
    Attack("many-properties", nothing, many_properties, 1, {413}, write_a_network),
    Attack("list-of-properties", prepare_property_images, list_of_properties, 2, {200}),
    Attack("many-prefixes", prepare_scope, many_prefixes, 1, REFUSED | {201}, write_a_network),
    Attack("many-addresses", prepare_group, many_addresses, 1, REFUSED | {200}, write_a_network),
    Attack("long-bodies", prepare_unscoped, long_bodies, 4, {401, 403, 413}),
    Attack("many-revocations", nothing, many_revocations, 3, {204, 429}),
    Attack("guessed-passcodes", prepare_totp, guess_passcodes, 1, {401, 429}),
    Attack("many-secrets", nothing, many_secrets, 2, {201, 403}),
    Attack("much-metadata", prepare_server, much_metadata, 1, {403}),
    Attack("many-tags", nothing, many_tags, 1, {200, 400}),
]


def measured(scene, others, seconds, until=None):
    """Times what a bystander does, again and again. Returns the seconds of each answer and how many there were none."""
    client = scene.another(scene.admin)
    client.timeout = PATIENCE
    times, failures = [], []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        try:
            others(scene, client)
            times.append(time.monotonic() - began)
        except (OSError, http.client.HTTPException, Failure) as error:
            failures.append(f"{type(error).__name__}: {str(error)[:200]}")
            client.close()
        time.sleep(0.01)
    return times, failures


def attacked(binary, attack):
    with Cloud(binary, attack.settings) as cloud:
        scene = Scene(cloud)
        scene.network = scene.admin.post(f"{NETWORK}/networks", {"network": {"name": "n"}}).json["network"]["id"]
        attack.prepare(scene)
        quiet, _ = measured(scene, attack.others, 1.5)
        memory = cloud.resident_megabytes
        stop = threading.Event()
        statuses, slowest = {}, [0.0]

        def strike():
            client = scene.another(scene.attacker)
            while not stop.is_set():
                began = time.monotonic()
                try:
                    status = attack.strike(scene, client)
                except (OSError, http.client.HTTPException):
                    status = "no answer"
                    client.close()
                slowest[0] = max(slowest[0], time.monotonic() - began)
                statuses[status] = statuses.get(status, 0) + 1

        threads = [threading.Thread(target=strike, daemon=True) for _ in range(attack.clients)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        meanwhile, failures = measured(scene, attack.others, SECONDS)
        grown = cloud.resident_megabytes - memory
        stop.set()
        for thread in threads:
            thread.join(PATIENCE + 1)
        return quiet, meanwhile, failures, statuses, slowest[0], grown


def milliseconds(times):
    if not times:
        return "-"
    return f"{statistics.median(times) * 1000:.0f} / {max(times) * 1000:.0f}"


def run(binary, report):
    chosen = os.environ.get("ATTACKS", "").split(",")
    rows = ["| Attack | answered | slowest, s | others, quiet, ms | others meanwhile, ms | without an answer | memory, MB |",
            "|---|---|--:|--:|--:|--:|--:|"]
    for attack in ATTACKS:
        if chosen != [""] and attack.name not in chosen:
            continue
        with report.case(attack.name):
            quiet, meanwhile, failures, statuses, slowest, grown = attacked(binary, attack)
            answers = ", ".join(f"{status} ({count})" for status, count in sorted(statuses.items(), key=str))
            rows.append(f"| {attack.name} | {answers} | {slowest:.2f} | {milliseconds(quiet)} | {milliseconds(meanwhile)} "
                        f"| {len(failures)} | {grown:+.0f} |")
            say("  " + rows[-1])
            if failures:
                raise Failure(f"others were not served: {failures[:3]}")
            odd = set(statuses) - attack.wanted
            if odd:
                raise Failure(f"the attack was answered {odd}")
    print("median / longest of others' requests in milliseconds, before the attack and meanwhile\n" + "\n".join(rows), flush=True)
