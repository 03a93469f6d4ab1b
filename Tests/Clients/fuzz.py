"""Sends what no client should, everywhere, and expects a 4xx in Keystone's envelope: never a 5xx, a crash, or memory that grows.

Routes, fields and what a field may be are taken from Keystone's own request schemas. Everything is sent twice; memory is looked
at after each time.
"""

import json
import os
import random
import re
import socket
import threading
import time

from fuzz_inputs import IDENTIFIERS, MALFORMED, OTHER_BODIES, QUERIES, WRONG_VALUES
from harness import Answer, Cloud, Failure, say, show
from keystone_reference import Reference
from schemas import is_ours

# How much more memory the second pass may take than the first, in MB: what it keeps for each request would show.
GROWTH = 16
# What is resident may be at most, in MB, of the development build.
RESIDENT = 400
BODY = 10 << 20


def sample(schema):
    """A small value that the schema takes."""
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return sample(schema[key][0])
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {
            name: sample(schema["properties"][name])
            for name in schema.get("required", [])
            if name in schema.get("properties", {})
        }
    if kind == "array":
        return [sample(schema["items"])] * schema.get("minItems", 0) if "items" in schema else []
    return {"string": "0" * 32, "integer": 1, "number": 1, "boolean": True, "null": None}[kind]


def fields(schema, at=()):
    """The paths of all that the schema describes."""
    yield at
    for name, inner in schema.get("properties", {}).items():
        yield from fields(inner, at + (name,))
    if isinstance(schema.get("items"), dict):
        yield from fields(schema["items"], at + (0,))


