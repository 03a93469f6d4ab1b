"""The main job, on real parts: a first server as `make up` makes it, then by the `openstack` command what one does with servers, while
their own packets, screens and disks are looked at; and nothing is left at the end."""

import subprocess
import threading

from cli.command_line import CommandLine, user
from guests import answered_pings, emulators, expect_no_machines, make_first_server, ping, ssh, tell, until, PACE, PINGS
from harness import Failure, expect, expect_has, say


def run(binary, report):
    tell(binary, report, lambda cloud: Story(binary, cloud), STEPS)


class Story:
    """The cloud, its user and what was made so far."""

    def __init__(self, binary, cloud):
        self.binary = binary
        self.cloud = cloud
        self.demo = CommandLine(user(cloud.url, "demo", cloud.password("demo"), project_name="demo", project_domain_id="default"))
        self.admin = CommandLine(user(cloud.url, "admin", cloud.password(), project_name="admin", project_domain_id="default"))

    def ssh(self, address, command):
        return ssh(self.cloud, address, command)

    def address(self, server, floating=False):
        for addresses in self.demo(f"server show {server}")["addresses"].values():
            for address in addresses:
                if address.startswith("172.24.4.") == floating:
                    return address
        raise Failure(f"{server} has no {'floating' if floating else 'fixed'} address")

    def becomes(self, server, status, deadline=180):
        def test():
            shown = self.demo(f"server show {server}")
            if shown["status"] == "ERROR" and status != "ERROR":
                raise Failure(f"{server} is in error: {shown.get('fault')}")
            return shown if shown["status"] == status and not shown["OS-EXT-STS:task_state"] else None

        return until(f"{server} to be {status}", test, deadline)

    def rescue(self):
        """Says what the host was like when a step failed."""
        for command in ("ip -br link", "ip netns", "ip -br address", "nft list tables"):
            say(command)
            print(subprocess.run(command.split(), capture_output=True, text=True).stdout[-3000:])


def make_a_first_server(story):
    said = make_first_server(story.binary, story.cloud)
    print("\n".join(said.splitlines()[:8]))
    story.hello = story.address("hello", floating=True)
    expect(f"root@{story.hello}" in said, True, "the screen names the ssh command")
    expect(story.ssh(story.hello, "echo it works").stdout, "it works\n", "ssh")
    expect(story.ssh(story.hello, "cat /proc/sys/kernel/ostype").stdout, "Linux\n", "the guest")


def make_a_second_that_the_first_pings(story):
    story.demo(
        "server create --flavor nano --image guest --network private --key-name hello --security-group hello --property role=second second"
    )
    story.becomes("second", "ACTIVE")
    second = story.address("second")
    until("the second to answer", lambda: story.ssh(story.hello, f"ping -c 1 -W 1 {second}").returncode == 0)
    first = story.address("hello")
    floating = story.demo("floating ip create public")["floating_ip_address"]
    story.demo(f"server add floating ip second {floating}")
    story.second = floating
    expect(story.ssh(floating, f"ping -c 1 -W 2 {first}").returncode, 0, "the second pings the first")


def change_a_security_group(story):
    expect(ping(story.second), True, "the second answers a ping")
    rules = story.demo("security group rule list hello")
    icmp = next(rule["ID"] for rule in rules if rule["IP Protocol"] == "icmp")
    for change, passes in (
        (f"security group rule delete {icmp}", False),
        ("security group rule create --ingress --protocol icmp hello", True),
    ):
        story.demo(change)
        answered = answered_pings(story.second)
        # The last that was still treated as before the change.
        wrong = [number for number in range(1, PINGS + 1) if (number in answered) != passes]
        if wrong and wrong[-1] * PACE > 1:
            raise Failure(f"`{change}`: of {PINGS} pings, one each {PACE} s, these were treated as before it: {wrong}")


MARK = "a line that only this disk has"


def marked(story, device):
    """Whether the third's disk of that name is the one that was written to. The guest itself opens only its first."""
    read = "cat /disk/mark" if device == "vda" else f"mount -t ext2 -o ro /dev/{device} /mnt && cat /mnt/mark; umount /mnt"
    return story.ssh(story.third, read).stdout == MARK


def snapshot_and_boot_from_it(story):
    story.ssh(story.second, f"printf '{MARK}' >/disk/mark; sync")
    story.demo("server image create --name copy --wait second")
    expect_has(story.demo("image show copy"), status="active")
    story.demo("server create --flavor nano --image copy --network private --key-name hello --security-group hello third")
    story.becomes("third", "ACTIVE")
    third = story.address("third")
    until("the third to answer", lambda: story.ssh(story.hello, f"ping -c 1 -W 1 {third}").returncode == 0)
    floating = story.demo("floating ip create public")["floating_ip_address"]
    story.demo(f"server add floating ip third {floating}")
    story.third = floating
    expect(marked(story, "vda"), True, "the third's disk")


def resize_and_confirm(story):
    expect(sectors(story), 1 << 21, "the disk before")
    story.admin("flavor create --ram 192 --disk 2 --vcpus 1 bigger")
    story.demo("server resize --flavor bigger second")
    story.becomes("second", "VERIFY_RESIZE")
    story.demo("server resize confirm second")
    story.becomes("second", "ACTIVE")
    expect(sectors(story), 2 << 21, "the disk after")


