"""What an administrator does in the dashboard: what the project's members need before they begin, and every page of theirs."""

import json

from harness import Failure, expect

from .member import only
from .walk import everything


def an_administrator_logs_in(story):
    story.administrator = story.dashboard.log_in("admin", story.cloud.password())
    story.browser = story.administrator


def an_external_network(story):
    form = story.browser.open("/admin/networks/create", ajax=True).form("/admin/networks/create")
    project = story.api.get("/v3/projects?name=admin").json["projects"][0]["id"]
    fields = {"network_type": "flat", "physical_network": "public"} if "network_type" in form.choices else {}
    subnet = {"with_subnet": "on", "subnet_name": "outside-4", "cidr": "198.51.100.0/24", "ip_version": "4", "address_source": "manual"}
    story.browser.submit(form, name="outside", tenant_id=project, external="on", shared="on", admin_state="on", **fields, **subnet)
    expect(only(story, "networks", name="outside")["router:external"], True, "whether the network is external")


def a_flavor(story):
    about = {"name": "small", "vcpus": 1, "ram": 128, "disk": 1, "swap": 0, "OS-FLV-EXT-DATA:ephemeral": 0, "id": "auto", "is_public": True}
    story.browser.api("POST", "nova/flavors/", about, 201)


def a_project_and_a_user(story):
    form = story.browser.open("/identity/create", ajax=True).form("/identity/create")
    story.browser.submit(form, name="team", description="made by a form", enabled="on")
    project = story.api.get("/v3/projects?name=team").json["projects"][0]["id"]
    form = story.browser.open("/identity/users/create", ajax=True).form("/identity/users/create")
    role = next(one["id"] for one in story.api.get("/v3/roles").json["roles"] if one["name"] == "member")
    secret = {"password": "a secret of 9", "confirm_password": "a secret of 9"}
    story.browser.submit(form, name="person", project=project, role_id=role, enabled="on", **secret)
    user = story.api.get("/v3/users?name=person").json["users"][0]["id"]
    given = story.api.get(f"/v3/role_assignments?user.id={user}&scope.project.id={project}").json["role_assignments"]
    expect([one["role"]["id"] for one in given], [role], "the roles of the user")
    story.dashboard.log_in("person", "a secret of 9")


def an_aggregate(story):
    form = story.browser.open("/admin/aggregates/create/", ajax=True).form("/admin/aggregates/create/")
    story.browser.submit(form, name="rack", availability_zone="upstairs")
    expect([one["name"] for one in story.api.get("/compute/v2.1/os-aggregates").json["aggregates"]], ["rack"], "the aggregates")


def a_metadata_definition_is_imported(story):
    form = story.administrator.open("/admin/metadata_defs/create/", ajax=True).form("/admin/metadata_defs/create/")
    kind = {"name": "OS::Nova::Server"}
    namespace = {
        "namespace": "Example::Owner",
        "display_name": "Who owns it",
        "description": "",
        "visibility": "public",
        "protected": False,
        "resource_type_associations": [kind],
        "properties": {"owner_team": {"title": "Team", "type": "string"}},
    }
    story.administrator.submit(form, source_type="raw", direct_input=json.dumps(namespace), public="on")


def what_the_scripts_of_an_administrators_pages_ask_for(story):
    for path in (
        "neutron/agents/",
        "nova/quota-sets/defaults/",
        "nova/quota-sets/editable/",
        "nova/services/",
        "nova/servers/?all_tenants=true",
        "nova/flavors/?is_public=None",
        "glance/images/?paginate=true",
        "keystone/users/",
        "keystone/groups/",
        "keystone/roles/",
        "keystone/domains/",
        "keystone/services/",
        "keystone/default_domain/",
    ):
        story.administrator.api("GET", path)


def every_page_that_an_administrator_can_reach(story):
    browser = story.administrator
    count = everything(browser, [f"{browser.url}{path}" for path in ("/admin/", "/identity/")], r"/(admin|identity)/")
    if count < 60:
        raise Failure(f"only {count} pages were found")


BEFORE = [
    an_administrator_logs_in,
    an_external_network,
    a_flavor,
    a_project_and_a_user,
    an_aggregate,
]
# While the member's server is there: the pages show it.
STEPS = [
    a_metadata_definition_is_imported,
    what_the_scripts_of_an_administrators_pages_ask_for,
    every_page_that_an_administrator_can_reach,
]
