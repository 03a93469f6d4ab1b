"""One tenant works while another does all that it can to hold the cloud: the work must hardly notice.

A client of project A does what users do. Its time is measured in turns: alone (quiet), beside ten clients of project B that do the same
work (ordinary), and beside ten that send attacks (hostile), at the same rate. B's clients run only when a processor has nothing else to
do (SCHED_IDLE), so the figures are the cloud's and not the machine's.

`HOSTILE_SEED` repeats a run. `HOSTILE_CLASSES=bulks,…` sends only these attacks. `HOSTILE_EACH=1` measures each class alone and prints a
table. `HOSTILE_RATE` is how many requests B's clients begin in a second; 0: as many as they can.
"""

import collections
import concurrent.futures
import http.client
import multiprocessing
import os
import random
import re
import statistics
import threading
import time

from harness import Client, Cloud, Failure, SlowSource, password_login, say
from hostile_attacks import ATTACKS, COMPUTE, IDENTITY, IMAGES, LATEST, NETWORK, Tenant

CLIENTS = 10
PROCESSES = 2
RATE = float(os.environ.get("HOSTILE_RATE", "100"))
# How many rounds there are, and the seconds of each turn in a round.
ROUNDS = {"hostile": (4, {"quiet": 3, "ordinary": 4, "hostile": 7}), "hostile-long": (20, {"quiet": 5, "ordinary": 8, "hostile": 15})}
# What the hostile tenant may cost the other: this many times what an ordinary tenant does, and this much more than nobody.
TIMES, MORE = 3, 0.1
# How much more memory the process may have after a run than before; and after a second run than after the first.
GROWTH, AGAIN = 1.3, 1.1
# The seconds in which the process gives memory back.
WAIT = 60
# A server is built within this time, or not at all.
PATIENCE = 30


class Account:
    """A new project and its only member."""

    def __init__(self, cloud, admin, name, roles):
        self.name, self.password = name, f"a-password-of-{name}"
        project = admin.post(f"{IDENTITY}/projects", {"project": {"name": name, "domain_id": "default"}}).json["project"]["id"]
        user = {"name": name, "domain_id": "default", "password": self.password}
        self.user = admin.post(f"{IDENTITY}/users", {"user": user}).json["user"]["id"]
        admin.put(f"{IDENTITY}/projects/{project}/users/{self.user}/roles/{roles['member']}")
        self.project = project
        self.scope = {"project": {"id": project}}
        self.host, self.port = cloud.host_and_port

    def facts(self, image, source):
        client = Client(self.host, self.port)
        client.log_in(password_login(self.name, self.password, self.scope))
        return {
            "host": self.host, "port": self.port, "token": client.token, "user": self.user, "project": self.project, "scope": self.scope,
            "name": self.name, "password": self.password, "image": image, "source": source,
        }


class Work:
    """What a user does, one request after the other. Each call of `step` does one of them."""

    def __init__(self, facts):
        self.facts = facts
        self.client = Client(facts["host"], facts["port"], timeout=20)
        self.client.token = facts["token"]
        self.steps = self.again()

    def again(self):
        client = self.client
        while True:
            yield client.get(f"{IDENTITY}/auth/projects")
            network = client.post(f"{NETWORK}/networks", {"network": {"name": "a"}})
            yield network
            network = network.json["network"]["id"]
            port = client.post(f"{NETWORK}/ports", {"port": {"network_id": network}})
            yield port
            server = {"name": "a", "imageRef": self.facts["image"], "flavorRef": "f", "networks": "none"}
            made = client.post(f"{COMPUTE}/servers", {"server": server}, 202, headers=LATEST)
            yield made
            path = f"{COMPUTE}/servers/{made.json['server']['id']}"
            yield client.get(f"{COMPUTE}/servers/detail", headers=LATEST)
            deadline = time.monotonic() + PATIENCE
            while True:
                shown = client.get(path, headers=LATEST)
                status = shown.json["server"]["status"]
                yield shown
                if status == "ACTIVE":
                    break
                if status != "BUILD" or time.monotonic() > deadline:
                    raise Failure(f"server {made.json['server']['id']} is {status}: {shown}")
                time.sleep(0.02)
            yield client.get(f"{IMAGES}?limit=50")
            yield client.delete(path, headers=LATEST)
            yield client.delete(f"{NETWORK}/ports/{port.json['port']['id']}")
            yield client.delete(f"{NETWORK}/networks/{network}")
            yield client.get(f"{NETWORK}/networks")

    def step(self):
        """Returns the seconds until the answer. After a failure the work begins from the start."""
        began = time.monotonic()
        try:
            next(self.steps)
        except BaseException:
            self.client.close()
            self.steps = self.again()
            raise
        return time.monotonic() - began


FAILURES = (OSError, http.client.HTTPException, Failure, ValueError, KeyError)


