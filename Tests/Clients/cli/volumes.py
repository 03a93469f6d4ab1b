"""Block Storage: volumes and what belongs to them."""

import time

from harness import Failure, expect, expect_has

from .command_line import CommandLine
from .flow import column, lists

DEADLINE = 60


def newest(openstack):
    """The same caller with the newest version of the API: some commands are refused with an older one."""
    return CommandLine(openstack.login.but(volume_api_version="3.71"))


def member(flow, name):
    return newest(flow.member(name)[0])


def settled(openstack, line, status="available"):
    """Shows a thing until it has the status."""
    end = time.monotonic() + DEADLINE
    while True:
        shown = openstack(line)
        if shown["status"] == status:
            return shown
        if shown["status"].startswith("error") or time.monotonic() > end:
            raise Failure(f"`openstack {line}`: the status is {shown['status']!r} and not {status!r}")
        time.sleep(0.1)


def volume(openstack, name, options="--size 1"):
    openstack(f"volume create {options} {name}")
    return settled(openstack, f"volume show {name}")


def gone(openstack, line):
    """Lists until nothing is left."""
    end = time.monotonic() + DEADLINE
    while left := openstack(line):
        if time.monotonic() > end:
            raise Failure(f"`openstack {line}` still finds {left!r}")
        time.sleep(0.1)


