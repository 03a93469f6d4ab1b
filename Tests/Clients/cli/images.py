"""Images: what they are, who sees them, and their bytes."""

import hashlib
import os
import time

from harness import Failure, expect, expect_has

from .flow import column, lists


def a_file(flow, name, size=100_000):
    """A file of random bytes, which is a raw disk and nothing else; and its digests."""
    path = flow.cloud.directory / name
    data = os.urandom(size)
    path.write_bytes(data)
    return path, hashlib.md5(data).hexdigest(), hashlib.sha512(data).hexdigest()


def until(openstack, image, status):
    """Waits until the image has this status."""
    deadline = time.monotonic() + 30
    while True:
        found = openstack(f"image show {image}")
        if found["status"] == status:
            return found
        if time.monotonic() > deadline:
            raise Failure(f"the image {image} is {found['status']} and not {status}")
        time.sleep(0.05)


def images(flow):
    openstack = flow.admin
    path, md5, sha512 = a_file(flow, "disk.raw")
    made = openstack(
        f"image create plain --disk-format raw --container-format bare --file {path} --min-disk 1 --min-ram 64"
        " --property os_distro=debian --tag first --tag second --private"
    )
    expect_has(made, name="plain", visibility="private", protected=False, min_disk=1, min_ram=64)
    shown = openstack("image show plain")
    expect_has(
        shown,
        id=made["id"],
        status="active",
        size=100_000,
        checksum=md5,
        disk_format="raw",
        container_format="bare",
        owner=openstack("project show admin")["id"],
    )
    expect_has(shown["properties"], os_distro="debian", os_hash_algo="sha512", os_hash_value=sha512, os_hidden=False)
    expect(sorted(shown["tags"]), ["first", "second"], "the tags")
    lists(openstack("image list"), "the images", ID=made["id"], Name="plain", Status="active")
    lists(
        openstack("image list --long"),
        "the long list",
        ID=made["id"],
        Size=100_000,
        Checksum=md5,
        Visibility="private",
        Protected=False,
        **{"Disk Format": "raw", "Container Format": "bare"},
    )
    for filter_ in (
        "--all",
        "--project admin",
        "--private",
        "--name plain",
        "--status active",
        "--tag first --tag second",
        "--property os_distro=debian",
        "--sort name:asc",
        "--limit 5",
    ):
        lists(openstack(f"image list {filter_}"), f"image list {filter_}", ID=made["id"])
    for filter_ in ("--public", "--name other", "--tag third", "--property os_distro=fedora", "--status queued", "--hidden"):
        expect(openstack(f"image list {filter_}"), [], f"image list {filter_}")

    copy = flow.cloud.directory / "copy.raw"
    openstack(f"image save plain --file {copy}")
    expect(copy.read_bytes() == path.read_bytes(), True, "the bytes that come back")

    openstack("image set plain --name fancy --public --protected --min-ram 128 --property os_version=12 --tag third --hidden")
    changed = openstack("image show fancy")
    expect_has(changed, id=made["id"], visibility="public", protected=True, min_ram=128)
    expect_has(changed["properties"], os_version="12", os_distro="debian", os_hidden=True)
    expect(sorted(changed["tags"]), ["first", "second", "third"], "the tags after")
    expect(column(openstack("image list --hidden"), "ID"), [made["id"]], "the hidden images")
    openstack("image unset fancy --tag second --property os_version")
    changed = openstack("image show fancy")
    expect(sorted(changed["tags"]), ["first", "third"], "the tags that are left")
    expect("os_version" in changed["properties"], False, "the property that was unset")
    openstack("image set fancy --deactivate --unhidden")
    expect(openstack("image show fancy")["status"], "deactivated", "the status")
    openstack("image set fancy --activate")
    expect(openstack("image show fancy")["status"], "active", "the status")
    openstack.fails("image delete fancy", "protected")
    openstack("image set fancy --unprotected --community")
    openstack("image delete fancy")
    flow.gone("image show fancy")
    # What is no such disk is refused, and the command takes its image away again.
    openstack.fails(f"image create bad --disk-format qcow2 --container-format bare --file {path}", "415")
    flow.gone("image show bad")


def images_shared(flow):
    path, _, _ = a_file(flow, "shared.raw", 1000)
    other, _, project = flow.member("borrower")
    openstack = flow.admin
    image = openstack(f"image create shared --shared --file {path} --disk-format raw --container-format bare")["id"]
    other.fails(f"image show {image}")
    expect_has(openstack(f"image add project {image} {project}"), image_id=image, member_id=project, status="pending")
    expect_has(openstack(f"image member get {image} {project}"), member_id=project, status="pending")
    lists(openstack(f"image member list {image}"), "the members", **{"Member ID": project, "Image ID": image, "Status": "pending"})
    expect_has(other(f"image show {image}"), name="shared")
    expect(other("image list --shared"), [], "what is not accepted is not listed")
    other(f"image set {image} --accept")
    lists(other("image list --shared"), "the shared images", ID=image)
    other(f"image set {image} --reject")
    expect(other("image list --shared"), [], "what is rejected is not listed")
    other(f"image set {image} --pending")
    other.fails(f"image set {image} --name mine")
    openstack(f"image remove project {image} {project}")
    other.fails(f"image show {image}")
    openstack(f"image delete {image}")


