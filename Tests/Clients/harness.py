"""What the checks share: a cloud to check, a plain HTTP client, and the account of what passed and what failed."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BEGAN = time.monotonic()


def say(text):
    """Prints a line of progress with the time since the suite began."""
    seconds = int(time.monotonic() - BEGAN)
    print(f"[{seconds // 60:3d}:{seconds % 60:02d}] {text}", flush=True)


class Failure(Exception):
    """What a check saw is not what it must be."""


def expect(actual, wanted, what):
    if actual != wanted:
        raise Failure(f"{what}: expected {wanted!r}, saw {actual!r}")


def expect_has(actual, what="the answer", **wanted):
    """The object has these members with these values; others are as they like."""
    for name, value in wanted.items():
        if name not in actual:
            raise Failure(f"{what} has no {name!r}: {actual!r}")
        expect(actual[name], value, f"{what}, {name}")


class Report:
    """Counts the cases of one check."""

    def __init__(self, name):
        self.name = name
        self.passed = 0
        self.failures = []

    def pass_(self, count=1):
        self.passed += count

    def fail(self, case, why):
        self.failures.append((case, why))
        say(f"  FAILED {self.name}: {case}: {why}")

    @contextlib.contextmanager
    def case(self, name):
        """One case: passes when the block ends, fails when it raises. The next case is run in either event."""
        try:
            yield
        except Failure as failure:
            self.fail(name, str(failure))
        except Exception:
            self.fail(name, traceback.format_exc().strip())
        else:
            self.pass_()


class Cloud:
    """A `novella up` of its own, with simulated hosts unless told otherwise, in a directory that is removed with it.

    `settings` are environment variables without their prefix: {"SECURITY_COMPLIANCE_LOCKOUT_DURATION": 5}; `environment` are further ones.
    """

    START_DEADLINE = 30

    def __init__(self, binary, settings=None, simulate=True):
        self.binary = binary
        self.simulate = simulate
        self.settings = settings or {}
        self.environment = {}
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="novella-clients-"))
        # Guests and name servers of a real host run as users of their own, who must reach what is theirs.
        if not simulate:
            self.directory.chmod(0o711)
        self.state = self.directory / "state"
        self.log = self.directory / "novella.log"
        self.process = None
        self.url = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        self.remove()

    def start(self):
        """Returns when the cloud serves. Started again, it has the port and the data that it had."""
        address = re.sub(r"^http://", "", self.url) if self.url else "127.0.0.1:0"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "NOVELLA"))}
        environment |= {f"NOVELLA_{name}": str(value) for name, value in self.settings.items()} | self.environment
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "up", *(["--simulate"] if self.simulate else []), "--state", str(self.state), "--listen", address],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
            )
        line = self._first_line()
        ready = re.fullmatch(r"ready (http://\S+)\n", line)
        if not ready:
            raise Failure(f"the cloud did not become ready; it said {line!r}\n{self.tail()}")
        self.url = ready[1].rstrip("/")

    def _first_line(self):
        deadline = time.monotonic() + self.START_DEADLINE
        line = b""
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                break
            byte = os.read(self.process.stdout.fileno(), 1)
            if not byte:
                break
            line += byte
        return line.decode("utf-8", "replace")

    def kill(self):
        """Ends the process without a warning."""
        self.process.send_signal(signal.SIGKILL)
        self._reap()

    def stop(self):
        """Returns the exit status; one that does not end on its own is killed."""
        if not self.process:
            return None
        self.process.terminate()
        return self._reap()

    def clear_host(self):
        """Stops the cloud, and takes off the host what it left running there."""
        self.stop()
        done = subprocess.run([self.binary, "clear", "--state", str(self.state)], capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise Failure(f"novella clear: {done.stdout}{done.stderr}")

    def _reap(self):
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process.stdout.close()
        self.process = None
        return status

    def remove(self):
        if self.process:
            self.process.kill()
            self._reap()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def resident_megabytes(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"^VmRSS:\s+(\d+) kB", status.read(), re.M)[1]) / 1024

    @property
    def host_and_port(self):
        host, port = re.sub(r"^http://", "", self.url).rsplit(":", 1)
        return host, int(port)

    def password(self, cloud="admin"):
        """The password that the cloud's own client files give."""
        text = (self.state / "clouds.yaml").read_text()
        return re.search(rf'novella-{cloud}:.*?password: "?([^"\n]+)', text, re.S)[1]

    def tail(self, lines=40):
        """The last lines of the log and of the access log."""
        out = []
        for path in (self.log, self.state / "log" / "access.log"):
            if path.exists():
                text = path.read_text(errors="replace").splitlines()[-lines:]
                out.append("\n".join([f"--- {path.name}, its last lines"] + text))
        return "\n".join(out)

    def lines_about(self, text, most=20):
        """The last lines of the log that name it."""
        return [line for line in self.log.read_text(errors="replace").splitlines() if text in line][-most:]

    def client(self):
        return Client(*self.host_and_port)

    def admin(self, scope=None):
        """A client with a token of the administrator's, for the project admin unless told otherwise."""
        client = self.client()
        client.log_in(password_login("admin", self.password(), scope or ADMIN_PROJECT))
        return client


