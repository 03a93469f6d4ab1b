"""Attacks from inside a real guest, as root there, and by an ordinary user of the host, on a cloud with two projects.

Project A has a guest; project B has another in the same network, which an administrator shares. B's guest attacks everything that it can
reach: A's guest, the networks' services, the host. The user of the host has no rights, and neither has whoever breaks out of B's guest and
is left with the user of its QEMU. Each attack is a step; what it must not do is written beside it."""

import base64
import contextlib
import json
import os
import pathlib
import shutil
import socket
import stat
import struct
import subprocess
import tempfile
import threading
import time

import guest_frames as frames
from guests import emulators, make_first_server, ping, processes, ssh, tell, until
from harness import HERE, Failure, expect, password_login
from scenarios_check import guest_image

VERSION = {"OpenStack-API-Version": "compute 2.90"}
NETWORK, COMPUTE, IMAGES = "/network/v2.0", "/compute/v2.1", "/image/v2/images"
# A user whom no account has.
STRANGER = 61_234
# What no process may show and no stranger may read.
SECRET = "a-secret-of-project-a"
# The bytes of a console's log that a guest may fill: two files of a mebibyte, and what it writes until it is looked at again.
CONSOLE = 2 << 20
# The table of connections that all guests share holds at most so many of one (`Limits.thing.flows`), begun and received.
FLOWS = 8192


def run(binary, report):
    tell(binary, report, lambda cloud: Stage(binary, cloud), ATTACKS, goes_on=True)


class Guest:
    """A server in the shared network, with the way into it."""

    def __init__(self, stage, client, name, **more):
        self.stage, self.account, self.name = stage, client, name
        group = client.post(f"{NETWORK}/security-groups", {"security_group": {"name": name}}).json["security_group"]["id"]
        for rule in ({"protocol": "icmp"}, {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22}):
            rule |= {"direction": "ingress", "ethertype": "IPv4", "security_group_id": group}
            client.post(f"{NETWORK}/security-group-rules", {"security_group_rule": rule})
        port = client.post(f"{NETWORK}/ports", {"port": {"network_id": stage.network, "security_groups": [group]}}).json["port"]
        self.mac, self.port = port["mac_address"], port["id"]
        self.address = next(ip["ip_address"] for ip in port["fixed_ips"] if "." in ip["ip_address"])
        self.link_local = frames.link_local(self.mac)
        key = {"name": name, "public_key": stage.public_key}
        client.post(f"{COMPUTE}/os-keypairs", {"keypair": key}, (200, 201), headers=VERSION)
        server = {"name": name, "flavorRef": stage.flavor, "imageRef": stage.image, "key_name": name, "networks": [{"port": port["id"]}]}
        self.id = client.post(f"{COMPUTE}/servers", {"server": server | more}, 202, headers=VERSION).json["server"]["id"]
        floating = {"floating_network_id": stage.public, "port_id": port["id"]}
        self.floating = client.post(f"{NETWORK}/floatingips", {"floatingip": floating}).json["floatingip"]["floating_ip_address"]

    @property
    def client(self):
        """The client of the guest's project. The cloud has closed its connection if it was idle for long."""
        self.account.close()
        return self.account

    @property
    def tap(self):
        return "tap" + self.port[:11]

    def call(self, command, deadline=90):
        return ssh(self.stage.cloud, self.floating, command, deadline)

    def says(self, command):
        return self.call(command).stdout.strip()

    def give(self, path, data):
        """Puts a program into the guest."""
        line = ["ssh", "-i", str(self.stage.cloud.state / "hello.key")]
        for option in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"):
            line += ["-o", option]
        line += [f"root@{self.floating}", f"cat >{path}; chmod 755 {path}"]
        subprocess.run(line, input=data, check=True, timeout=60)

    def strike(self, *lines):
        """Sends frames as they are: each (frame), or (frame, copies, width, place) with the number of the copy at a place."""
        text = ""
        for line in lines:
            frame, copies, width, place = line if isinstance(line, tuple) else (line, 1, 0, 0)
            text += f"{copies} {width} {place} {frame.hex()}\n"
        self.give("/tmp/frames", text.encode())
        return int(self.says("/tmp/strike eth0 </tmp/frames"))

    def is_shown(self):
        return self.client.get(f"{COMPUTE}/servers/{self.id}", headers=VERSION).json["server"]

    def becomes(self, status):
        until(f"{self.name} to be {status}", lambda: self.is_shown()["status"] == status, 120)

    def act(self, body, status=202):
        return self.client.post(f"{COMPUTE}/servers/{self.id}/action", body, status, headers=VERSION)


