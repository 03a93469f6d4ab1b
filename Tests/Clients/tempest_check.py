"""Tempest's tests of the services that are there, all of them. A skip needs a reason in tempest-skips.txt."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import time

from harness import HERE, ROOT, Cloud, Failure, judge_of, say
from mirror import Mirror
from postgres import Postgres
from samples import UNUSABLE, USABLE, write_manifest


class Selection:
    """Tests that belong together, and the cloud that they want.

    Tempest is pinned, so there are as many tests as there were. Fewer mean that something was not found.
    """

    def __init__(self, name, which, tests, believed, settings=None, downloads=False, samples=(), has_second=False, types=None):
        self.name = name
        # A regular expression, or the file that names them.
        self.which = which
        self.tests = tests
        # What Tempest is told of the cloud, and how the cloud is made to be so.
        self.believed = believed
        self.settings = settings or {}
        # Whether there is an image to be downloaded from a web server of this host.
        self.downloads = downloads
        # Images whose bytes the tests are run with.
        self.samples = samples
        # Whether a second process serves the same cloud, on one PostgreSQL.
        self.has_second = has_second
        # Types of volumes that there are before: {name: extra specs}
        self.types = types or {}

    @property
    def arguments(self):
        """What tempest-run is told of it."""
        if isinstance(self.which, pathlib.Path):
            return ["--load-list", str(self.which)]
        return ["--regex", self.which]


# With the rules for passwords turned on: what Tempest is told, and what the cloud is.
STRICT_BELIEF = {
    "identity-feature-enabled.security_compliance": "true",
    "identity.user_lockout_failure_attempts": 3,
    "identity.user_lockout_duration": 5,
    "identity.user_unique_last_password_count": 2,
    "identity.user_minimum_password_age": 0,
}
STRICT = {
    "SECURITY_COMPLIANCE_LOCKOUT_FAILURE_ATTEMPTS": 3,
    "SECURITY_COMPLIANCE_LOCKOUT_DURATION": 5,
    "SECURITY_COMPLIANCE_UNIQUE_LAST_PASSWORD_COUNT": 2,
    "SECURITY_COMPLIANCE_MINIMUM_PASSWORD_AGE": 0,
}

BOOTABLE = [sample for sample in USABLE if sample[1] in ("raw", "qcow2", "iso")]
SELECTIONS = [
    Selection("identity", r"^tempest\.api\.identity", 138, STRICT_BELIEF, STRICT),
    # With two stores, so that images can be copied between them.
    Selection("image", r"^tempest\.api\.image", 102,
              {"image.image_caching_enabled": "true", "image-feature-enabled.store_weight_enabled": "true"},
              {"IMAGES_STORES": "file,second", "IMAGES_CACHE_SIZE": 1}, downloads=True),
    # They upload chance bytes in the formats that they are told of: as `raw` chance bytes are what they say.
    Selection(
        "image-formats",
        r"^tempest\.api\.image\.v2\.test_images\.ListUserImagesTest",
        17,
        {"image-feature-enabled.image_format_enforcement": "false", "image.disk_formats": "raw"},
    ),
    # Images of every form: what may be used is taken, by upload and by import, and what may not is never active. Nothing is converted,
    # but the tests of the import want to be told so.
    Selection(
        "image-samples",
        r"^tempest\.api\.image\.v2\.test_images_formats\.\S*(test_accept_usable_formats\S*\(usable|test_accept_reject_formats_import)",
        2 * len(USABLE) + len(UNUSABLE),
        {"image-feature-enabled.image_conversion": "true"},
        {},
        samples=USABLE + UNUSABLE,
    ),
    # Servers of those that a host can start from. What may not be used does not get as far as that.
    Selection(
        "image-servers",
        r"^tempest\.api\.image\.v2\.test_images_formats\.\S*test_compute_rejects_invalid",
        len(BOOTABLE),
        {"image-feature-enabled.image_format_enforcement": "false"},
        {"SIMULATE_HOSTS": 2},
        samples=BOOTABLE,
    ),
    # Staged with one process, imported and deleted with another.
    Selection(
        "image-processes",
        r"^tempest\.api\.image\.v2\.test_images\.ImportImagesTest\.test_remote_",
        2,
        {"image.alternate_image_endpoint": "image-second"},
        {},
        has_second=True,
    ),
    # On two simulated hosts.
    Selection("network", r"^tempest\.api\.network", 262, {}, {"SIMULATE_HOSTS": 2}),
    Selection(
        "compute",
        # Compute assists no snapshots. The rebuild of a server on a volume wants ssh into its guest.
        r"^tempest\.api\.compute\.(?!\S*(test_assisted_volume_snapshots|test_rebuild_volume_backed_server))",
        586,
        {
            "compute-feature-enabled.block_migration_for_live_migration": "true",
            "compute-feature-enabled.scheduler_enabled_filters": "all",
            # A manager of a project may move its servers.
            "enforce_scope.nova": "true",
            "compute-feature-enabled.nova_policy_roles": "reader,member,manager,admin",
        },
        {"SIMULATE_HOSTS": 2},
    ),
    # A volume of several servers. They are on the host of the volume, so there is one host.
    Selection(
        "compute-shared",
        r"^tempest\.api\.compute\.volumes\.test_attach_volume\.AttachVolumeMultiAttachTest",
        6,
        {"compute-feature-enabled.volume_multiattach": "true", "volume.volume_type_multiattach": "shared"},
        {"SIMULATE_HOSTS": 1},
        types={"shared": {"multiattach": "<is> True"}},
    ),
    Selection(
        "volume",
        # Types cannot be encrypted yet: Tempest has no option to say so.
        r"^tempest\.api\.volume\.(?!\S*type_encryption)",
        218,
        {
            "volume.vendor_name": "Novella",
            "volume.storage_protocol": "file",
            "volume-feature-enabled.multi_backend": "true",
            "volume.backend_names": "volumes,volumes-2",
            "volume-feature-enabled.manage_volume": "true",
            "volume.manage_volume_ref": "source-name,%s.raw",
            "volume-feature-enabled.manage_snapshot": "true",
            "volume.manage_snapshot_ref": "source-name,snapshot-%s.raw",
            "compute-feature-enabled.volume_multiattach": "true",
            "volume.volume_type_multiattach": "shared",
            "volume-feature-enabled.extend_attached_volume": "true",
        },
        {"SIMULATE_HOSTS": 2, "SIMULATE_POOLS": 2},
        types={"shared": {"multiattach": "<is> True"}},
    ),
    # What the interoperability guidelines ask of who calls itself OpenStack Powered Compute.
    Selection("required", HERE / "interop-required-compute.txt", 282, STRICT_BELIEF, STRICT | {"SIMULATE_HOSTS": 2}),
]
DEADLINE = 1800
# How many tests run at a time. They sleep for whole seconds between looks at what they wait for, so the processors have time for more.
WORKERS = int(os.environ.get("WORKERS") or 4)


def allowed_skips():
    """[(pattern, reason)]"""
    lines = [line for line in (HERE / "tempest-skips.txt").read_text().splitlines() if line and not line.startswith("#")]
    return [tuple(part.strip() for part in line.split(" | ", 1)) for line in lines]


def run(binary, report):
    """SELECTION names some of them."""
    used = set()
    chosen = [name for name in os.environ.get("SELECTION", "").split(",") if name]
    for selection in SELECTIONS:
        if not chosen or selection.name in chosen:
            with contextlib.ExitStack() as stack:
                cloud, believed = stage(selection, binary, stack)
                run_selection(selection, cloud, believed, report, used)
    if not chosen:
        refuse_unused_skips(report, used, of_scenarios=False)


def stage(selection, binary, stack):
    """The cloud that the tests want, and what Tempest is told of it."""
    settings, believed = dict(selection.settings), dict(selection.believed)
    if selection.downloads:
        mirror = stack.enter_context(Mirror(an_image()))
        settings |= mirror.settings
        believed["image.http_qcow2_image"] = mirror.url
    if selection.samples:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="novella-clients-")))
        believed["image.images_manifest_file"] = str(write_manifest(folder, selection.samples))
    if selection.has_second:
        settings |= shared(stack)
    cloud = stack.enter_context(Cloud(binary, settings))
    for name, specs in selection.types.items():
        cloud.admin().post("/volume/v3/types", {"volume_type": {"name": name, "extra_specs": specs}}, 200)
    if selection.has_second:
        second = stack.enter_context(Cloud(binary, settings))
        offer(cloud, "image-second", second.url + "/image")
    return cloud, believed


def refuse_unused_skips(report, used, of_scenarios):
    """A reason for a skip that there is not hides what it once was for. The scenarios have a check of their own."""
    for pattern, _ in allowed_skips():
        if pattern not in used and pattern.startswith(r"\.scenario\.") == of_scenarios:
            report.fail(pattern, "tempest-skips.txt has a reason for a skip that there is not")


def run_selection(selection, cloud, believed, report, used, more=()):
    """Runs these tests against the cloud. `more` is told to tempest-run besides what it is told always."""
    out = ROOT / ".build" / "clients" / f"tempest-{selection.name}"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    arguments = [*judge_of("tempest-run", cloud), *selection.arguments, "--concurrency", str(WORKERS)]
    arguments += ["--timeout", str(DEADLINE), "--out", str(out), *more]
    for option, value in believed.items():
        arguments += ["--set", f"{option}={value}"]
    with open(out / "tempest-run.log", "wb") as log:
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            follow(process, out / "results.subunit")
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(60)
    if not (out / "results.tsv").exists():
        raise Failure("tempest-run made no results:\n" + (out / "tempest-run.log").read_text()[-3000:])
    failures = len(report.failures)
    judge(selection, out, report, used, cloud)
    if len(report.failures) > failures:
        print(cloud.tail(20))
        say(f"  every request and answer is in {out}/tempest.log")


def shared(stack):
    """What processes of one cloud have in common."""
    server = stack.enter_context(Postgres())
    folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="novella-clients-")))
    key = folder / "secret.key"
    key.write_text(os.urandom(32).hex())
    key.chmod(0o600)
    return {"DATABASE_CONNECTION": server.connection, "STATE_KEY_FILE": key, "IMAGES_STORES": f"file:{folder}/images", "SIMULATE_HOSTS": 0}


def offer(cloud, kind, url):
    """Tells the catalog of one more service."""
    admin = cloud.admin()
    service = admin.post("/v3/services", {"service": {"name": kind, "type": kind}}).json["service"]
    endpoint = {"service_id": service["id"], "interface": "public", "region_id": region(admin), "url": url}
    admin.post("/v3/endpoints", {"endpoint": endpoint})


def region(admin):
    return admin.get("/v3/regions").json["regions"][0]["id"]


def an_image():
    """An empty qcow2 of 1 MiB: its header, the table of its reference counts, the counts, the table of its clusters."""
    cluster = 1 << 16
    header = b"QFI\xfb" + struct.pack(
        ">IQIIQIIQQIIQQQQII", 3, 0, 0, 16, 1 << 20, 0, 1, 3 * cluster, cluster, 1, 0, 0, 0, 0, 0, 4, 104
    )
    parts = [header, struct.pack(">Q", 2 * cluster), struct.pack(">4H", 1, 1, 1, 1), b""]
    return b"".join(part.ljust(cluster, b"\0") for part in parts)


def follow(process, results):
    """Shows now and then that it goes on."""
    told = time.monotonic()
    while process.poll() is None:
        time.sleep(0.2)
        if time.monotonic() - told >= 20:
            told = time.monotonic()
            size = results.stat().st_size if results.exists() else 0
            say(f"  under way, {size // 1024} KiB of results")


def requests_of(out, test):
    """The requests of a test as Tempest's log has them, `STATUS METHOD URL`."""
    log = out / "tempest.log"
    case, method = test.rsplit(".", 2)[-2:]
    which = re.compile(rf"Request \({re.escape(case)}:{re.escape(method)}\): (\d.*)")
    found = [which.search(line) for line in log.read_text(errors="replace").splitlines()] if log.exists() else []
    return [match[1] for match in found if match]


