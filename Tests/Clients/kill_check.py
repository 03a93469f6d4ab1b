"""Kills the cloud without warning in the middle of writes, again and again, and looks for what it had acknowledged.

Writers make, change and delete users and projects. After each kill the cloud is started on what is left: every write that was
answered must be there; of one that was not, either all or nothing.
"""

import http.client
import os
import random
import sqlite3
import threading
import time

from harness import Cloud, Failure, password_login, say

ROUNDS = 50
WRITERS = 4
# How long the writers write in a round, in seconds.
LOAD = (0.02, 0.4)

# What a lost connection looks like.
LOST = (OSError, http.client.HTTPException)


class Thing:
    """A user or a project as it must be."""

    def __init__(self, kind, name):
        self.kind = kind
        self.name = name
        self.id = None
        self.description = None
        # A user's; every project has the tags one and two instead.
        self.password = None


class Writer(threading.Thread):
    """Writes until the connection breaks, and remembers what was answered and what was under way."""

    def __init__(self, number, round_, client, things, random_):
        super().__init__(daemon=True)
        self.prefix = f"w{number}-{round_}"
        self.client = client
        # What this writer may change; nobody else does.
        self.things = things
        self.random = random_
        # The write that was not answered: its kind, the thing, and what it would have become.
        self.pending = None
        self.answered = 0
        self.failure = None

    def run(self):
        try:
            while True:
                self.step()
                self.answered += 1
                self.pending = None
        except LOST:
            pass
        except Exception as failure:
            self.failure = failure

    def step(self):
        action = self.random.choices(["project", "user", "describe", "password", "delete"], [30, 15, 30, 5, 20])[0]
        if action in ("project", "user"):
            self.create(action)
            return
        candidates = [thing for thing in self.things if action != "password" or thing.kind == "user"]
        if not candidates:
            self.create("project")
            return
        thing = self.random.choice(candidates)
        path = f"/v3/{thing.kind}s/{thing.id}"
        if action == "delete":
            self.pending = ("delete", thing, None)
            self.client.delete(path)
            self.things.remove(thing)
        elif action == "password":
            new = f"secret-{self.random.getrandbits(60):x}"
            self.pending = ("password", thing, new)
            self.client.patch(path, {"user": {"password": new}})
            thing.password = new
        else:
            new = f"changed {self.random.getrandbits(60):x}"
            self.pending = ("describe", thing, new)
            self.client.patch(path, {thing.kind: {"description": new}})
            thing.description = new

    def create(self, kind):
        thing = Thing(kind, f"{self.prefix}-{self.answered}")
        thing.description = f"made {self.random.getrandbits(60):x}"
        body = {"name": thing.name, "description": thing.description}
        if kind == "user":
            thing.password = f"secret-{self.random.getrandbits(60):x}"
            body["password"] = thing.password
        else:
            body["tags"] = ["one", "two"]
        self.pending = ("create", thing, None)
        thing.id = self.client.post(f"/v3/{kind}s", {kind: body}).json[kind]["id"]
        self.things.append(thing)