class Stage:
    """The cloud with its two guests."""

    def __init__(self, binary, cloud):
        self.cloud = cloud
        self.hello = make_first_server(binary, cloud)
        self.public_key = subprocess.run(
            ["ssh-keygen", "-y", "-f", str(cloud.state / "hello.key")], capture_output=True, text=True, check=True
        ).stdout.strip()
        self.admin = cloud.admin()
        self.image = guest_image(cloud)
        flavor = {"name": "attacked", "ram": 128, "vcpus": 1, "disk": 1, "OS-FLV-EXT-DATA:ephemeral": 1}
        self.flavor = self.admin.post(f"{COMPUTE}/flavors", {"flavor": flavor}, 200).json["flavor"]["id"]
        self.public = self.admin.get(f"{NETWORK}/networks?router:external=True").json["networks"][0]["id"]
        network = {"name": "shared", "shared": True}
        self.network = self.admin.post(f"{NETWORK}/networks", {"network": network}).json["network"]["id"]
        subnet = {"network_id": self.network, "ip_version": 4, "cidr": "10.77.0.0/24"}
        subnet = self.admin.post(f"{NETWORK}/subnets", {"subnet": subnet}).json["subnet"]["id"]
        router = {"name": "shared", "external_gateway_info": {"network_id": self.public}}
        router = self.admin.post(f"{NETWORK}/routers", {"router": router}).json["router"]["id"]
        self.admin.put(f"{NETWORK}/routers/{router}/add_router_interface", {"subnet_id": subnet}, 200)
        data = base64.b64encode(json.dumps({"secret": SECRET}).encode()).decode()
        demo = self.log_in("demo", cloud.password("demo"), "demo")
        self.a = Guest(self, demo, "a", user_data=data, config_drive=True, metadata={"secret": SECRET})
        self.b = Guest(self, self.project("attackers"), "b")
        for guest in (self.a, self.b):
            guest.becomes("ACTIVE")
            expect(guest.says("echo it works"), "it works", f"ssh into {guest.name}")
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "strike"
            compiler = shutil.which("cc") or shutil.which("clang")
            subprocess.run([compiler, "-static", "-O1", "-o", str(program), str(HERE / "guest_strike.c")], check=True)
            self.b.give("/tmp/strike", program.read_bytes())

    def log_in(self, name, password, project):
        client = self.cloud.client()
        client.log_in(password_login(name, password, {"project": {"name": project, "domain": {"id": "default"}}}))
        return client

    def project(self, name):
        """A client of a new project's only member."""
        identity = "/identity/v3"
        project = self.admin.post(f"{identity}/projects", {"project": {"name": name, "domain_id": "default"}}).json["project"]["id"]
        user = {"name": name, "domain_id": "default", "password": "a-password-of-attackers"}
        user = self.admin.post(f"{identity}/users", {"user": user}).json["user"]["id"]
        role = next(role["id"] for role in self.admin.get(f"{identity}/roles").json["roles"] if role["name"] == "member")
        self.admin.put(f"{identity}/projects/{project}/users/{user}/roles/{role}")
        return self.log_in(name, "a-password-of-attackers", name)

    @property
    def service_address(self):
        # The cloud has closed the connection if it was idle for long.
        self.admin.close()
        ports = self.admin.get(f"{NETWORK}/ports?network_id={self.network}&device_owner=network:dhcp").json["ports"]
        return ports[0]["fixed_ips"][0]["ip_address"]


# MARK: What a guest may ask


def asks(guest, path, *, raw=None, timeout=10):
    """What the metadata service answers to a request of the guest, head and body."""
    text = raw or f"GET {path} HTTP/1.0\r\nHost: 169.254.169.254\r\n\r\n"
    guest.give("/tmp/request", text.encode())
    return guest.says(f"timeout {timeout} nc 169.254.169.254 80 </tmp/request")