def replaced(body, path, value):
    """The body with another value at the path; what is missing on the way is made."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if head == 0:
        return [replaced(body[0] if isinstance(body, list) and body else {}, rest, value)]
    body = dict(body) if isinstance(body, dict) else {}
    body[head] = replaced(body.get(head, {}), rest, value)
    return body


def fields_of(body, at=()):
    yield at
    if isinstance(body, dict):
        for name, inner in body.items():
            yield from fields_of(inner, at + (name,))


class Fuzzer:
    def __init__(self, cloud, reference, random_, report):
        self.cloud, self.reference, self.random, self.report = cloud, reference, random_, report
        self.sent = 0
        self.wrong = {}
        self.client = cloud.admin()
        self.parameters = self.fixtures()

    def fixtures(self):
        """Real ids, so that what is sent gets as far as it can."""
        api = self.client
        made = {}
        for collection, key, body in (
            ("domains", "domain", {"name": "fuzzed"}),
            ("projects", "project", {"name": "fuzzed"}),
            ("users", "user", {"name": "fuzzed", "password": "p"}),
            ("groups", "group", {"name": "fuzzed"}),
            ("roles", "role", {"name": "fuzzed"}),
            ("regions", "region", {"id": "fuzzed"}),
            ("services", "service", {"type": "fuzzed"}),
            ("policies", "policy", {"blob": "{}", "type": "a/b"}),
            ("OS-OAUTH1/consumers", "consumer", {"description": "fuzzed"}),
            ("OS-EP-FILTER/endpoint_groups", "endpoint_group", {"name": "fuzzed", "filters": {"interface": "public"}}),
        ):
            answer = api.call("POST", f"/v3/{collection}", {key: body})
            made[f"{key}_id"] = answer.json[key]["id"] if answer.status == 201 else "0" * 32
        made["credential_id"] = api.post(
            "/v3/credentials", {"credential": {"blob": "{}", "type": "cert", "user_id": made["user_id"]}}
        ).json["credential"]["id"]
        made["endpoint_id"] = api.post(
            "/v3/endpoints", {"endpoint": {"service_id": made["service_id"], "interface": "public", "url": "http://example.org"}}
        ).json["endpoint"]["id"]
        return made | {"prior_role_id": made["role_id"], "group": "ldap", "option": "url"}

    def path(self, route):
        return re.sub(r"{(\w+)}", lambda match: self.parameters.get(match[1], "0" * 32), route.path)

    # MARK: Judging

    def judge(self, what, answer, must_refuse=True):
        """Every answer must be one of a client's fault, in the envelope; with `must_refuse` nothing else will do."""
        self.sent += 1
        problem = None
        if answer is None:
            problem = "no answer"
        elif answer.status >= 500:
            problem = f"a {answer.status}"
        elif answer.status < 400:
            if must_refuse:
                problem = f"taken: {answer!r}"
        else:
            try:
                error = answer.json["error"]
                if error["code"] != answer.status or not isinstance(error["message"], str) or not isinstance(error["title"], str):
                    problem = f"a wrong envelope: {answer!r}"
            except (ValueError, KeyError, TypeError):
                # What has no body by its nature has no envelope.
                if not what.startswith("HEAD"):
                    problem = f"no envelope: {answer!r}"
        if problem and not self.cloud.is_running:
            raise Failure(f"{what} ended the process")
        if problem:
            # One of a kind is enough to read: a field is wrong with one value or with all.
            self.wrong.setdefault(f"{what.split(' with ')[0]}: {problem[:10]}", f"{what[:200]}: {problem[:300]}")

    def send(self, what, method, path, body=None, must_refuse=True, headers=None):
        try:
            answer = self.client.call(method, path, body, headers)
        except Exception as error:
            self.client.close()
            self.judge(f"{what} ({type(error).__name__}: {error})", None)
            return None
        self.judge(what, answer, must_refuse)
        return answer

    # MARK: Bodies

    def bodies(self):
        """[(route, a body that is about right, the schema or None)]"""
        for route in self.reference.routes.values():
            if is_ours(route) and route.request and route.method in ("POST", "PUT", "PATCH"):
                yield route, sample(route.request), route.request
            elif route.name in OTHER_BODIES:
                yield route, OTHER_BODIES[route.name], None

    def wrong_types(self):
        for route, body, schema in self.bodies():
            for field in fields(schema) if schema else fields_of(body):
                for value in WRONG_VALUES:
                    wrong = replaced(body, field, value)
                    name = "/".join(str(part) for part in field) or "the body"
                    refused = (
                        bool(self.reference.problems(schema, wrong))
                        if schema and "\ud800" != value and len(repr(value)) < 1000
                        else False
                    )
                    if route.name == "POST /v3/auth/tokens" or not isinstance(wrong, dict):
                        refused = True
                    if route.method == "PATCH" and len(field) == 1 and value == {}:
                        refused = False  # A change of nothing changes nothing. Keystone refuses it for some kinds of things.
                    answer = self.send(
                        f"{route.name} {name} with {value!r:.60}",
                        route.method,
                        self.path(route),
                        json.dumps(wrong).encode("utf-8", "surrogatepass"),
                        refused,
                    )
                    if answer is not None and answer.status == 201:
                        self.forget(route, answer)

    def forget(self, route, answer):
        """What came to be after all goes again, so that the cloud does not grow because of it."""
        try:
            made = next(iter(answer.json.values()))
            identifier = made.get("id") if isinstance(made, dict) else made[0]["id"]
        except (ValueError, AttributeError, IndexError, KeyError, StopIteration, TypeError):
            return
        if identifier and route.method == "POST" and "auth" not in route.path:
            self.client.call("DELETE", f"{self.path(route)}/{identifier}")

    def malformed_bodies(self):
        for route, _, _ in self.bodies():
            for name, body in MALFORMED.items():
                self.send(f"{route.name} body {name}", route.method, self.path(route), body)
        for route, body, schema in self.bodies():
            if not schema or not isinstance(body, dict) or not body:
                continue
            text = json.dumps(body)
            self.send(
                f"{route.name} body twice the same key", route.method, self.path(route), (text[:-1] + ", " + text[1:]).encode()
            )
            for kind in (
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=",
                "\x7f",
                "application/json; charset=utf-16",
            ):
                answer = self.send(
                    f"{route.name} body as {kind!r}", route.method, self.path(route), text.encode(), False, {"Content-Type": kind}
                )
                if answer is not None and answer.status == 201:
                    self.forget(route, answer)

    def queries_and_paths(self):
        for route in self.reference.routes.values():
            if not is_ours(route):
                continue
            if route.method == "GET":
                for query in QUERIES:
                    self.send(f"{route.name} query {query}", "GET", f"{self.path(route)}?{query}", must_refuse=False)
            for parameter in route.parameters:
                identifier = self.random.choice(IDENTIFIERS)
                path = re.sub(
                    r"{(\w+)}",
                    lambda match: identifier if match[1] == parameter else self.parameters.get(match[1], "0" * 32),
                    route.path,
                )
                self.send(
                    f"{route.name} {parameter} {identifier[:40]}",
                    route.method,
                    path,
                    b"{}" if route.method in ("POST", "PUT", "PATCH") else None,
                    False,
                )
        for identifier in IDENTIFIERS:
            for path in (
                f"/v3/users/{identifier}",
                f"/{identifier}",
                f"/identity/{identifier}/v3",
                f"/v3/users/{identifier}/projects",
            ):
                self.send(f"GET {path}", "GET", path, must_refuse=False)

    def tokens(self):
        real = self.client.token
        changed = [
            real[:-1],
            real + "A",
            real[:20],
            real.swapcase(),
            "",
            "x" * 5000,
            "nv1-",
            "nv1-" + "A" * 200,
            "\xff" * 50,
            "gAAAAA" + "x" * 200,
            " ",
            "null",
            real[:30] + ("B" if real[30] != "B" else "C") + real[31:],
        ]
        for token in changed:
            for header in ("X-Auth-Token", "X-Subject-Token"):
                self.send(
                    f"GET /v3/auth/tokens {header} {token[:30]!r}",
                    "GET",
                    "/v3/auth/tokens",
                    headers={"X-Subject-Token": real, header: token},
                )
            self.send(
                f"POST /v3/auth/tokens token {token[:30]!r}",
                "POST",
                "/v3/auth/tokens",
                {"auth": {"identity": {"methods": ["token"], "token": {"id": token}}}},
            )

    # MARK: Below HTTP

    def raw(self, what, data, must_refuse=True, then_close=False):
        """Sends bytes on a connection of their own and reads what comes, to the end or until nothing has come for a while."""
        received = b""
        try:
            with socket.create_connection(self.cloud.host_and_port, timeout=5) as connection:
                sender = threading.Thread(target=self._send_all, args=(connection, data, then_close), daemon=True)
                sender.start()
                try:
                    while b"\r\n\r\n" not in received or not self._is_whole(received):
                        piece = connection.recv(65536)
                        if not piece:
                            break
                        received += piece
                except OSError:
                    pass
                connection.close()
                sender.join(5)
        except OSError as error:
            what += f" ({error})"
        self.judge(what, self._parse(received), must_refuse)

    @staticmethod
    def _send_all(connection, data, then_close):
        try:
            for piece in data if isinstance(data, list) else [data]:
                connection.sendall(piece)
            if then_close:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # It had heard enough.

    @staticmethod
    def _is_whole(received):
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        return length is not None and len(body) >= int(length[1])

    @staticmethod
    def _parse(received):
        match = re.match(rb"HTTP/1\.[01] (\d{3})", received)
        return Answer(int(match[1]), {}, received.partition(b"\r\n\r\n")[2]) if match else None

    def request(self, line="GET /v3/users HTTP/1.1", *headers, body=b""):
        token = f"X-Auth-Token: {self.client.token}"
        lines = [line, "Host: localhost", token, *headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape") + body

    def headers(self):
        post = "POST /v3/users HTTP/1.1"
        self.raw("a header of 100 KB", self.request("GET /v3/users HTTP/1.1", "X-Long: " + "x" * 100_000))
        self.raw("a header of 5 MB", self.request("GET /v3/users HTTP/1.1", "X-Long: " + "x" * 5_000_000))
        self.raw("a header's name of 100 KB", self.request("GET /v3/users HTTP/1.1", "X" * 100_000 + ": x"))
        self.raw("5000 headers", self.request("GET /v3/users HTTP/1.1", *[f"X-{n}: {n}" for n in range(5000)]))
        self.raw("a token of 60 KB", b"GET /v3/users HTTP/1.1\r\nHost: x\r\nX-Auth-Token: " + b"x" * 60_000 + b"\r\n\r\n")
        self.raw("a path of 100 KB", self.request(f"GET /v3/users/{'x' * 100_000} HTTP/1.1"))
        self.raw("a query of 100 KB", self.request(f"GET /v3/users?name={'x' * 100_000} HTTP/1.1"))
        for name, header in {
            "no length": "Content-Length: ",
            "a length in words": "Content-Length: ten",
            "a negative length": "Content-Length: -5",
            "a signed length": "Content-Length: +5",
            "a huge length": "Content-Length: 99999999999999999999",
            "two lengths": "Content-Length: 5\r\nContent-Length: 6",
            "a list of lengths": "Content-Length: 5, 6",
            "a length and chunks": "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "an unknown encoding": "Transfer-Encoding: gzip, chunked, nonsense",
            "two encodings": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            "a header without a colon": "Nonsense",
            "a header without a name": ": value",
            "a space before the colon": "X-A : b",
            "a zero byte": "X-A: a\0b",
            "a control character": "X-A: a\x08b",
            "a bare carriage return": "X-A: a\rb",
        }.items():
            self.raw(f"POST with {name}", self.request(post, header, body=b"0\r\n\r\n"), then_close=True)
        self.raw("an expectation", self.request(post, "Expect: miracles", "Content-Length: 2", body=b"{}"))
        self.raw(
            "an upgrade",
            self.request(
                "GET /v3/users HTTP/1.1",
                "Connection: Upgrade, HTTP2-Settings",
                "Upgrade: h2c",
                "HTTP2-Settings: AAMAAABkAAQAAP__",
            ),
            False,
        )

    def broken_http(self):
        for name, data in {
            "rubbish": b"RUBBISH\r\n\r\n",
            "an empty line and rubbish": b"\r\n\r\nx\r\n\r\n",
            "zero bytes": b"\0" * 64 + b"\r\n\r\n",
            "random bytes": bytes(self.random.getrandbits(8) for _ in range(400)) + b"\r\n\r\n",
            "a wrong version": b"GET /v3 HTTP/9.9\r\nHost: x\r\n\r\n",
            "no version": b"GET /v3\r\nHost: x\r\n\r\n",
            "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,
            "SSH": b"SSH-2.0-OpenSSH_9.9\r\n",
            "a space in the path": b"GET /v3/us ers HTTP/1.1\r\nHost: x\r\n\r\n",
            "a method of 10 KB": b"X" * 10_000 + b" /v3 HTTP/1.1\r\nHost: x\r\n\r\n",
            "a method with symbols": b"G\x01T /v3 HTTP/1.1\r\nHost: x\r\n\r\n",
            "no path": b"GET  HTTP/1.1\r\nHost: x\r\n\r\n",
        }.items():
            self.raw(f"broken: {name}", data, then_close=True)
        for line in (
            "BREW /v3/users HTTP/1.1",
            "TRACE /v3/users HTTP/1.1",
            "CONNECT example.org:80 HTTP/1.1",
            "OPTIONS * HTTP/1.1",
            "GET http://example.org/v3/users HTTP/1.1",
            "GET /v3/users HTTP/1.0",
            "GET //v3//users HTTP/1.1",
            "GET /v3/../../etc/passwd HTTP/1.1",
            "GET ?x HTTP/1.1",
            "GET # HTTP/1.1",
        ):
            self.raw(f"line: {line}", self.request(line), False, then_close=True)
        chunked = "Transfer-Encoding: chunked", "Content-Type: application/json"
        for name, body in {
            "no number": b"zz\r\n{}\r\n0\r\n\r\n",
            "a huge number": b"FFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
            "a negative number": b"-2\r\n{}\r\n0\r\n\r\n",
            "more than said": b"2\r\n{}{}{}{}\r\n0\r\n\r\n",
            "an extension of 100 KB": b"2;" + b"x" * 100_000 + b"\r\n{}\r\n0\r\n\r\n",
            "trailers without end": b"2\r\n{}\r\n0\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n",
            "no end": b"2\r\n{",
        }.items():
            self.raw(f"chunks: {name}", self.request("POST /v3/users HTTP/1.1", *chunked, body=body), then_close=True)
        # Two requests where a careless reader sees one, or three.
        self.raw(
            "a smuggled request",
            self.request("POST /v3/users HTTP/1.1", "Content-Length: 6", "Transfer-Encoding: chunked", body=b"0\r\n\r\nG"),
            then_close=True,
        )

    def big_bodies(self):
        for path in ("/v3/users", "/v3/auth/tokens", "/v3/nowhere"):
            line = f"POST {path} HTTP/1.1"
            big = b'{"user": {"name": "' + b"x" * BODY + b'"}}'
            self.raw(
                f"{path} with 10 MB",
                self.request(line, "Content-Type: application/json", f"Content-Length: {len(big)}", body=big),
            )
            piece = b"10000\r\n" + b"[" * 0x10000 + b"\r\n"
            chunks = (
                [self.request(line, "Content-Type: application/json", "Transfer-Encoding: chunked")]
                + [piece] * (BODY // 0x10000)
                + [b"0\r\n\r\n"]
            )
            self.raw(f"{path} with 10 MB in chunks", chunks)
            self.raw(
                f"{path} with 10 MB that wait to be asked for",
                self.request(line, "Expect: 100-continue", f"Content-Length: {BODY}"),
            )

    def half_requests(self):
        """Connections that begin and do not go on; the cloud must serve others meanwhile, and get over those that then break."""
        whole = self.request(
            "POST /v3/users HTTP/1.1", "Content-Type: application/json", "Content-Length: 400", body=b'{"user": {'
        )
        open_ones = []
        for index in range(200):
            connection = socket.create_connection(self.cloud.host_and_port, timeout=5)
            connection.sendall(whole[: self.random.randrange(0, len(whole))] if index % 4 else whole)
            open_ones.append(connection)
        for _ in range(20):
            # One byte at a time on one of them.
            open_ones[0].send(b"x")
            answer = self.client.get("/v3/projects", status=None)
            if answer.status != 200:
                raise Failure(f"beside half requests, a whole one is answered with {answer!r}")
            self.sent += 1
        for index, connection in enumerate(open_ones):
            if index % 2:
                # With a reset instead of an end.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()

    KINDS = [tokens, malformed_bodies, wrong_types, queries_and_paths, headers, broken_http, big_bodies, half_requests]

    def everything(self):
        for kind in self.KINDS:
            name = kind.__name__.replace("_", " ")
            before, began = self.sent, time.monotonic()
            with self.report.case(name):
                kind(self)
                if not self.cloud.is_running:
                    raise Failure("the cloud is not running any more")
                wrong, self.wrong = self.wrong, {}
                took = time.monotonic() - began
                say(f"  {name}: {self.sent - before} requests in {took:.1f} s, {len(wrong)} kinds of wrong answer")
                if wrong:
                    show("\n".join(list(wrong.values())[:40]))
                    raise Failure(f"{len(wrong)} kinds of wrong answer, as {next(iter(wrong.values()))}")


def run(binary, report):
    seed = int(os.environ.get("SEED") or random.SystemRandom().getrandbits(32))
    say(f"  SEED={seed}")
    reference = Reference()
    with Cloud(binary) as cloud:
        fuzzer = Fuzzer(cloud, reference, random.Random(seed), report)
        fuzzer.everything()
        first = cloud.resident_megabytes
        fuzzer.everything()
        second = cloud.resident_megabytes
        say(f"  {fuzzer.sent} requests; {first:.0f} MB resident after the first pass, {second:.0f} MB after the second")
        with report.case("memory stays flat"):
            if second - first > GROWTH or second > RESIDENT:
                raise Failure(f"{first:.0f} MB after the first pass, {second:.0f} MB after the second")
        with report.case("the cloud serves and ends as it should"):
            cloud.admin().get("/v3/users")
            if (status := cloud.stop()) != 0:
                raise Failure(f"it ended with {status}")
            errors = [
                line for line in cloud.log.read_text(errors="replace").splitlines() if re.match(r"\S+ (error|critical) ", line)
            ]
            if errors:
                raise Failure(f"{len(errors)} errors in the log, as {errors[0][:500]}")