def causes(cloud, requests):
    """What the cloud's log says of failures of the things that a test has asked for. CI keeps no more than what is printed."""
    things = set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", " ".join(requests)))
    lines = [line for thing in sorted(things) for line in cloud.lines_about(thing)]
    return [line for line in lines if re.search(r"failed|undone|warning|error", line)]


def judge(selection, out, report, used, cloud):
    reasons = allowed_skips()
    passed = skipped = 0
    rows = [line.split("\t") for line in (out / "results.tsv").read_text().splitlines()]
    tests = [row for row in rows if not row[1].startswith("note:")]
    for name, status, _, message in tests:
        short = name.split("[")[0]
        if status == "pass":
            report.pass_()
            passed += 1
        elif status == "skip":
            pattern = next((pattern for pattern, _ in reasons if re.search(pattern, short)), None)
            if pattern is None:
                report.fail(short, f"skipped, and tempest-skips.txt has no reason for it: {message}")
            else:
                used.add(pattern)
                skipped += 1
        else:
            requests = requests_of(out, short)
            refused = [request for request in requests if request[0] in "45"]
            report.fail(short, " | ".join([message, *refused[-2:], *causes(cloud, requests)[-2:]]))
    # What is noted besides tests is a class whose cleaning up went wrong.
    for name, status, _, message in rows:
        if status.startswith("note:"):
            report.fail(name, f"{status}: {message}")
    if len(tests) < selection.tests:
        report.fail("the selection", f"{len(tests)} tests instead of {selection.tests}")
    seconds = json.loads((out / "summary.json").read_text())["seconds"]
    say(f"  {selection.name}: {len(tests)} tests, {passed} passed, {skipped} skipped with a reason, in {seconds:.0f} s")
