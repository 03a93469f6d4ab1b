"""Libraries and commands that other people's programs are made of: python-glanceclient, its `glance` command, and Apache libcloud."""

import io
import logging
import pathlib
import subprocess
import sys
import time

from harness import Cloud, Failure, expect, password_login

NOWHERE = "00000000-0000-0000-0000-000000000000"


def run(binary, report):
    with Cloud(binary) as cloud:
        user = User(cloud)
        for step in STEPS:
            with report.case(step.__name__.replace("_", " ")):
                step(user)


class User:
    """A member of the project demo."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.password = cloud.password("demo")
        self.client = cloud.client()
        self.client.log_in(password_login("demo", self.password, {"project": {"name": "demo", "domain": {"id": "default"}}}))

    def glance(self):
        from glanceclient import Client
        from keystoneauth1.identity import V3Password
        from keystoneauth1.session import Session

        # It writes of each error that it raises, too.
        logging.getLogger("glanceclient").setLevel(logging.CRITICAL)
        login = {"username": "demo", "password": self.password, "user_domain_id": "default"}
        scope = {"project_name": "demo", "project_domain_id": "default"}
        return Client("2", session=Session(V3Password(auth_url=f"{self.cloud.url}/identity/v3", **login, **scope)))

    def command(self, *words):
        """The exit status of `glance WORDS`, and what it printed."""
        binary = pathlib.Path(sys.executable).with_name("glance")
        # A password may begin with a dash.
        options = ["--os-auth-url", f"{self.cloud.url}/identity/v3", "--os-username", "demo", f"--os-password={self.password}"]
        options += ["--os-user-domain-id", "default", "--os-project-name", "demo", "--os-project-domain-id", "default"]
        done = subprocess.run([str(binary), *options, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr


def errors_of_images_are_exceptions_of_their_own(user):
    from glanceclient import exc

    glance = user.glance()
    admin = user.cloud.admin()
    public = {"name": "public", "visibility": "public", "disk_format": "raw", "container_format": "bare"}
    theirs = admin.post("/image/v2/images", public).json["id"]
    image = glance.images.create(name="mine", disk_format="raw", container_format="bare", protected=True)
    for kind, call in (
        (exc.HTTPNotFound, lambda: glance.images.get(NOWHERE)),
        (exc.HTTPNotFound, lambda: glance.image_members.list(NOWHERE) and list(glance.image_members.list(NOWHERE))),
        (exc.HTTPForbidden, lambda: glance.images.delete(theirs)),
        (exc.HTTPForbidden, lambda: glance.images.delete(image.id)),
        (exc.HTTPForbidden, lambda: glance.images.update(theirs, name="mine")),
        (exc.HTTPConflict, lambda: glance.images.create(id=image.id, name="again", disk_format="raw", container_format="bare")),
        (exc.HTTPConflict, lambda: glance.images.upload(uploaded(glance), io.BytesIO(b"once more"))),
    ):
        try:
            call()
        except kind as error:
            if "<" in str(error):
                raise Failure(f"the message is a page: {error}") from None
        except Exception as error:
            raise Failure(f"{kind.__name__} is wanted, not {type(error).__name__}: {error}") from None
        else:
            raise Failure(f"{kind.__name__} is wanted, not an answer")


def uploaded(glance):
    image = glance.images.create(name="full", disk_format="raw", container_format="bare")
    glance.images.upload(image.id, io.BytesIO(b"a disk" * 100))
    return image.id


def images_by_the_library(user):
    glance = user.glance()
    image = glance.images.create(name="disk", disk_format="raw", container_format="bare")
    glance.images.upload(image.id, io.BytesIO(b"a disk" * 1000))
    expect(glance.images.get(image.id)["status"], "active", "the image")
    expect(b"".join(glance.images.data(image.id)), b"a disk" * 1000, "its bytes")
    glance.images.update(image.id, name="my disk", colour="blue")
    expect([one["colour"] for one in glance.images.list(filters={"name": "my disk"})], ["blue"], "the list")
    glance.images.delete(image.id)


def the_command_says_what_is_wrong(user):
    status, printed = user.command("image-show", NOWHERE)
    expect(status, 1, "the exit status")
    if "Traceback" in printed or NOWHERE not in printed or "404" not in printed:
        raise Failure(f"`glance image-show` says {printed!r}")
    status, printed = user.command("image-list")
    expect(status, 0, f"the exit status; it said {printed}")


def a_node_of_libcloud(user):
    from libcloud.compute.providers import get_driver
    from libcloud.compute.types import NodeState, Provider

    admin = user.cloud.admin()
    admin.post("/compute/v2.1/flavors", {"flavor": {"name": "small", "vcpus": 1, "ram": 64, "disk": 1}}, status=200)
    image = user.glance().images.create(name="disk", disk_format="raw", container_format="bare")
    user.glance().images.upload(image.id, io.BytesIO(b"a disk" * 1000))
    network = user.client.post("/network/v2.0/networks", {"network": {"name": "net"}}).json["network"]["id"]
    subnet = {"network_id": network, "ip_version": 4, "cidr": "10.60.0.0/24"}
    user.client.post("/network/v2.0/subnets", {"subnet": subnet})
    # All but the address of the login and who logs in is as it comes: it looks for services by their usual names.
    driver = get_driver(Provider.OPENSTACK)(
        "demo",
        user.password,
        ex_force_auth_url=user.cloud.url,
        ex_force_auth_version="3.x_password",
        ex_tenant_name="demo",
        ex_domain_name="Default",
        api_version="2.2",
    )
    size = next(one for one in driver.list_sizes() if one.name == "small")
    disk = next(one for one in driver.list_images() if one.id == image.id)
    net = next(one for one in driver.ex_list_networks() if one.id == network)
    node = driver.create_node(name="node", size=size, image=disk, networks=[net])
    end = time.monotonic() + 60
    while (found := next(one for one in driver.list_nodes() if one.id == node.id)).state != NodeState.RUNNING:
        if time.monotonic() > end or found.state == NodeState.ERROR:
            raise Failure(f"the node is {found.state}")
        time.sleep(0.2)
    expect([address[:6] for address in found.private_ips], ["10.60."], "the addresses of the node")
    expect(driver.reboot_node(found), True, "whether the node is rebooted")
    expect(driver.destroy_node(found), True, "whether the node is destroyed")
    while any(one.id == node.id for one in driver.list_nodes()):
        if time.monotonic() > end:
            raise Failure("the node is still there")
        time.sleep(0.2)


STEPS = [images_by_the_library, errors_of_images_are_exceptions_of_their_own, the_command_says_what_is_wrong, a_node_of_libcloud]