class Rounds:
    def __init__(self, cloud, random_):
        self.cloud, self.random = cloud, random_
        self.things = [[] for _ in range(WRITERS)]
        self.writes = self.kills_in_a_write = 0
        self.admin = self.cloud.admin()

    def round(self, number):
        # Their tokens are acknowledged writes too: they are good after the kill.
        writers = []
        for index in range(WRITERS):
            client = self.cloud.client()
            client.token = self.admin.token
            writers.append(Writer(index, number, client, self.things[index], random.Random(self.random.getrandbits(64))))
        for writer in writers:
            writer.start()
        time.sleep(self.random.uniform(*LOAD))
        self.cloud.kill()
        for writer in writers:
            writer.join(30)
            if writer.failure:
                raise Failure(f"a writer was refused: {writer.failure}")
            self.writes += writer.answered
            self.kills_in_a_write += writer.pending is not None
        self.admin.close()
        self.cloud.start()
        self.look(writers)

    def look(self, writers):
        """Compares everything there is with what was answered."""
        there = {kind: {row["name"]: row for row in self.every(kind)} for kind in ("user", "project")}
        for writer in writers:
            self.settle(writer, there)
        wanted = {
            kind: {thing.name: thing for things in self.things for thing in things if thing.kind == kind}
            for kind in ("user", "project")
        }
        for kind, things in wanted.items():
            for name, thing in things.items():
                row = there[kind].get(name)
                if row is None:
                    raise Failure(f"the {kind} {name} was acknowledged and is lost")
                if (row["id"], row["description"]) != (thing.id, thing.description):
                    raise Failure(f"the {kind} {name} is {row!r} instead of {vars(thing)!r}")
                if kind == "project" and sorted(row["tags"]) != ["one", "two"]:
                    raise Failure(f"the project {name} has only half of its tags: {row!r}")
            left = [name for name in there[kind] if name.startswith("w") and name not in things]
            if left:
                raise Failure(f"the deletion of the {kind}s {left} was acknowledged, and they are there")
        users = list(wanted["user"].values())
        for thing in self.random.sample(users, min(2, len(users))):
            if not self.can_log_in(thing.name, thing.password):
                raise Failure(f"the user {thing.name} has lost its password")

    def settle(self, writer, there):
        """Of a write that was not answered, takes over whichever of both ways it went."""
        if writer.pending is None:
            return
        action, thing, new = writer.pending
        row = there[thing.kind].get(thing.name)
        if action == "create" and row:
            thing.id = row["id"]
            writer.things.append(thing)
            if thing.kind == "user" and not self.can_log_in(thing.name, thing.password):
                raise Failure(f"the user {thing.name} was made by half: it has no password")
        elif action == "delete" and not row:
            writer.things.remove(thing)
        elif action == "describe" and row and row["description"] == new:
            thing.description = new
        elif action == "password":
            old_is_good, new_is_good = (self.can_log_in(thing.name, password) for password in (thing.password, new))
            if old_is_good == new_is_good:
                raise Failure(f"the user {thing.name} has {'both passwords' if old_is_good else 'neither password'}")
            thing.password = new if new_is_good else thing.password

    def every(self, kind):
        path = f"/v3/{kind}s?limit=1000"
        while path:
            page = self.admin.get(path).json
            yield from page[f"{kind}s"]
            path = page["links"]["next"] and page["links"]["next"].removeprefix(self.cloud.url)

    def can_log_in(self, name, password):
        status = self.cloud.client().call("POST", "/v3/auth/tokens", password_login(name, password)).status
        if status not in (201, 401):
            raise Failure(f"logging in as {name} was answered with {status}")
        return status == 201


def check_database(path):
    """SQLite's own opinion, after the last stop."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        said = [row[0] for row in database.execute("PRAGMA integrity_check")]
        if said != ["ok"]:
            raise Failure(f"PRAGMA integrity_check: {said[:5]}")
        if broken := database.execute("PRAGMA foreign_key_check").fetchall():
            raise Failure(f"PRAGMA foreign_key_check: {broken[:5]}")


def run(binary, report):
    seed = int(os.environ.get("SEED") or random.SystemRandom().getrandbits(32))
    say(f"  SEED={seed}, {ROUNDS} rounds, {WRITERS} writers")
    with Cloud(binary) as cloud:
        rounds = Rounds(cloud, random.Random(seed))
        for number in range(ROUNDS):
            with report.case(f"kill {number + 1}"):
                rounds.round(number)
            if report.failures:
                print(cloud.tail(20))
                return
            if (number + 1) % 10 == 0:
                say(f"  {number + 1} kills, {rounds.kills_in_a_write} writes cut off, {rounds.writes} acknowledged and found")
        with report.case("the database is whole"):
            if (status := cloud.stop()) != 0:
                raise Failure(f"the cloud ended with {status}")
            check_database(cloud.state / "novella.db")