def images_imported(flow):
    openstack = flow.admin
    path, md5, _ = a_file(flow, "staged.raw")
    methods = openstack("image import info")["import-methods"]
    expect({"glance-direct", "web-download", "glance-download"} <= set(methods), True, f"the methods are {methods}")
    lists(openstack("image stores list"), "the stores", **{"ID": "file"})
    openstack("image create imported --disk-format raw --container-format bare")
    openstack(f"image stage imported --file {path}")
    expect(openstack("image show imported")["status"], "uploading", "the status of what is staged")
    openstack("image import imported --method glance-direct")
    expect_has(until(openstack, "imported", "active"), checksum=md5, size=100_000)
    tasks = openstack("image task list")
    expect(len(tasks) >= 1, True, "the tasks")
    expect_has(openstack(f"image task show {tasks[0]['ID']}"), id=tasks[0]["ID"], type="api_image_import")
    openstack("image delete imported")
    openstack("image create fetched --disk-format raw --container-format bare")
    # The cloud itself is not fetched from. The command does not tell that it was refused.
    openstack(f"image import fetched --method web-download --uri {flow.url}/")
    expect_has(openstack("image show fetched"), status="queued")
    # It takes --wait, and does not wait.
    openstack(f"image import fetched --method web-download --uri {flow.mirror.url} --wait")
    expect_has(until(openstack, "fetched", "active"), size=len(flow.mirror.data))
    openstack("image delete fetched")
    # From this cloud's own region, as from another's.
    openstack(f"image create source --disk-format raw --container-format bare --property os_distro=rhel --file {path}")
    source = openstack("image show source")["id"]
    openstack("image create taken --disk-format iso --container-format bare")
    # Without an interface the SDK sends neither the region nor the image.
    place = f"--remote-region RegionOne --remote-image {source} --remote-service-interface public"
    openstack(f"image import taken --method glance-download {place}")
    taken = until(openstack, "taken", "active")
    expect_has(taken, checksum=md5, disk_format="raw")
    expect_has(taken["properties"], os_distro="rhel")
    for name in ("source", "taken"):
        openstack(f"image delete {name}")
    # Staged and imported by one command.
    openstack(f"image create direct --import --disk-format raw --container-format bare --file {path}")
    expect_has(until(openstack, "direct", "active"), checksum=md5)
    openstack("image delete direct")


def images_in_two_stores(flow):
    openstack = flow.admin
    path, _, _ = a_file(flow, "copied.raw")
    lists(openstack("image stores list --detail"), "the stores", **{"ID": "file", "Default": True})
    lists(openstack("image stores list"), "the stores", **{"ID": "second"})
    openstack(f"image create copied --disk-format raw --container-format bare --file {path}")

    def stores():
        return openstack("image show copied")["properties"]["stores"]

    expect(stores(), "file", "the stores")
    openstack("image import copied --method copy-image --store second --wait")
    deadline = time.monotonic() + 30
    while stores() != "file,second":
        if time.monotonic() > deadline:
            raise Failure(f"the image is in {stores()}")
        time.sleep(0.05)
    copy = flow.cloud.directory / "copied-back.raw"
    openstack(f"image save copied --file {copy} --store-preference second")
    expect(copy.read_bytes() == path.read_bytes(), True, "the bytes of the second store")
    openstack("image delete copied --store file")
    expect(stores(), "second", "the stores after one less")
    openstack.fails("image delete copied --store second")
    openstack(f"image save copied --file {copy} --chunk-size 1000")
    expect(copy.read_bytes() == path.read_bytes(), True, "the bytes that are left")
    openstack("image delete copied")
    flow.gone("image show copied")


def cached_images(flow):
    openstack = flow.admin
    path, _, _ = a_file(flow, "near.raw")
    made = openstack(f"image create near --disk-format raw --container-format bare --file {path}")
    openstack("cached image queue near")
    deadline = time.monotonic() + 30
    while True:
        rows = openstack("cached image list")
        found = lists(rows, "the cache", ID=made["id"])
        if found["State"] == "cached":
            break
        if time.monotonic() > deadline:
            raise Failure(f"the image is not in the cache: {rows}")
        time.sleep(0.05)
    expect_has(found, Size=100_000, Hits=0)
    copy = flow.cloud.directory / "near-copy.raw"
    openstack(f"image save near --file {copy}")
    expect_has(lists(openstack("cached image list"), "the cache", ID=made["id"]), Hits=1)
    openstack("cached image delete near")
    expect(openstack("cached image list"), [], "the cache after a delete")
    openstack("cached image queue near")
    openstack("cached image clear")
    expect(openstack("cached image list"), [], "the cache after it was cleared")
    openstack("image delete near")


FLOWS = [images, images_shared, images_imported, images_in_two_stores, cached_images]