def metadata_of_another(stage):
    """A guest gets its own metadata, whatever its request says of who it is."""
    a, b = stage.a, stage.b
    lies = [
        f"X-Instance-ID: {a.id}", f"X-Tenant-ID: {a.client.get(f'{COMPUTE}/servers/{a.id}', headers=VERSION).json['server']['tenant_id']}",
        f"X-Forwarded-For: {a.address}", f"X-Real-IP: {a.address}", f"Forwarded: for={a.address}", "X-Instance-ID-Signature: " + "0" * 64,
        f"X-Metadata-Provider: {stage.network}", f"Host: {a.address}",
    ]
    paths = ["/openstack/latest/meta_data.json", "/latest/user-data", f"/openstack/latest/../../{a.id}/meta_data.json", f"/{a.id}"]
    for path in paths:
        head = "".join(f"{lie}\r\n" for lie in lies if not lie.startswith("Host:"))
        answer = asks(b, path, raw=f"GET {path} HTTP/1.0\r\nHost: 169.254.169.254\r\n{head}\r\n")
        if SECRET in answer or a.id in answer.split("\r\n\r\n")[-1].replace(path, ""):
            raise Failure(f"{path}: {answer[:300]}")
    expect(b.id in asks(b, paths[0]), True, "that the guest gets its own metadata")
    # From A's address nothing comes back, and nothing of it leaves the guest.
    b.call(f"ip addr add {a.address}/32 dev eth0")
    answer = b.says(f"timeout 5 nc -s {a.address} 169.254.169.254 80 </tmp/request 2>&1")
    b.call(f"ip addr del {a.address}/32 dev eth0")
    expect("HTTP/" in answer, False, f"an answer to A's address: {answer[:200]}")


def metadata_floods(stage):
    """Connections that are held, huge and broken requests cost other guests and the cloud nothing."""
    a, b, cloud = stage.a, stage.b, stage.cloud
    before = cloud.resident_megabytes
    b.call("for i in $(seq 100); do (sleep 20 | nc 169.254.169.254 80 >/dev/null 2>&1 &) ; done")
    for _ in range(3):
        began = time.monotonic()
        expect(a.id in asks(a, "/openstack/latest/meta_data.json"), True, "that A is answered meanwhile")
        expect(time.monotonic() - began < 10, True, "that A is answered soon")
    b.call("killall sleep nc")
    for raw, wanted in (
        (f"GET / HTTP/1.0\r\nX: {'a' * 65536}\r\n\r\n", ("431",)),
        (f"GET /{'a' * 16000} HTTP/1.0\r\n\r\n", ("431", "414", "404")),
        ("POST /openstack/latest/password HTTP/1.0\r\nContent-Length: 9999999999\r\n\r\n" + "x" * 100_000, ("400", "413")),
        ("\x00\x01\x02\r\n\r\n", ("400",)),
    ):
        answer = asks(b, "", raw=raw)
        status = answer.split(" ", 2)[1:2]
        if status and status[0] not in wanted:
            raise Failure(f"{raw[:40]!r}: {answer[:200]}")
    b.call("for i in $(seq 200); do echo 'GET /no/such HTTP/1.0\n\n' | timeout 5 nc 169.254.169.254 80 >/dev/null; done", deadline=200)
    until("the memory to be as before", lambda: cloud.resident_megabytes < 1.3 * before + 16, 60)


def services_of_the_host(stage):
    """From no network, and over no address, does a guest reach a service of the host or of the networks but its own."""
    b = stage.b
    addresses = set()
    for line in subprocess.run(["ip", "-o", "address"], capture_output=True, text=True, check=True).stdout.splitlines():
        addresses.add(line.split()[3].split("/")[0])
    with contextlib.ExitStack() as opened:
        ports = {stage.cloud.host_and_port[1]}
        for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            listener = opened.enter_context(socket.socket(family, socket.SOCK_STREAM))
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((host, 0))
            listener.listen(5)
            ports.add(listener.getsockname()[1])
        gateway = "10.77.0.1"
        tries = [(host, port) for host in sorted(addresses) if ":" not in host and not host.startswith("127.") for port in ports]
        tries += [(host, port) for host in (stage.service_address, gateway) for port in (22, 53, 80, 4789, 5432, *ports)]
        tries += [("169.254.169.254", port) for port in (22, 53, *ports)]
        # Whoever answers to all of the link, by IPv6, is asked as well.
        answers = b.says("ping -6 -c 2 -w 3 ff02::1%eth0 2>&1 || ping6 -c 2 -w 3 -I eth0 ff02::1").split()
        near = {word.rstrip(":").split("%")[0] for word in answers if word.startswith("fe80::")}
        tries += [(f"{host}%eth0", port) for host in sorted(near - {stage.a.link_local, b.link_local}) for port in (80, 53, *ports)]
        script = "".join(f"(nc -w 2 {host} {port} </dev/null >/dev/null 2>&1 && echo 'reached {host} {port}') &\n" for host, port in tries)
        b.give("/tmp/reach", f"#!/bin/sh\n{script}wait\n".encode())
        expect(b.says("/tmp/reach"), "", "services that the guest reaches")
    # It is the way that is closed, and not the guest's tool that fails.
    expect(b.says(f"nc -w 5 {stage.a.address} 22 </dev/null | head -c 4"), "SSH-", "what a guest may reach")


