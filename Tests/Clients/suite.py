"""Runs the checks, each against a cloud of its own, and counts. Started by `run`."""

import importlib
import os
import signal
import sys
import time

from harness import Failure, Report, say

# In the order in which they run: the fastest to tell what is wrong first. A check is a module with `run(binary, report)`.
CHECKS = {
    "cli": "the openstack command for every resource that it knows",
    "strangers": "what bug reports and tests of other people's programs found wrong",
    "member": "the openstack command as a plain member has it, in a shell",
    "operator": "the operator's commands: what is stuck, keys, a backup of a running cloud and what is made of it",
    "libraries": "python-glanceclient and its command, and Apache libcloud",
    "dashboard": "every page and the forms of OpenStack's dashboard, as a member and as an administrator",
    "schemas": "every answer against the schema that Keystone has for it",
    "nova": "every answer of Compute against the schema that Nova has for it",
    "api-samples": "every sample of a request or an answer that Nova's documentation has",
    "machines": "the main job on real parts: guests, their networks, ssh",
    "volumes": "volumes of real guests: written, copied while the guest writes, grown, shared",
    "volume-kills": "no volume is lost, left over or half when the cloud is killed while it is copied, attached or grown",
    "full-pool": "a full pool refuses copies, lets guests stand still until there is room, and harms no other project",
    "power-cuts": "no acknowledged byte is lost when the power is cut, at whatever sync of whatever file",
    "scenarios": "Tempest's scenarios on real parts, with ssh into the guests",
    "machine-kills": "guests do not notice a kill, and whatever was done to one comes to its end",
    "hostile": "a tenant who does all that it can to hold the cloud hardly delays another one",
    "fuzz": "nothing that a client can send makes a 5xx or ends the process",
    "kill": "no acknowledged write is lost when the process is killed",
    "uploads": "no byte of an upload stays behind that belongs to no whole image",
    "imports": "an import comes to its end however often the process is killed",
    "placement": "Placement's own HTTP cases, on SQLite and on PostgreSQL",
    "tempest": "Tempest's tests of identity, images, networking and compute, and those that a mark asks for",
}
# What takes longer than a run for every change may. Without an argument, these are left out.
LONG = {
    "extremes": "a cloud with ten thousand hosts is stopped, and one has a full disk",
    "rally": "Rally's scenarios of identity, images, networking and compute",
    "hostile-long": "the same as hostile, for ten minutes",
    "volume-kills-long": "the same as volume-kills, at six moments of each act",
    "power-cuts-long": "the same as power-cuts, at far more syncs",
    "guest-attacks": "what root in a guest, and an ordinary user of the host, can do to others: nothing",
    "attacks": "what each attack that was once found does to everybody else, with figures",
}
# Checks on real parts. Each compares what is on the host with what was there before, so they run one after the other.
REAL = ["machines", "volumes", "volume-kills", "full-pool", "power-cuts", "scenarios", "machine-kills"]
# Checks that measure times: nothing runs beside them.
ALONE = ["hostile"]
# What a name may stand for. `real` and `simulated` may run beside each other: each check has a cloud, ports and folders of its own.
# Runs beside each other share the folder TAKEN, and each check is run by whichever comes to it first.
GROUPS = {
    "real": REAL,
    "simulated": [name for name in CHECKS if name not in REAL + ALONE],
    "alone": ALONE,
    "long": list(LONG),
}
MODULES = {
    "extremes": "extremes_check",
    "rally": "rally_check",
    "member": "member_check",
    "operator": "operator_check",
    "libraries": "libraries_check",
    "machines": "machines_check",
    "volumes": "volumes_check",
    "volume-kills": "volume_kills_check",
    "volume-kills-long": "volume_kills_check",
    "full-pool": "full_pool_check",
    "power-cuts": "power_cuts_check",
    "power-cuts-long": "power_cuts_check",
    "machine-kills": "machine_kills_check",
    "guest-attacks": "guest_attacks",
    "scenarios": "scenarios_check",
    "nova": "nova_schemas",
    "api-samples": "api_samples",
    "tempest": "tempest_check",
    "hostile-long": "hostile",
    "kill": "kill_check",
    "uploads": "uploads_check",
    "imports": "imports_check",
    "placement": "placement_check",
}


def take(name):
    """Returns whether the check is this run's, and not that of one beside it."""
    if folder := os.environ.get("TAKEN"):
        try:
            os.close(os.open(os.path.join(folder, name), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
    return True


def main(names):
    every = CHECKS | LONG
    if any(name.startswith("-") for name in names):
        print("usage: run [CHECK|GROUP]...\n" + "\n".join(f"  {name:13s} {what}" for name, what in every.items()))
        print("groups:\n" + "\n".join(f"  {name:13s} {' '.join(group)}" for name, group in GROUPS.items()))
        return 0
    names = list(dict.fromkeys(member for name in names for member in GROUPS.get(name, [name])))
    unknown = [name for name in names if name not in every]
    if unknown:
        print(f"error: there is no check {unknown[0]!r}, only {', '.join(every)}", file=sys.stderr)
        return 2
    # Told to stop, leave by the ordinary way, which stops the cloud.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    passed = 0
    failures = []
    for name in names or CHECKS:
        if not take(name):
            continue
        say(f"{name}: {every[name]}")
        began = time.monotonic()
        report = Report(name)
        try:
            importlib.import_module(MODULES.get(name, name)).run(os.environ["NOVELLA"], report)
        except Failure as failure:
            report.fail("the check as a whole", str(failure))
        say(f"  {report.passed} passed, {len(report.failures)} failed in {time.monotonic() - began:.0f} s")
        passed += report.passed
        failures += [f"{name}: {case}: {why[-800:]}" for case, why in report.failures]
    # Once more at the end, where whoever sees only the end looks.
    for failure in failures:
        print("FAILED", failure)
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


sys.exit(main(sys.argv[1:]))