def sectors(story):
    return int(story.ssh(story.second, "cat /sys/block/vda/size").stdout)


def rebuild(story):
    story.demo("server rebuild --image guest second")
    story.becomes("second", "ACTIVE")
    expect(story.ssh(story.second, "ls /disk").stdout.split(), ["lost+found"], "what is left of the old disk")


def read_the_console(story):
    log = story.demo.says("console log show hello")
    for line in ("guest: up", "guest: key taken", "guest: ready"):
        if line not in log:
            raise Failure(f"the console's log has no line {line!r}: {log[-500:]!r}")


def stop_start_and_reboot(story):
    story.demo("server stop third")
    story.becomes("third", "SHUTOFF")
    story.demo("server start third")
    story.becomes("third", "ACTIVE")
    story.demo("server reboot --hard third")
    story.becomes("third", "ACTIVE")


def several_actions_at_once(story):
    """Two attachments, a stop and a snapshot: each is taken, and all of them come to their ends, in whatever order."""
    third = story.demo("server show third")["id"]
    network = story.demo("network show private")["id"]
    server = f"/compute/v2.1/servers/{third}"
    attach = ("/os-interface", {"interfaceAttachment": {"net_id": network}})
    wishes = [attach, attach, ("/action", {"os-stop": None}), ("/action", {"createImage": {"name": "meanwhile"}})]
    answers = {}

    def send(number):
        path, body = wishes[number]
        client = story.cloud.admin()
        client.timeout = 120
        answers[number] = client.call("POST", server + path, body)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(len(wishes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [repr(answer) for answer in answers.values() if answer.status not in (200, 202)]
    expect((len(answers), refused), (4, []), "answers, and what was refused")
    story.becomes("third", "SHUTOFF")
    until("the snapshot", lambda: story.admin("image show meanwhile")["status"] == "active")
    story.demo("server start third")
    story.becomes("third", "ACTIVE")
    cards = "ls /sys/class/net | grep -c eth"
    expect(story.ssh(story.third, cards).stdout, "3\n", "network cards in the guest")
    client = story.cloud.admin()
    ports = [one["port_id"] for one in client.get(server + "/os-interface").json["interfaceAttachments"]]
    expect(len(ports), 3, "interfaces")
    for port in ports[1:]:
        # The next is taken at once: nothing that is shown stands in its way.
        client.delete(f"{server}/os-interface/{port}", 202)
    client.post(server + "/action", {"reboot": {"type": "HARD"}}, 202)
    story.becomes("third", "ACTIVE")
    expect(story.ssh(story.third, cards).stdout, "1\n", "network cards when two were taken away")
    story.admin("image delete meanwhile")


def rescue_and_go_back(story):
    story.demo("server rescue --image guest third")
    story.becomes("third", "RESCUE")
    expect([marked(story, device) for device in ("vda", "vdb")], [False, True], "the disks of who is rescued: another, then the own")
    story.demo("server unrescue third")
    story.becomes("third", "ACTIVE")
    expect(marked(story, "vda"), True, "the own disk is the first again")
    expect(story.ssh(story.third, "test -e /sys/block/vdb").returncode, 1, "a second disk")


def shelve_and_come_back(story):
    before = len(emulators(story.cloud))
    story.demo("server shelve third")
    story.becomes("third", "SHELVED_OFFLOADED")
    expect(len(emulators(story.cloud)), before - 1, "machines that run")
    story.demo("server unshelve third")
    story.becomes("third", "ACTIVE")
    expect(marked(story, "vda"), True, "the disk as it was")
    expect(story.demo("image list --name third-shelved"), [], "the image that it was shelved in")


def a_migration_without_another_host(story):
    third = story.demo("server show third")["id"]
    story.admin(f"server migrate {third}")
    story.becomes("third", "ACTIVE")
    expect(story.admin(f"server migration list --server {third}")[0]["Status"], "error", "the migration")
    expect(marked(story, "vda"), True, "the guest goes on")


def restart_the_cloud_under_a_running_guest(story):
    boot = story.ssh(story.hello, "cat /proc/sys/kernel/random/boot_id").stdout
    story.cloud.kill()
    expect(ping(story.hello), True, "the guest answers while there is no cloud")
    story.cloud.start()
    expect(story.ssh(story.hello, "cat /proc/sys/kernel/random/boot_id").stdout, boot, "the guest's boot")
    expect_has(story.demo("server show hello"), status="ACTIVE")


def delete_everything(story):
    for server in ("hello", "second", "third"):
        story.demo(f"server delete --wait {server}")
    expect(story.demo("server list"), [], "the servers")
    expect_no_machines(story.cloud)
    for address in story.demo("floating ip list"):
        story.demo(f"floating ip delete {address['ID']}")
    story.demo("image delete copy")
    story.demo("router remove subnet router private")
    story.demo("router delete router")
    story.demo("network delete private")
    story.admin("network delete public")


STEPS = [
    make_a_first_server,
    make_a_second_that_the_first_pings,
    change_a_security_group,
    read_the_console,
    snapshot_and_boot_from_it,
    resize_and_confirm,
    rebuild,
    stop_start_and_reboot,
    several_actions_at_once,
    rescue_and_go_back,
    shelve_and_come_back,
    a_migration_without_another_host,
    restart_the_cloud_under_a_running_guest,
    delete_everything,
]