# MARK: What a guest may send


def false_frames(stage):
    """No frame in another's name, with a tag or of the bridge's own protocols reaches another guest."""
    a, b = stage.a, stage.b
    stranger = "fa:16:3e:99:99:99"
    gateway = "10.77.0.1"
    mark = b"false-frame!"
    datagram = frames.udp(1000, 2000, mark)
    own = frames.ether(frames.IP4, b.mac, a.mac, frames.ip4(b.address, a.address, frames.UDP, datagram))
    attacks = {
        "another's ARP": frames.arp(b.mac, a.mac, gateway),
        "an ARP of the metadata service": frames.arp(b.mac, a.mac, "169.254.169.254"),
        "an ARP for another MAC": frames.arp(b.mac, a.mac, b.address, claims=stranger),
        "another's address": frames.ether(frames.IP4, b.mac, a.mac, frames.ip4(gateway, a.address, frames.UDP, datagram)),
        "another's MAC": frames.ether(frames.IP4, stranger, a.mac, frames.ip4(b.address, a.address, frames.UDP, datagram)),
        "another's IPv6 address": frames.ether(frames.IP6, b.mac, a.mac, frames.ip6("fe80::1", a.link_local, frames.UDP, datagram)),
        "a router": frames.router(b.link_local, "ff02::1", b.mac, "33:33:00:00:00:01"),
        "a neighbour's advertisement": frames.advertisement(b.link_local, a.link_local, b.mac, a.mac, "fe80::1"),
        "a DHCP server": frames.ether(
            frames.IP4, b.mac, a.mac, frames.ip4(b.address, a.address, frames.UDP, frames.udp(67, 68, frames.dhcp(2, a.mac, [53, 1, 5])))
        ),
        "a tag": frames.tagged(own, 7),
        "two tags": frames.tagged(own, 7, 8),
        "a bridge": frames.ether(0x0027, b.mac, "01:80:c2:00:00:00", b"\x42\x42\x03\0\0\0\0\0" + bytes(31)),
        "LLDP": frames.ether(0x88CC, b.mac, "01:80:c2:00:00:0e", mark),
        "an unknown protocol": frames.ether(0x88B5, b.mac, a.mac, mark),
        "a frame cut short": frames.ether(frames.IP4, b.mac, a.mac, b"\x45\0\0"),
        "a network in a network": frames.ether(0x6558, b.mac, a.mac, own),
    }
    hidden = [
        part
        for name, options in (("a router", True), ("a neighbour's advertisement", True), ("a neighbour's advertisement", False))
        for part in frames.fragments(attacks[name], 8, options)
    ]
    harmless = frames.ether(frames.IP4, b.mac, a.mac, frames.ip4(b.address, a.address, 1, b"\x08\0\xf7\xff\0\0\0\0"))
    with Tap(a.tap) as tap:
        b.strike(*attacks.values(), *hidden, harmless)
        until("the harmless frame", lambda: tap.heard(lambda frame: frame[:34] == harmless[:34]), 20)
        wrong = [name for name, frame in attacks.items() if tap.heard(lambda heard: heard.rstrip(b"\0") == frame.rstrip(b"\0"))]
        if tap.heard(lambda heard: heard[6:14] == frames.mac(b.mac) + b"\x86\xdd" and heard[20] == 44):
            wrong.append("a message in fragments")
    expect(wrong, [], "frames that reached A")
    expect(b.mac in a.says(f"ip neigh show {gateway}"), False, "that A takes B for its gateway")


