#!/usr/bin/env python3
"""Makes the example of a release: what its binary leaves behind when it is killed in the middle of everything.

    Tests/Released/make.py BINARY VERSION

BINARY is the release's own `novella`. For SQLite and for PostgreSQL it makes `VERSION/sqlite.tar.gz` and `VERSION/postgresql.tar.gz`:

    state/         the state directory, without its logs
    novella.sql    PostgreSQL: what pg_dump says
    expected.json  what whoever opens it must find (docs/releases.md)

`VERSION/shapes.json` gets the outlines of all that the release stores, from `shapes/`.
"""

import json
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Clients"))

from harness import Cloud, Failure, password_login, say  # noqa: E402
from mirror import Mirror  # noqa: E402
from postgres import Postgres  # noqa: E402
from story import Story  # noqa: E402


def rows_of_workflows(cloud, postgres):
    """Where the workflows are that have not ended, as the killed process has left them."""
    query = "SELECT kind, direction, step, status FROM workflow WHERE finished_at IS NULL ORDER BY kind, id"
    if postgres:
        lines = postgres.query(query).splitlines()
        return [line.split("|") for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        for path in cloud.state.glob("novella.db*"):
            shutil.copy(path, folder)
        with sqlite3.connect(f"{folder}/novella.db") as database:
            return [list(row) for row in database.execute(query)]


def pack(cloud, postgres, expected, path):
    folder = cloud.directory / "released"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(cloud.state, folder / "state", ignore=shutil.ignore_patterns("log", "lock", "novella.db-shm"))
    if postgres:
        (folder / "novella.sql").write_text(postgres.dump())
    else:
        # The log has each page many times over.
        with sqlite3.connect(folder / "state" / "novella.db") as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
    (folder / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")

    def plain(info):
        info.uid = info.gid = info.mtime = 0
        info.uname = info.gname = ""
        return info

    with tarfile.open(path, "w:gz", compresslevel=9) as archive:
        for entry in sorted(folder.iterdir()):
            archive.add(entry, entry.name, filter=plain)
    say(f"  {path.name}: {path.stat().st_size >> 10} KiB")


def make(binary, version, postgres=None):
    settings = {"LOG_LEVEL": "error", "COMPUTE_SHELVED_OFFLOAD_TIME": -1, "SIMULATE_HOSTS": 4}
    if postgres:
        settings["DATABASE_CONNECTION"] = postgres.connection
    kind = "postgresql" if postgres else "sqlite"
    with Mirror(bytes(4 << 20), pause=5) as mirror, Cloud(binary, settings | mirror.settings) as cloud:
        story = Story(cloud, mirror)
        story.settled()
        story.begin()
        cloud.kill()
        unfinished = rows_of_workflows(cloud, postgres)
        say(f"  {kind}: {len(unfinished)} workflows have not ended")
        for row in unfinished:
            say("    " + " ".join(str(value) for value in row))
        kinds = sorted(row[0] for row in unfinished)
        if missing := story.kinds - set(kinds):
            raise Failure(f"these ended before the kill, on a machine that is busy: make it again: {sorted(missing)}")
        expected = story.expected | {"madeAt": int(time.time()), "unfinished": kinds}
        folder = HERE / version
        folder.mkdir(exist_ok=True)
        pack(cloud, postgres, expected, folder / f"{kind}.tar.gz")


class Dumped(Postgres):
    """A private server whose database can be looked at from outside."""

    def query(self, text):
        return self._output("psql", "-XAt", "-c", text)

    def dump(self):
        text = self._output("pg_dump", "--no-owner", "--no-privileges")
        # Newer versions fence the dump off for their own psql.
        return re.sub(r"^\\(un)?restrict .*\n", "", text, flags=re.M)

    def _output(self, program, *arguments):
        command = [f"{self.binaries}/{program}", "-h", str(self.directory), "-U", "postgres", *arguments, "novella"]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, cwd=self.directory, **self.user).stdout


def copy_shapes(version):
    """Keeps the goldens as they are now: from here on they are a contract."""
    shapes = {path.name.removesuffix(".json"): json.loads(path.read_text()) for path in sorted((HERE / "shapes").glob("*.json"))}
    (HERE / version / "shapes.json").write_text(json.dumps(shapes, indent=1, sort_keys=True) + "\n")


def main(binary, version):
    make(binary, version)
    with Dumped() as postgres:
        make(binary, version, postgres)
    copy_shapes(version)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2])