class SlowSource(socketserver.ThreadingTCPServer):
    """Sends its head at last, after 29 seconds: a source of images that holds whoever fetches from it."""

    allow_reuse_address = daemon_threads = True

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(65536)
            time.sleep(29)

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


ADMIN_PROJECT = {"project": {"name": "admin", "domain": {"id": "default"}}}


def environment(name, what=None):
    """The folder of the programs of a Python environment of its own, made if it is not there: `requirements-NAME.txt` says what is in it."""
    subprocess.run([str(HERE / "environment"), name, what or f"what the check {name} needs"], check=True, stdin=subprocess.DEVNULL)
    return ROOT / f".venv-{name}" / "bin"


def judge_of(program, cloud):
    """The command of a judge from outside, up to its own options: what it is told of a cloud."""
    command = [sys.executable, str(HERE / program), "--venv", str(pathlib.Path(sys.executable).parent.parent)]
    command += ["--auth-url", cloud.url + "/identity/v3", "--admin-user", "admin", f"--password={cloud.password()}", "--project", "admin"]
    return command


def password_login(name, password, scope=None):
    user = {"name": name, "domain": {"id": "default"}, "password": password}
    auth = {"identity": {"methods": ["password"], "password": {"user": user}}}
    if scope:
        auth["scope"] = scope
    return {"auth": auth}


class Answer:
    def __init__(self, status, headers, content):
        self.status = status
        self.headers = headers
        self.content = content

    @property
    def json(self):
        return json.loads(self.content)

    def __repr__(self):
        return f"{self.status} {self.content[:400].decode('utf-8', 'replace')}"


class Client:
    """One connection to the cloud. It adds nothing to what it is told to send but a token, and hides no failure."""

    def __init__(self, host, port, timeout=30):
        self.host, self.port, self.timeout = host, port, timeout
        self.token = None
        self.connection = None

    def log_in(self, body):
        answer = self.post("/v3/auth/tokens", body, status=201)
        self.token = answer.headers["X-Subject-Token"]
        return answer.json["token"]

    def call(self, method, path, body=None, headers=None, status=None):
        """`body` is sent as JSON unless it is bytes. With `status`, any other answer is a failure."""
        all_headers = {"Accept": "application/json"}
        if self.token:
            all_headers["X-Auth-Token"] = self.token
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            all_headers["Content-Type"] = "application/json"
        all_headers |= headers or {}
        if not self.connection:
            self.connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        try:
            self.connection.request(method, path, body, all_headers)
            response = self.connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        except Exception:
            self.close()
            raise
        if response.will_close:
            self.close()
        if status is not None and answer.status not in (status if isinstance(status, tuple) else (status,)):
            raise Failure(f"{method} {path}: expected {status}, saw {answer}")
        return answer

    def get(self, path, status=200, **rest):
        return self.call("GET", path, status=status, **rest)

    def post(self, path, body=None, status=201, **rest):
        return self.call("POST", path, body, status=status, **rest)

    def put(self, path, body=None, status=204, **rest):
        return self.call("PUT", path, body, status=status, **rest)

    def patch(self, path, body, status=200, **rest):
        return self.call("PATCH", path, body, status=status, **rest)

    def delete(self, path, status=204, **rest):
        return self.call("DELETE", path, status=status, **rest)

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None


def show(text, indent="    "):
    """Prints what belongs to the line before."""
    sys.stdout.write("".join(f"{indent}{line}\n" for line in text.splitlines()))
    sys.stdout.flush()