def vanished(openstack, line):
    """Shows a thing until there is none."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        try:
            openstack(line)
        except Failure:
            return
        time.sleep(0.1)
    raise Failure(f"`openstack {line}` still finds it")


def volumes(flow):
    openstack, admin = member(flow, "keeper"), newest(flow.admin)
    made = volume(openstack, "disk", "--size 1 --description 'The first' --property color=red")
    expect_has(made, name="disk", description="The first", size=1, bootable=False, encrypted=False, multiattach=False)
    expect_has(made["properties"], color="red")
    openstack("volume set disk --name data --description other --property color=blue --property kind=ssd --bootable")
    shown = openstack("volume show data")
    expect_has(shown, description="other", bootable=True)
    expect_has(shown["properties"], color="blue", kind="ssd")
    openstack("volume unset data --property kind")
    openstack("volume set data --non-bootable --read-only")
    openstack("volume set data --size 2")
    expect_has(settled(openstack, "volume show data"), size=2, bootable=False)
    expect_has(openstack("volume show data")["properties"], color="blue", readonly="True")
    openstack("volume set data --read-write")
    openstack.fails("volume set data --size 1")
    openstack.fails("volume create", "--size")
    openstack.fails("volume create --size 100000 much", "413")

    volume(openstack, "copy", "--source data")
    expect_has(openstack("volume show copy"), size=2, source_volid=shown["id"])
    expect(column(openstack("volume list"), "Name"), ["copy", "data"], "the volumes")
    expect(column(openstack("volume list --name data"), "Name"), ["data"], "by name")
    expect(column(openstack("volume list --property color=blue"), "Name"), ["data"], "by a property")
    expect(openstack("volume list --status error"), [], "those in error")
    # The SDK goes on to the next page.
    expect(len(openstack("volume list --long --limit 1")), 2, "the pages")
    expect_has(openstack("volume summary"), **{"Total Count": 2, "Total Size": 4})
    expect_has(admin("volume summary"), **{"Total Count": 0})
    lists(admin("volume list --all-projects"), "all volumes", Name="copy")
    admin(f"volume set {shown['id']} --state error")
    admin(f"volume set {shown['id']} --state available")

    openstack("volume delete copy data")
    gone(openstack, "volume list")
    openstack.fails("volume show data")


def volume_snapshots(flow):
    openstack, admin = member(flow, "photographer"), newest(flow.admin)
    volume(openstack, "disk")
    openstack("volume snapshot create --volume disk --description 'As it was' --property a=b first")
    shown = settled(openstack, "volume snapshot show first")
    expect_has(shown, name="first", description="As it was", size=1)
    openstack("volume snapshot set first --name one --description less --property c=d")
    expect_has(openstack("volume snapshot show one")["properties"], a="b", c="d")
    openstack("volume snapshot unset one --property a")
    admin(f"volume snapshot set {shown['id']} --state error")
    expect(column(openstack("volume snapshot list --status error"), "Name"), ["one"], "those in error")
    admin(f"volume snapshot set {shown['id']} --state available")
    expect(column(openstack("volume snapshot list --volume disk"), "Name"), ["one"], "those of the volume")
    expect_has(volume(openstack, "other", "--snapshot one"), snapshot_id=shown["id"], size=1)
    openstack("volume revert one")
    settled(openstack, "volume show disk")
    openstack.fails("volume delete disk", "400")
    openstack("volume snapshot delete one")
    gone(openstack, "volume snapshot list")
    openstack("volume delete disk other")
    gone(openstack, "volume list")


def volume_transfers(flow):
    giver = member(flow, "giver")
    taker, admin = member(flow, "taker"), newest(flow.admin)
    volume(giver, "gift")
    made = giver("volume transfer request create --name present gift")
    expect_has(made, name="present")
    expect(column(giver("volume transfer request list"), "Name"), ["present"], "the transfers")
    expect(taker("volume transfer request list"), [], "what the other one sees")
    # The SDK asks for all projects by a word that the API does not know.
    admin("volume transfer request list --all-projects")
    expect_has(giver("volume transfer request show present"), volume_id=made["volume_id"])
    expect_has(giver("volume show gift"), status="awaiting-transfer")
    taker.fails(f"volume transfer request accept --auth-key 0123456789abcdef {made['id']}", "400")
    taker(f"volume transfer request accept --auth-key {made['auth_key']} {made['id']}")
    expect(column(taker("volume list"), "Name"), ["gift"], "what the other one has")
    expect(giver("volume list"), [], "what is left")
    back = taker("volume transfer request create --no-snapshots --name back gift")
    taker(f"volume transfer request delete {back['id']}")
    expect_has(taker("volume show gift"), status="available")
    taker("volume delete gift")
    gone(taker, "volume list")


def volume_types(flow):
    openstack = newest(flow.admin)
    made = openstack("volume type create --description Fast --property a=1 --multiattach gold")
    expect_has(made, name="gold", description="Fast", is_public=True)
    openstack("volume type set gold --description Faster --property b=2")
    openstack("volume type unset gold --property a")
    expect_has(openstack("volume type show gold"), description="Faster")
    expect(openstack("volume type show gold")["properties"], {"b": "2", "multiattach": "<is> True"}, "the properties")
    openstack("volume type unset gold --property b")
    expect(column(openstack("volume type list"), "Name"), ["__DEFAULT__", "gold"], "the types")
    expect(column(openstack("volume type list --encryption-type"), "Name"), ["__DEFAULT__", "gold"], "with encryption")
    expect_has(openstack("volume type list --default")[0], Name="__DEFAULT__")

    private, _, project = flow.member("private")
    openstack(f"volume type create --private --project {project} own")
    expect(column(private("volume type list"), "Name"), ["__DEFAULT__", "gold", "own"], "what the project sees")
    openstack(f"volume type unset own --project {project}")
    expect(column(private("volume type list"), "Name"), ["__DEFAULT__", "gold"], "what it sees then")
    private.fails("volume type create mine", "403")

    openstack("volume qos create --consumer front-end --property total_iops_sec=100 slow")
    openstack("volume qos set slow --property read_iops_sec=5")
    openstack("volume qos unset slow --property total_iops_sec")
    openstack("volume qos associate slow gold")
    expect_has(openstack("volume qos show slow"), name="slow", consumer="front-end", properties={"read_iops_sec": "5"})
    expect(column(openstack("volume qos list"), "Name"), ["slow"], "the specs")
    openstack("volume qos disassociate slow --volume-type gold")
    openstack("volume qos associate slow gold")
    openstack("volume qos disassociate slow --all")
    openstack("volume qos delete slow")

    volume(private, "disk", "--size 1 --type gold")
    expect_has(private("volume show disk"), type="gold", multiattach=True)
    openstack.fails("volume type delete gold", "400")
    private("volume delete disk")
    gone(private, "volume list")
    openstack("volume type delete gold own")


def volume_groups(flow):
    openstack, admin = member(flow, "teams"), newest(flow.admin)
    admin("volume group type create --description Any team")
    admin("volume group type set team --description Every --property a=b")
    admin("volume group type set team --no-property")
    expect_has(admin("volume group type show team"), Name="team", Description="Every")
    expect(column(openstack("volume group type list"), "Name"), ["team"], "the group types")
    openstack("volume group create --volume-group-type team --volume-type __DEFAULT__ --name blue")
    volume(openstack, "left", "--size 1 --type __DEFAULT__")
    # There are two hosts with a pool each, and a group is in one of them.
    for number in range(4):
        volume(openstack, f"other{number}", "--size 1 --type __DEFAULT__")
    joined = [
        name for name in ("left", "other0", "other1", "other2", "other3")
        if not openstack.says(f"volume group add volume blue {name}").strip()
    ]
    expect(1 <= len(joined) < 5, True, "some volumes join")
    expect(len(openstack("volume group show --volumes blue")["Volumes"]), len(joined), "the volumes of the group")
    openstack("volume group set blue --description 'All of them'")
    expect(column(openstack("volume group list"), "Name"), ["blue"], "the groups")
    openstack("volume group snapshot create --name moment blue")
    group_settled(openstack, "volume group snapshot show moment")
    expect(column(openstack("volume group snapshot list"), "Name"), ["moment"], "the group snapshots")
    openstack("volume group create --group-snapshot moment --name green")
    group_settled(openstack, "volume group show green")
    openstack("volume group delete --force green")
    openstack("volume group snapshot delete moment")
    gone(openstack, "volume group snapshot list")
    openstack(f"volume group remove volume blue {joined[0]}")
    openstack("volume group delete --force blue")
    gone(openstack, "volume group list")
    for row in openstack("volume list"):
        openstack(f"volume delete {row['ID']}")
    gone(openstack, "volume list")
    admin("volume group type delete team")


def group_settled(openstack, line):
    end = time.monotonic() + DEADLINE
    while (status := openstack(f"{line}")["Status"]) != "available":
        if status == "error" or time.monotonic() > end:
            raise Failure(f"`openstack {line}`: the status is {status!r}")
        time.sleep(0.1)


def consistency_groups(flow):
    openstack, admin = member(flow, "consistent"), newest(flow.admin)
    admin("volume group type create default_cgsnapshot_type")
    made = openstack("consistency group create --volume-type __DEFAULT__ --description Old pair")
    volume(openstack, "first", f"--size 1 --type __DEFAULT__ --consistency-group {made['id']}")
    expect(column(openstack("consistency group list"), "Name"), ["pair"], "the consistency groups")
    openstack("consistency group remove volume pair first")
    openstack("consistency group add volume pair first")
    openstack("consistency group set pair --description Older")
    expect_has(openstack("consistency group show pair"), description="Older", status="available")
    openstack("consistency group snapshot create --consistency-group pair shot")
    settled(openstack, "consistency group snapshot show shot")
    # The SDK compares the answers with what it has asked for, and leaves all out.
    openstack("consistency group snapshot list")
    openstack("consistency group snapshot delete shot")
    vanished(openstack, "consistency group snapshot show shot")
    # The SDK sends the word for force under another name than the API asks for.
    openstack.fails("consistency group delete --force pair", "'consistencygroup' is a required property")
    path = f"/volume/v3/consistencygroups/{made['id']}/delete"
    flow.cloud.admin().call("POST", path, {"consistencygroup": {"force": True}}, status=202)
    gone(openstack, "volume list")
    admin("volume group type delete default_cgsnapshot_type")


def volumes_of_servers(flow):
    openstack, admin = member(flow, "owner"), newest(flow.admin)
    admin("flavor create --ram 64 --disk 1 --vcpus 1 tiny")
    openstack("image create --disk-format raw --container-format bare --file /etc/hostname disk")
    openstack("network create net")
    openstack("subnet create --network net --subnet-range 10.9.0.0/24 sub")
    bootable = volume(openstack, "root", "--size 1 --image disk")
    expect_has(bootable, bootable=True)
    expect_has(bootable["volume_image_metadata"], image_name="disk")
    openstack("volume unset root --image-property min_ram")
    openstack("server create --flavor tiny --volume root --network net --wait booted")
    expect_has(openstack("volume show root"), status="in-use")
    volume(openstack, "more")
    openstack("server add volume booted more")
    settled(openstack, "volume show more", "in-use")
    lists(openstack("volume list"), "the volumes", Name="more", Status="in-use")
    openstack("server volume list booted")
    openstack("server remove volume booted more")
    settled(openstack, "volume show more")
    openstack.fails("volume delete root", "400")
    server = openstack("server show booted")["id"]

    made = openstack(f"volume attachment create --server {server} more")
    expect_has(made, Status="reserved")
    lists(openstack(f"volume attachment list --volume-id {made['Volume ID']}"), "the attachments", ID=made["ID"])
    openstack(f"volume attachment set --host here --ip 10.0.0.1 --initiator i --platform x --os-type y {made['ID']}")
    openstack(f"volume attachment complete {made['ID']}")
    expect_has(openstack(f"volume attachment show {made['ID']}"), Status="attached")
    openstack(f"volume attachment delete {made['ID']}")
    settled(openstack, "volume show more")
    openstack("server delete --wait booted")
    openstack("volume delete root more")
    gone(openstack, "volume list")
    openstack("image delete disk")
    openstack("network delete net")
    admin("flavor delete tiny")


def storage_hosts(flow):
    openstack = newest(flow.admin)
    pools = openstack("volume backend pool list --long")
    host = pools[0]["Name"].split("#")[0]
    openstack(f"volume backend capability show {host}")
    lists(openstack("volume service list"), "the services", Binary="cinder-volume", Host=host)
    openstack(f"volume service set --disable --disable-reason tired {host} cinder-volume")
    lists(openstack(f"volume service list --host {host} --service cinder-volume"), "the service", Status="disabled")
    openstack(f"volume service set --enable {host} cinder-volume")
    openstack(f"volume host set --disable {host}")
    openstack(f"volume host set --enable {host}")
    filters = openstack("block storage resource filter list")
    lists(filters, "the filters", Resource="group")
    openstack("block storage resource filter show volume")

    unlucky = member(flow, "unlucky")
    unlucky("volume create --size 1 --property simulate:fault=create-fails broken")
    end = time.monotonic() + DEADLINE
    while not (messages := unlucky("volume message list")) and time.monotonic() < end:
        time.sleep(0.1)
    lists(messages, "the messages", **{"Message Level": "ERROR"})
    # The SDK looks for the message under the name of the list, and shows its id alone.
    expect_has(unlucky(f"volume message show {messages[0]['ID']}"), ID=messages[0]["ID"])
    unlucky(f"volume message delete {messages[0]['ID']}")
    expect(unlucky("volume message list"), [], "the messages after")
    unlucky("volume delete broken")
    gone(unlucky, "volume list")


def files_of_pools(flow):
    """A volume and a snapshot become files of their pool, and files become a volume and a snapshot."""
    openstack = newest(flow.admin)
    old = volume(openstack, "old")
    host = openstack("volume show old")["os-vol-host-attr:host"]
    openstack("volume snapshot create --volume old moment")
    moment = settled(openstack, "volume snapshot show moment")
    openstack("volume snapshot delete --remote moment")
    vanished(openstack, f"volume snapshot show {moment['id']}")
    file = f"snapshot-{moment['id']}.raw"
    if file not in str(openstack(f"block storage snapshot manageable list {host}")):
        raise Failure(f"{file} is not listed")
    openstack(f"volume snapshot create --volume old --remote-source source-name={file} again")
    settled(openstack, "volume snapshot show again")
    openstack("volume snapshot delete again")
    gone(openstack, "volume snapshot list")
    openstack("volume delete --remote old")
    vanished(openstack, f"volume show {old['id']}")
    file = f"{old['id']}.raw"
    if file not in str(openstack(f"block storage volume manageable list {host}")):
        raise Failure(f"{file} is not listed")
    # Without --bootable the command sends a null, which the reference refuses, too.
    openstack(f"volume create --host {host} --remote-source source-name={file} --bootable new")
    settled(openstack, "volume show new")
    openstack("volume delete new")
    gone(openstack, "volume list")

    expect(openstack("block storage cluster list"), [], "the clusters")
    levels = openstack("block storage log level list --service cinder-volume")
    expect({row["Prefix"] for row in levels}, {"novella"}, "the logs")
    openstack("block storage log level set info --service cinder-volume")


FLOWS = [
    volumes, volume_snapshots, volume_transfers, volume_types, volume_groups, consistency_groups, volumes_of_servers,
    storage_hosts, files_of_pools,
]
