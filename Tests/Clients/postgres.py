"""A private PostgreSQL server for checks that run on it, in a directory that is removed with it."""

import glob
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from harness import Failure

DEADLINE = 30


class Postgres:
    """`with Postgres() as server:` gives what `database.connection` takes: server.connection."""

    def __enter__(self):
        self.binaries = self._binaries()
        # Directly in /tmp: a Unix socket's path has at most 107 bytes.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="novella-pg-", dir="/tmp"))
        self.process = None
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def connection(self):
        return f"postgresql://postgres@/novella?host={self.directory}"

    def _start(self):
        # PostgreSQL does not run as root.
        self.user = {}
        if os.getuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
            self.user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        data = str(self.directory / "data")
        self._run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync")
        with open(self.directory / "log", "wb") as log:
            settings = ["listen_addresses=", "fsync=off", "synchronous_commit=off", "full_page_writes=off"]
            self.process = subprocess.Popen(
                [self.binaries + "/postgres", "-D", data, "-k", str(self.directory), *(f"-c{setting}" for setting in settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                **self.user,
            )
        deadline = time.monotonic() + DEADLINE
        while subprocess.run(
            [self.binaries + "/pg_isready", "-q", "-h", str(self.directory), "-U", "postgres"], check=False
        ).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failure("PostgreSQL did not start:\n" + (self.directory / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.05)
        self._run("createdb", "-h", str(self.directory), "-U", "postgres", "novella")

    def _run(self, program, *arguments):
        done = subprocess.run(
            [f"{self.binaries}/{program}", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=self.directory,
            check=False,
            **self.user,
        )
        if done.returncode:
            raise Failure(f"{program} failed: {done.stderr[-2000:]}")

    @staticmethod
    def _binaries():
        packaged = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]), reverse=True)
        for folder in packaged + os.environ.get("PATH", "").split(":"):
            if all(os.access(f"{folder}/{name}", os.X_OK) for name in ("postgres", "initdb", "createdb", "pg_isready")):
                return folder
        raise Failure("there is no PostgreSQL 15 or later: apt-get install postgresql")