class Tap:
    """What goes through a device of the host."""

    def __init__(self, device):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((device, 0))
        self.socket.setblocking(False)
        self.frames = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def heard(self, test):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.frames.append(self.socket.recv(65536))
        return any(test(frame) for frame in self.frames)


def floods_of_dhcp(stage):
    """The DHCP server serves A, whatever B sends it in whoever's name."""
    a, b = stage.a, stage.b
    server = [pid for name, pid, words in processes(stage.cloud) if name == "dnsmasq" and any("10.77.0.0" in word for word in words)]
    expect(len(server), 1, "servers of DHCP of the network")
    before = resident(server[0])
    decline = [53, 1, 4, 50, 4, *frames.address(a.address), 54, 4, *frames.address(stage.service_address)]
    release = [53, 1, 7, 54, 4, *frames.address(stage.service_address)]
    flood = frames.dhcp_request(b.mac, "02:00:00:00:00:00", [53, 1, 1])
    own = frames.dhcp_request(b.mac, b.mac, [53, 1, 1])
    # The client's address in the message is 70 bytes into the frame.
    lies = [frames.dhcp_request(b.mac, a.mac, options) for options in (decline, release)]
    b.strike(*lies, (flood, 20_000, 4, 72), (own, 5000, 0, 0))
    answer = a.says("rm -f /tmp/got; udhcpc -i eth0 -n -q -f -t 10 -T 1 -s /bin/true 2>&1 | grep -c 'lease of'")
    expect(answer, "1", "a lease for A")
    expect(resident(server[0]) < before + 8, True, f"memory of the server: {before} and {resident(server[0])} MB")


