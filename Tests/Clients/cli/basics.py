"""Tokens, what is there from the start, and the command as its users have it."""

import json
import os
import pathlib
import subprocess
import sys

from harness import Failure, expect, expect_has

from .command_line import CommandLine
from .flow import column, lists


def tokens(flow):
    token = flow.admin("token issue")
    project = flow.admin("project show admin")
    expect_has(token, project_id=project["id"], user_id=flow.admin("user show admin")["id"])
    if not token["expires"].startswith("20"):
        raise Failure(f"no time: {token['expires']}")
    bearer = CommandLine(
        flow.login.but(auth_type="v3token", token=token["id"], username=None, password=None, user_domain_id=None)
    )
    expect_has(bearer("project show admin"), name="admin")
    flow.admin(f"token revoke {token['id']}")
    bearer.fails("project show admin", "404")  # The token to log in with is not there any more.

    expect_has(flow.system()("token issue"), system="all")
    in_domain = CommandLine(flow.login.but(project_name=None, project_domain_id=None, domain_id="default"))
    expect_has(in_domain("token issue"), domain_id="default")
    unscoped = CommandLine(flow.login.but(project_name=None, project_domain_id=None))
    if {"project_id", "domain_id", "system"} & set(unscoped("token issue")):
        raise Failure("an unscoped token has a scope")
    flow.user("admin", "wrong", project_name="admin", project_domain_id="default").fails("token issue", "401")
    flow.user("nobody", "wrong").fails("token issue", "401")
    flow.user("admin", flow.cloud.password(), project_name="nowhere", project_domain_id="default").fails("token issue", "401")


def catalog(flow):
    rows = flow.admin("catalog list")
    identity = lists(rows, "the catalog", Type="identity")
    interfaces = {endpoint["interface"]: endpoint["url"] for endpoint in identity["Endpoints"]}
    expect(sorted(interfaces), ["admin", "internal", "public"], "the catalog's interfaces")
    expect(interfaces["public"], f"{flow.url}/identity", "the catalog's URL")
    expect_has(flow.admin("catalog show identity"), type="identity", name=identity["Name"])
    version = lists(flow.admin("versions show"), "the versions", **{"Service Type": "identity"})
    expect_has(version, Version="3.14", Status="CURRENT", Endpoint=f"{flow.url}/identity/v3/")


def from_the_start(flow):
    roles = column(flow.admin("role list"), "Name")
    expect(roles, ["admin", "manager", "member", "reader", "service"], "the roles")
    implied = {(row["Prior Role Name"], row["Implied Role Name"]) for row in flow.admin("implied role list")}
    expect(implied, {("admin", "manager"), ("manager", "member"), ("member", "reader")}, "the implied roles")
    expect_has(flow.admin("domain show default"), id="default", name="Default", enabled=True)
    expect_has(flow.admin("region show RegionOne"), region="RegionOne")
    demo = flow.user("demo", flow.cloud.password("demo"), project_name="demo", project_domain_id="default")
    expect(column(demo("project list --my-projects"), "Name"), ["demo"], "demo's projects")
    demo.fails("user list", "403")
    demo.fails("project create mine", "403")


def processes(flow):
    """As a user would: the files that the cloud wrote, and the command as a process."""
    binary = str(pathlib.Path(sys.executable).with_name("openstack"))
    plain = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    files = plain | {"OS_CLIENT_CONFIG_FILE": str(flow.cloud.state / "clouds.yaml")}

    def run(arguments, environment):
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise Failure(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr[-600:]}")
        return json.loads(done.stdout)

    for name in ("admin", "demo"):
        token = run([binary, "--os-cloud", f"novella-{name}", "token", "issue", "-f", "json"], files)
        expect_has(token, project_id=flow.admin(f"project show {name}")["id"])
    script = f". '{flow.cloud.state}/openrc' && exec '{binary}' role assignment list --names -f json"
    lists(run(["bash", "-c", script], plain), "the assignments", Role="admin", System="all", User="admin@Default")


FLOWS = [tokens, catalog, from_the_start, processes]