def worker_a(pipe, facts):
    """Works for as long as it is told, again and again: a process of its own, so that it waits for nobody in Python."""
    work = Work(facts)
    while (seconds := pipe.recv()) is not None:
        times, failures = [], []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                times.append(work.step())
            except FAILURES as error:
                failures.append(f"{type(error).__name__}: {str(error)[:300]}")
            time.sleep(0.005)
        pipe.send((times, failures))


def worker_b(pipe, facts, clients, seed):
    """Clients of B in threads: told ("ordinary" or "hostile", seconds, names of attacks), they answer what happened by the name of each."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    threads = [Striker(facts[number], random.Random(seed + number)) for number in range(clients)]
    while (order := pipe.recv()) is not None:
        running = [threading.Thread(target=striker.run, args=order, daemon=True) for striker in threads]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        answers = collections.Counter()
        for striker in threads:
            answers.update(striker.answers)
        pipe.send(answers)


class Striker:
    """One client of B."""

    def __init__(self, facts, random_):
        self.tenant = Tenant(facts, random_)
        self.work = Work(facts)
        self.answers = collections.Counter()

    def run(self, kind, seconds, names):
        self.answers = collections.Counter()
        end = time.monotonic() + seconds
        pause = CLIENTS / RATE if RATE else 0
        while (began := time.monotonic()) < end:
            name = "work" if kind == "ordinary" else self.tenant.random.choice(names)
            self.answers[name, self.strike(name)] += 1
            time.sleep(max(0, min(end, began + pause) - time.monotonic()))

    def strike(self, name):
        self.tenant.scale = self.tenant.random.choice((1, 1, 1, 10))
        try:
            if name == "work":
                self.work.step()
                return "ok"
            return ATTACKS[name](self.tenant)
        except FAILURES as error:
            self.tenant.client.close()
            # B's own quota is used up now and then: that is an answer, too.
            return "refused" if isinstance(error, (Failure, KeyError, ValueError)) else f"no answer ({type(error).__name__})"


class Scene:
    """A cloud, A's client and B's clients."""

    def __init__(self, cloud, source, seed):
        self.cloud = cloud
        admin = cloud.admin()
        admin.timeout = 60
        admin.post(f"{COMPUTE}/flavors", {"flavor": {"id": "f", "name": "f", "ram": 64, "vcpus": 1, "disk": 1}}, 200)
        image = admin.post(IMAGES, {"name": "x", "disk_format": "raw", "container_format": "bare", "visibility": "public"}).json["id"]
        admin.put(f"{IMAGES}/{image}/file", b"\0" * 512, headers={"Content-Type": "application/octet-stream"})
        roles = {role["name"]: role["id"] for role in admin.get(f"{IDENTITY}/roles").json["roles"]}
        a, b = Account(cloud, admin, "a", roles), Account(cloud, admin, "b", roles)
        context = multiprocessing.get_context("fork")
        self.children = []
        self.a = self.child(context, worker_a, a.facts(image, source))
        # They log in at once: each thread that hashes passwords keeps the memory of one hash from then on.
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as threads:
            facts = list(threads.map(lambda _: b.facts(image, source), range(CLIENTS)))
        each = CLIENTS // PROCESSES
        self.b = [
            self.child(context, worker_b, facts[number * each :][:each], each, seed + 1000 * number) for number in range(PROCESSES)
        ]

    def child(self, context, target, *arguments):
        ours, theirs = context.Pipe()
        process = context.Process(target=target, args=(theirs, *arguments), daemon=True)
        process.start()
        self.children.append(process)
        return ours

    def turn(self, kind, seconds, names):
        """A works for some seconds, and B beside it. Returns A's times and failures, and what B was answered."""
        if kind != "quiet":
            for pipe in self.b:
                pipe.send((kind, seconds + 0.5, names))
            time.sleep(0.3)
        self.a.send(seconds)
        times, failures = self.a.recv()
        answers = collections.Counter()
        if kind != "quiet":
            for pipe in self.b:
                answers.update(pipe.recv())
        return times, failures, answers

    def end(self):
        for process in self.children:
            process.terminate()
            process.join()


class Figures:
    """What was measured of one kind of turns."""

    def __init__(self):
        self.times, self.failures, self.answers = [], [], collections.Counter()

    def add(self, times, failures, answers):
        self.times += times
        self.failures += failures
        self.answers.update(answers)

    def quantile(self, share):
        return statistics.quantiles(self.times, n=1000)[round(share * 1000) - 1] if len(self.times) > 1 else 0

    @property
    def row(self):
        p50, p99, longest = (1000 * value for value in (self.quantile(0.5), self.quantile(0.99), max(self.times, default=0)))
        return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest {longest:.0f} ms, {len(self.times)} requests, {len(self.failures)} failed"


def measured(scene, rounds, seconds, names):
    """Returns the figures of each kind of turns. The turns alternate, so that a busy machine is busy in all of them."""
    figures = {kind: Figures() for kind in seconds}
    for _ in range(rounds):
        for kind, length in seconds.items():
            figures[kind].add(*scene.turn(kind, length, names))
    return figures