def resident(process):
    text = pathlib.Path(f"/proc/{process}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) // 1024


def floods_of_connections(stage):
    """B cannot fill the table of connections, in which those of all guests are."""
    a, b = stage.a, stage.b
    count = pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_count")
    before = int(count.read_text())
    lines = []
    # Other addresses of the network, so that each source port is another connection: by another port, by another address.
    for target in (a.address, "10.77.0.1"):
        mac = a.mac if target == a.address else b.says("ip neigh show 10.77.0.1 | sed 's/.*lladdr \\([^ ]*\\).*/\\1/'")
        for port in (2001, 2002):
            frame = frames.ether(frames.IP4, b.mac, mac, frames.ip4(b.address, target, frames.UDP, frames.udp(0, port, b"flood")))
            lines.append((frame, 20_000, 2, 34))
    b.strike(*lines)
    expect(int(count.read_text()) - before < FLOWS + 1000, True, f"connections that B began: {int(count.read_text()) - before}")
    expect(ping(a.floating), True, "that A answers")
    expect(a.says("nc -w 5 169.254.169.254 80 </dev/null; echo $?"), "0", "that A begins connections")


# MARK: What a guest may write


def flood_of_the_console(stage):
    """The log of a console is bounded, while the guest writes as much as it can."""
    b = stage.b
    folder = stage.cloud.state / "host" / "machines" / b.id
    b.call("(timeout 30 cat /dev/zero | tr '\\0' x >/dev/ttyS0 &) >/dev/null 2>&1")
    most, end = 0, time.monotonic() + 15
    while time.monotonic() < end:
        sizes = [path.stat().st_size for path in folder.glob("console.*")]
        most = max(most, sum(sizes))
        time.sleep(0.2)
    b.call("killall cat tr; true")
    # What comes in five seconds, until the next look, is the guest's speed.
    expect(most < CONSOLE + (24 << 20), True, f"bytes of the console: {most}")
    log = b.act({"os-getConsoleOutput": {"length": 10}}, 200)
    expect(len(log.content) < 16 << 20, True, "bytes of an answer with a console's log")


def disk_that_says_it_is_another(stage):
    """A guest writes the head of a qcow2 with a file of the host behind it on its raw disk, and gets nothing of the host."""
    b = stage.b
    path = b"/etc/passwd"
    head = b"QFI\xfb" + (3).to_bytes(4, "big") + (512).to_bytes(8, "big") + len(path).to_bytes(4, "big") + (16).to_bytes(4, "big")
    head += (1 << 20).to_bytes(8, "big") + bytes(512 - 32)
    b.give("/tmp/head", head + path)
    b.call("umount /disk; for disk in vda vdb; do dd if=/tmp/head of=/dev/$disk conv=notrunc,fsync 2>/dev/null; done; sync")
    b.act({"os-stop": None})
    b.becomes("SHUTOFF")
    image = b.act({"createImage": {"name": "copy"}}).json["image_id"]
    until("the copy", lambda: b.client.get(f"{IMAGES}/{image}").json["status"] == "active", 120)
    data = b.client.call("GET", f"{IMAGES}/{image}/file").content
    expect(b"root:" in data, False, "that a file of the host is in the copy")
    b.act({"os-start": None})
    b.becomes("ACTIVE")
    # The guest itself writes the beginning of its first disk at each start.
    expect(b.says("head -c 3 /dev/vdb"), "QFI", "the second disk as it was written")


# MARK: A user of the host


def as_user(user, group, *command):
    line = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", *command]
    return subprocess.run(line, capture_output=True, text=True, timeout=60)


def opened_by(user, group, paths):
    """What of the paths the user can open, as "read PATH", "write PATH", "connect PATH". A child of this process becomes the user."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(group, group, group)
            os.setresuid(user, user, user)
            with os.fdopen(theirs, "w") as answer:
                answer.write("\n".join(f"{word} {path}" for path in paths for word in rights(path)))
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as answer:
        found = answer.read()
    os.waitpid(child, 0)
    return set(found.splitlines())


def rights(path):
    """What this process can do with a file, a folder or a socket."""
    try:
        kind = os.lstat(path).st_mode
    except OSError:
        return
    if stat.S_ISSOCK(kind):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            yield "connect"
        return
    for word, flag in (("read", os.O_RDONLY), ("write", os.O_WRONLY)):
        if word == "write" and stat.S_ISDIR(kind):
            if os.access(path, os.W_OK):
                yield word
            continue
        with contextlib.suppress(OSError):
            os.close(os.open(path, flag | os.O_NONBLOCK))
            yield word


def everything(stage):
    """All paths below the state directory, but the files with the process ids of dnsmasq, which say no more than /proc does."""
    return [str(path) for path in [stage.cloud.state, *stage.cloud.state.rglob("*")] if path.suffix != ".pid"]


def user_of(process):
    return int(pathlib.Path(f"/proc/{process}/status").read_text().split("Uid:")[1].split()[0])


def files_of_the_cloud(stage):
    """A user of the host opens nothing of the cloud: no disk, no image, no log, no socket, no key, and lists no folder."""
    stage.a.act({"suspend": None})
    stage.a.becomes("SUSPENDED")
    saved = list((stage.cloud.state / "host" / "l" / "lib" / "qemu" / "save").iterdir())
    expect(len(saved), 1, "memory of A on the disk")
    paths = everything(stage)
    try:
        expect(sorted(opened_by(STRANGER, STRANGER, paths)), [], "what a user of the host opens")
        guest = user_of(emulators(stage.cloud, stage.b.id)[0])
        mine = opened_by(guest, guest, paths)
    finally:
        stage.a.act({"resume": None})
        stage.a.becomes("ACTIVE")
    expect([line for line in sorted(mine) if stage.b.id[:18] not in line], [], "what B's QEMU opens beside its own")
    expect([line for line in mine if line.startswith("read") and line.endswith("qcow2")] != [], True, "that B's QEMU opens its own disk")


def processes_of_the_cloud(stage):
    """QEMU has no rights, a filter of system calls and no secret in its words; nobody else's user reads its memory."""
    words = [SECRET, stage.cloud.password(), stage.cloud.password("demo"), "a-password-of-attackers"]
    words.append((stage.cloud.state / "hello.key").read_text()[60:100])
    users = set()
    for name, process, line in processes(stage.cloud):
        text = "\0".join(line)
        expect([word for word in words if word in text], [], f"secrets in the words of {name}")
        proc = pathlib.Path(f"/proc/{process}")
        for part in ("environ", "maps", "mem", "fd", "stack"):
            wanted = ["ls" if part == "fd" else "cat", str(proc / part)]
            expect(as_user(STRANGER, STRANGER, *wanted).stdout, "", f"{part} of {name} for a user of the host")
        if not name.startswith("qemu-system"):
            continue
        status = dict(row.split(":", 1) for row in (proc / "status").read_text().splitlines())
        held = [status[key].strip() for key in ("Seccomp", "NoNewPrivs", "CapEff", "CapPrm")]
        expect(held, ["2", "1", "0" * 16, "0" * 16], f"rights of {name}")
        expect(user_of(process) >= 1_900_000_000, True, "that the guest has a user of its own")
        users.add(user_of(process))
        expect("-vnc\0vnc=unix:" in text and "strict=on" in text and "spawn=deny" in text, True, "QEMU's screen, start and sandbox")
        sent = [word for word in line if word.startswith(("tcp:", "telnet:", "udp:"))]
        expect(sent, [], "ports of QEMU")
    expect(len(users), len(emulators(stage.cloud)), "users of guests")
    listening = subprocess.run(["ss", "-Hltnu"], capture_output=True, text=True, check=True).stdout.splitlines()
    host, port = stage.cloud.host_and_port
    expect([row for row in listening if f"{host}:{port}" not in row], [], "ports that are open on the host")
    expect(subprocess.run(["ss", "-Hlx"], capture_output=True, text=True).stdout.count("@"), 0, "sockets without a file")


def tools_of_the_host(stage):
    """A user of the host changes no network, ends no process and leaves nothing of use where all may write."""
    b = stage.b
    process = emulators(stage.cloud, b.id)[0]
    space = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout.split()[0]
    for command in (
        ["nft", "list", "ruleset"], ["nft", "flush", "ruleset"], ["ip", "netns", "exec", space, "true"], ["ip", "link", "delete", b.tap],
        ["ip", "link", "set", b.tap, "nomaster"], ["conntrack", "-F"], ["kill", "-9", str(process)],
        ["kill", "-9", str(stage.cloud.process.pid)],
    ):
        if as_user(STRANGER, STRANGER, *command).returncode == 0:
            raise Failure(f"a user of the host may do {command}")
    expect(stage.cloud.is_running and emulators(stage.cloud, b.id) == [process], True, "that the processes are there")
    shared = []
    for _, number, _ in processes(stage.cloud):
        for descriptor in pathlib.Path(f"/proc/{number}/fd").iterdir():
            with contextlib.suppress(OSError):
                path = os.readlink(descriptor)
                if path.startswith(("/tmp/", "/var/tmp/", "/dev/shm/")) and str(stage.cloud.directory) not in path:
                    shared.append(path)
    expect(shared, [], "open files where all may write")


def floods_of_the_api(stage):
    """Requests that are broken off or ask for nothing leave no memory behind, and others are answered meanwhile."""
    cloud, host, port = stage.cloud, *stage.cloud.host_and_port
    token = stage.b.client.token
    requests = [
        b"GET /no/such/path HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nX-Auth-Token: " + b"g" * 200 + b"\r\n\r\n",
        b"POST /identity/v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n" + b"{" * 1000,
        b"PUT /image/v2/images/x/file HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" + b"x" * 1000,
        f"GET {IMAGES}/{stage.image}/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\n\r\n".encode(),
        b"\x16\x03\x01" + bytes(100),
    ]

    def flood(seconds):
        end = time.monotonic() + seconds
        number = 0
        while time.monotonic() < end:
            number += 1
            with contextlib.suppress(OSError), socket.socket() as client:
                client.settimeout(5)
                client.connect((host, port))
                client.sendall(requests[number % len(requests)])
                if number % 3 == 0:
                    client.recv(100)
                # The connection is reset: nobody takes the rest of the answer.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def beside(seconds):
        attackers = [threading.Thread(target=flood, args=(seconds,)) for _ in range(8)]
        for attacker in attackers:
            attacker.start()
        longest = 0
        while any(attacker.is_alive() for attacker in attackers):
            began = time.monotonic()
            stage.a.is_shown()
            longest = max(longest, time.monotonic() - began)
        return longest

    beside(5)
    before = cloud.resident_megabytes
    longest = beside(20)
    expect(longest < 5, True, f"that A is answered soon: {longest:.1f} s")
    until("the memory to be as before", lambda: cloud.resident_megabytes < 1.1 * before, 60)


ATTACKS = [
    metadata_of_another,
    metadata_floods,
    services_of_the_host,
    false_frames,
    floods_of_dhcp,
    floods_of_connections,
    floods_of_the_api,
    flood_of_the_console,
    processes_of_the_cloud,
    files_of_the_cloud,
    tools_of_the_host,
    disk_that_says_it_is_another,
]
