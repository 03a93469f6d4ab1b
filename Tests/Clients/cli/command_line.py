"""The real `openstack` command, called within this process: 0.05 s a command, where a process of its own takes 1.5 s."""

import contextlib
import importlib.metadata
import io
import json
import logging
import os
import shlex
import sys

from harness import Failure

# The groups of commands that flows are for, and how the names of those begin.
GROUPS = {"openstack.identity.v3": "", "openstack.image.v2": "", "openstack.volume.v3": ""}
# Groups whose commands are used where they are of use.
OTHER_GROUPS = {"openstack.compute.v2": "", "openstack.network.v2": ""}


class Login:
    """Who calls, as options of the command."""

    def __init__(self, url, **options):
        self.options = {"auth-url": url + "/identity", "identity-api-version": "3"} | {
            name.replace("_", "-"): value for name, value in options.items()
        }

    def but(self, **options):
        changed = Login("")
        changed.options = self.options | {name.replace("_", "-"): value for name, value in options.items()}
        changed.options = {name: value for name, value in changed.options.items() if value is not None}
        return changed

    @property
    def arguments(self):
        return [f"--os-{name}={value}" for name, value in self.options.items()]


def user(url, name, password, **scope):
    """A user of the domain default, by password."""
    return Login(url, username=name, password=password, user_domain_id="default", **scope)


class Terminal(io.StringIO):
    """A person's standard input: from anything else the command would read an image's data."""

    def isatty(self):
        return True


class CommandLine:
    """Runs commands and remembers which."""

    # One of all; commands are told apart by it.
    used = set()

    def __init__(self, login):
        self.login = login

    def __call__(self, line):
        """Runs `openstack LINE` and returns the objects that it printed, if it is a command that prints any."""
        status, out, err = self._run(line)
        if status != 0:
            raise Failure(f"`openstack {line}` ended with {status}: {err.strip()[-600:]}")
        return json.loads(out) if out.strip() and prints(command_name(shlex.split(line))) else None

    def says(self, line):
        """All that `openstack LINE` printed, for commands that answer with a sentence."""
        _, out, err = self._run(line)
        return out + err

    def fails(self, line, saying=""):
        """The command must end with an error that contains this text."""
        status, out, err = self._run(line)
        if status == 0:
            raise Failure(f"`openstack {line}` must fail, but it succeeded: {out.strip()[:300]}")
        if saying not in err:
            raise Failure(f"`openstack {line}` must fail with {saying!r}, but said: {err.strip()[-600:]}")

    def _run(self, line):
        from openstackclient import shell

        forget_clients()
        words = shlex.split(line)
        name = command_name(words)
        self.used.add(name)
        out, err = io.StringIO(), io.StringIO()
        # Each shell adds handlers that write to what standard error is now.
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        for key in [key for key in os.environ if key.startswith("OS_")]:
            del os.environ[key]
        os.environ["OS_CLIENT_CONFIG_FILE"] = os.devnull
        stdin, sys.stdin = sys.stdin, Terminal()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                formatted = ["-f", "json"] if prints(name) else []
                status = shell.main(self.login.arguments + words + formatted)
            except SystemExit as end:
                status = end.code
            finally:
                sys.stdin = stdin
                root.handlers[:] = handlers
                root.setLevel(level)
        return status, out.getvalue(), err.getvalue()


def forget_clients():
    """The command keeps its clients for as long as its process lives, and they would stay those of the first login."""
    from openstackclient.common import clientmanager
    from osc_lib.clientmanager import ClientCache

    for kind in clientmanager.ClientManager.__mro__:
        for value in vars(kind).values():
            if isinstance(value, ClientCache):
                value._handle = None


def commands():
    """{name: entry point} of the commands that flows are for, and the few for all services that need no other service."""
    every = {}
    for group, beginning in (GROUPS | OTHER_GROUPS | {"openstack.common": ""}).items():
        for entry in importlib.metadata.entry_points(group=group):
            name = entry.name.replace("_", " ")
            if name.startswith(beginning):
                every[name] = entry
    return every


COMMANDS = commands()


def command_name(words):
    """The longest beginning that is a command."""
    for end in range(len(words), 0, -1):
        name = " ".join(words[:end])
        if name in COMMANDS:
            return name
    raise Failure(f"openstack has no command for `{' '.join(words)}`")


def prints(name):
    """Whether the command has a result, and so can be told its format."""
    from cliff.display import DisplayCommandBase

    return issubclass(COMMANDS[name].load(), DisplayCommandBase)