def settled(cloud, seconds, most=0):
    """The memory in MB that the process comes down to within some seconds after the last request, or `most` if it is less sooner."""
    least = cloud.resident_megabytes
    end = time.monotonic() + seconds
    while least > most and time.monotonic() < end:
        time.sleep(0.5)
        least = min(least, cloud.resident_megabytes)
    return least


def check(report, figures, cloud):
    quiet, ordinary, hostile = (figures[kind].quantile(0.99) for kind in ("quiet", "ordinary", "hostile"))
    with report.case("nothing of A fails"):
        failures = [failure for kind in figures.values() for failure in kind.failures]
        for server in re.findall(r"server ([0-9a-f-]{36}) is", " ".join(failures)):
            print("\n".join(cloud.lines_about(server)), flush=True)
        if failures:
            raise Failure(f"{len(failures)} of A's requests failed: {failures[:3]}")
    with report.case("p99 of A beside the hostile B, against the ordinary B"):
        if hostile > TIMES * ordinary:
            raise Failure(f"{hostile * 1000:.1f} ms are more than {TIMES} times {ordinary * 1000:.1f} ms")
    with report.case("p99 of A beside the hostile B, against quiet"):
        if hostile > quiet + MORE:
            raise Failure(f"{hostile * 1000:.1f} ms are more than {MORE * 1000:.0f} ms above {quiet * 1000:.1f} ms")
    with report.case("no attack is answered with an error of the cloud, or not at all"):
        answers = figures["hostile"].answers
        wrong = {key: count for key, count in answers.items() if is_wrong(key[1])}
        if wrong:
            raise Failure(str(wrong))


def is_wrong(status):
    return str(status).startswith("no answer") or (isinstance(status, int) and status >= 500 and status != 503)


def show_answers(figures):
    by_name = collections.defaultdict(list)
    for (name, status), count in sorted(figures.answers.items(), key=str):
        by_name[name].append(f"{status} ({count})")
    for name, answers in by_name.items():
        print(f"    {name:18s} {', '.join(answers)}", flush=True)


def run(binary, report):
    seed = int(os.environ.get("HOSTILE_SEED", random.randrange(10**6)))
    names = [name for name in os.environ.get("HOSTILE_CLASSES", "").split(",") if name] or list(ATTACKS)
    rounds, seconds = ROUNDS.get(report.name, ROUNDS["hostile"])
    source = SlowSource().server_address[1]
    settings = {"IMPORT_FILTERING_OPTS_PRIVATE_HOSTS": "127.0.0.1", "IMPORT_FILTERING_OPTS_ALLOWED_PORTS": str(source)}
    say(f"  seed {seed}, {len(names)} attacks, {RATE:.0f} requests of B a second")
    with Cloud(binary, settings) as cloud:
        scene = Scene(cloud, source, seed)
        try:
            if os.environ.get("HOSTILE_EACH"):
                return each(scene, names)
            # What is read once for all, such as code and caches, is no growth.
            scene.turn("ordinary", 3, names)
            before = settled(cloud, 2)
            first = measured(scene, rounds // 2, seconds, names)
            between = settled(cloud, WAIT, GROWTH * before)
            second = measured(scene, rounds - rounds // 2, seconds, names)
            after = settled(cloud, WAIT, AGAIN * between)
        finally:
            scene.end()
        for kind, figures in second.items():
            first[kind].add(figures.times, figures.failures, figures.answers)
            say(f"  A {kind + ':':9s} {first[kind].row}")
        show_answers(first["hostile"])
        say(f"  memory: {before:.0f} MB before, {between:.0f} MB after the first half, {after:.0f} MB after the second")
        check(report, first, cloud)
        with report.case("memory"):
            if between > GROWTH * before:
                raise Failure(f"{between:.0f} MB are more than {GROWTH} times {before:.0f} MB")
            if after > AGAIN * between:
                raise Failure(f"a second run adds to {between:.0f} MB: {after:.0f} MB")
        if not cloud.is_running:
            report.fail("the process", "it has ended")


def each(scene, names):
    """Measures each class of attacks alone, to find the one that costs others most."""
    print("| Attack | A's p50, ms | p99 | longest | failed | memory, MB | B was answered |\n|---|--:|--:|--:|--:|--:|---|", flush=True)
    for name in ["(quiet)", "(ordinary)", *names, "(quiet)"]:
        kind = name.strip("()") if name.startswith("(") else "hostile"
        figures = Figures()
        figures.add(*scene.turn(kind, 4, [name]))
        answers = ", ".join(f"{status} ({count})" for (_, status), count in sorted(figures.answers.items(), key=str))
        p50, p99, longest = (1000 * value for value in (figures.quantile(0.5), figures.quantile(0.99), max(figures.times, default=0)))
        memory = scene.cloud.resident_megabytes
        print(f"| {name} | {p50:.1f} | {p99:.1f} | {longest:.0f} | {len(figures.failures)} | {memory:.0f} | {answers} |", flush=True)
