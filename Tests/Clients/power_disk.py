"""A disk as a power cut leaves it, made from the events that `power_cut.c` has written down.

What was not synced is lost, and the worst that may become of it differs:

- "strict": nothing is left of it. A name is there if its folder was synced with it, and a file has the bytes of its last sync.
- "names": all names are as they were at the cut, as a journal of names keeps them, and a file has the bytes of its last sync; beyond them it is
  empty or zeros.
- "torn": as "strict", and the file that was being synced at the cut has some of its new blocks.
"""

import collections
import os
import pathlib
import re
import shutil
import subprocess

BLOCK = 4096
MODES = ("strict", "names", "torn")

# What stands behind a name: a folder (D), a file (F) or a link (L); `key` is the same for all names of a file.
Name = collections.namedtuple("Name", "kind path key size mode user group target")


class Event:
    """A sync: what was synced, and the names at its beginning."""

    def __init__(self, log, number):
        self.number = number
        lines = (log / f"{number:06}.meta").read_text(errors="surrogateescape").split("\n")
        self.kind, self.path, self.key, size = lines[0].split("\t")
        self.size = int(size)
        self.data = log / f"{number:06}.data"
        fields = [line.split("\t") for line in lines[1:] if line]
        self.parts = [(int(offset), int(length)) for kind, offset, length in (row for row in fields if row[0] == "part")]
        names = [row for row in fields if row[0] != "part"]
        self.names = [Name(*row[:3], *(int(number) for number in row[3:7]), row[7]) for row in names]

    def blocks(self):
        """The new bytes of the file: the place of each block, and the block."""
        with open(self.data, "rb") as data:
            for offset, length in self.parts:
                for at in range(offset, offset + length, BLOCK):
                    yield at, data.read(min(BLOCK, offset + length - at))

    def describe(self, root):
        """The path without what is drawn anew in each run."""
        path = os.path.relpath(self.path, root)
        return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|(?<=blobs/)[0-9a-f]{2}", "*", path)


class Disk:
    """What is durable, event by event."""

    def __init__(self, root, log, folder):
        self.root, self.log, self.files = root, log, folder
        folder.mkdir()
        self.folders = {}
        # Of the folder of all: it is there from the beginning, and only its names have to be synced.
        self.top = {}

    def take(self, event):
        """The sync has ended."""
        if event.kind == "file":
            with open(self.files / event.key, "r+b" if (self.files / event.key).exists() else "w+b") as file:
                for at, block in event.blocks():
                    file.seek(at)
                    file.write(block)
                file.truncate(event.size)
            return
        names = {os.path.basename(name.path): name for name in event.names if os.path.dirname(name.path) == event.path}
        if event.path == str(self.root):
            self.top = names
        else:
            self.folders[event.key] = names

    def make(self, event, mode, random):
        """Makes the disk as a cut during the event's sync leaves it."""
        for path in self.root.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        self.made = {}
        if mode == "names":
            for name in event.names:
                self.put(name, pathlib.Path(name.path), random)
            return
        self.fill(self.root, self.top)
        if mode == "torn" and event.key in self.made:
            with open(self.made[event.key], "r+b") as file:
                for at, block in event.blocks():
                    if random.random() < 0.5:
                        file.seek(at)
                        file.write(block)

    def fill(self, folder, names):
        for entry, name in names.items():
            self.put(name, folder / entry)
            if name.kind == "D":
                self.fill(folder / entry, self.folders.get(name.key, {}))

    def put(self, name, path, random=None):
        """Makes what the name stands for. `random` says whether the file has its length without its bytes."""
        if name.kind == "L":
            os.symlink(name.target, path)
            return
        if name.kind == "D":
            path.mkdir()
        elif name.key in self.made:
            os.link(self.made[name.key], path)
            return
        else:
            self.made[name.key] = path
            self.copy(self.files / name.key, path)
            if random and path.stat().st_size < name.size and random.random() < 0.5:
                os.truncate(path, name.size)
        os.chown(path, name.user, name.group)
        path.chmod(name.mode)

    @staticmethod
    def copy(source, path):
        if not source.exists():
            path.touch()
        elif source.stat().st_blocks * 512 < source.stat().st_size:
            subprocess.run(["cp", "--sparse=always", str(source), str(path)], check=True)
        else:
            shutil.copyfile(source, path)
