"""The `openstack` command for everything in Identity that it has a command for.

Each flow makes, lists, shows, changes and deletes one kind of thing, and looks at what is answered after each step. A command
that no flow uses fails the check, so a new one in openstackclient cannot be missed.
"""
import datetime
import json
import os
import pathlib
import subprocess
import sys
import time

from command_line import COMMANDS, CommandLine, GROUPS, user
from harness import Cloud, Failure, expect, expect_has, say

# Commands that are not used, each with the reason.
NOT_USED = {
    "federation domain list": "Novella has no federation",
    "federation project list": "Novella has no federation",
    **{f"{thing} {verb}": "Novella has no federation"
       for thing in ("federation protocol", "identity provider", "mapping", "service provider")
       for verb in ("create", "delete", "list", "set", "show")},
}

# `openstack` looks names up and says so in one of these ways.
GONE = ("No ", "Could not find", "not found", "HttpException: 404")


class Flow:
    """What a flow works with: the command as the administrator, and as whom else it wants to be."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.url = cloud.url
        self.login = user(cloud.url, "admin", cloud.password(), project_name="admin", project_domain_id="default")
        self.admin = CommandLine(self.login)

    def system(self):
        """The administrator of the whole system."""
        return CommandLine(self.login.but(project_name=None, project_domain_id=None, system_scope="all"))

    def user(self, name, password, **scope):
        return CommandLine(user(self.url, name, password, **scope))

    def member(self, name):
        """A new user who is a member of a new project of the same name: its command, its id and the project's."""
        project = self.admin(f"project create {name}")["id"]
        identifier = self.admin(f"user create {name} --password {name}-secret --project {name}")["id"]
        self.admin(f"role add member --user {name} --project {name}")
        return self.user(name, f"{name}-secret", project_name=name, project_domain_id="default"), identifier, project

    def gone(self, line):
        """The command must say that there is no such thing."""
        try:
            self.admin(line)
        except Failure as failure:
            if not any(text in str(failure) for text in GONE):
                raise
        else:
            raise Failure(f"`openstack {line}` still finds it")


def column(rows, name):
    return sorted(row[name] for row in rows)


def lists(rows, what, **wanted):
    """Exactly one row has these values; returns it."""
    found = [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]
    if len(found) != 1:
        raise Failure(f"{what}: {len(found)} rows have {wanted!r}: {rows!r}")
    return found[0]


# MARK: Tokens, and what is there from the start


def tokens(flow):
    token = flow.admin("token issue")
    project = flow.admin("project show admin")
    expect_has(token, project_id=project["id"], user_id=flow.admin("user show admin")["id"])
    if not token["expires"].startswith("20"):
        raise Failure(f"no time: {token['expires']}")
    bearer = CommandLine(flow.login.but(auth_type="v3token", token=token["id"], username=None, password=None, user_domain_id=None))
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


# MARK: Projects, domains


def projects(flow):
    openstack = flow.admin
    made = openstack("project create apollo --description 'To the moon' --tag blue --tag green --domain default")
    expect_has(made, name="apollo", description="To the moon", domain_id="default", parent_id="default", enabled=True,
               is_domain=False, options={})
    expect(sorted(made["tags"]), ["blue", "green"], "its tags")
    openstack.fails("project create apollo", "409")
    expect_has(openstack("project create apollo --or-show"), id=made["id"])

    child = openstack("project create lander --parent apollo --disable")
    expect_has(child, parent_id=made["id"], enabled=False)
    openstack.fails(f"project create rover --parent {child['id']}", "400")  # Nothing begins below what is disabled.
    openstack("project set lander --enable")
    grandchild = openstack(f"project create rover --parent {child['id']} --disable")
    openstack("project set lander --disable")
    openstack.fails("project create impossible --parent no-such-project")
    shown = openstack("project show rover --parents")
    expect(shown["parents"], {child["id"]: {made["id"]: {"default": None}}}, "its parents")
    expect(openstack("project show apollo --children")["subtree"], {child["id"]: {grandchild["id"]: None}}, "its children")
    expect(column(openstack(f"project list --parent {made['id']}"), "Name"), ["lander"], "the projects below")
    lists(openstack("project list --long"), "the long list", Name="apollo", Description="To the moon", Enabled=True,
          **{"Domain ID": "default"})
    names = [row["Name"] for row in openstack("project list --sort name:desc")]
    expect(names, sorted(names, reverse=True), "the sorted list")
    expect("lander" in column(openstack("project list --disabled"), "Name"), True, "lander is disabled")
    expect("lander" in column(openstack("project list --enabled"), "Name"), False, "lander is enabled")

    expect(column(openstack("project list --tags blue,green"), "Name"), ["apollo"], "projects with both tags")
    expect(column(openstack("project list --tags-any blue,red"), "Name"), ["apollo"], "projects with any tag")
    expect("apollo" in column(openstack("project list --not-tags blue,green"), "Name"), False, "apollo in --not-tags")
    expect("apollo" in column(openstack("project list --not-tags-any red"), "Name"), True, "apollo in --not-tags-any")
    openstack("project set apollo --remove-tag blue")
    openstack("project set apollo --tag red --name artemis --description Again --disable --property crew=4")
    changed = openstack("project show artemis")
    expect_has(changed, id=made["id"], description="Again", enabled=False, crew="4")
    expect(sorted(changed["tags"]), ["green", "red"], "its tags after the change")
    openstack("project set artemis --enable --clear-tags")
    expect_has(openstack("project show artemis"), enabled=True, tags=[])

    openstack("project set artemis --immutable")
    expect_has(openstack("project show artemis"), options={"immutable": True})
    openstack.fails("project delete artemis")
    openstack.fails("project set artemis --name other", "403")
    openstack("project set artemis --no-immutable")
    openstack.fails("project delete artemis")  # It has children.
    openstack(f"project delete {grandchild['id']} lander artemis")
    for name in ("rover", "lander", "artemis", made["id"]):
        flow.gone(f"project show {name}")


def domains(flow):
    openstack = flow.admin
    made = openstack("domain create earth --description 'The third'")
    expect_has(made, name="earth", description="The third", enabled=True, options={})
    openstack.fails("domain create earth", "409")
    expect_has(openstack("domain create earth --or-show"), id=made["id"])
    lists(openstack("domain list --name earth"), "the domains", ID=made["id"], Name="earth", Enabled=True, Description="The third")
    expect("earth" in column(openstack("domain list --enabled"), "Name"), True, "earth is enabled")
    # The same name is another in another domain.
    project = openstack("project create admin --domain earth")
    expect_has(openstack("project show admin --domain earth"), id=project["id"], domain_id=made["id"], parent_id=made["id"])
    person = openstack("user create admin --domain earth --password secret-of-earth")
    expect_has(openstack("user show admin --domain earth"), id=person["id"], domain_id=made["id"])
    expect(column(openstack("user list --domain earth"), "ID"), [person["id"]], "earth's users")
    openstack(f"role add admin --user {person['id']} --domain earth")
    ruler = CommandLine(flow.login.but(user_domain_id=made["id"], password="secret-of-earth", project_name=None,
                                       project_domain_id=None, domain_id=made["id"]))
    expect_has(ruler("token issue"), domain_id=made["id"], user_id=person["id"])

    openstack.fails("domain delete earth", "403")  # It is enabled.
    openstack("domain set earth --name gaia --description Blue --disable")
    expect_has(openstack("domain show gaia"), id=made["id"], description="Blue", enabled=False)
    ruler.fails("token issue", "401")
    openstack("domain set gaia --enable --immutable")
    expect_has(openstack("domain show gaia"), enabled=True, options={"immutable": True})
    openstack.fails("domain set gaia --disable", "403")
    openstack("domain set gaia --no-immutable")
    openstack("domain set gaia --disable")
    openstack("domain delete gaia")
    flow.gone("domain show gaia")
    # Everything of the domain's goes with it.
    flow.gone(f"project show {project['id']}")
    flow.gone(f"user show {person['id']}")


# MARK: Users, groups


def users(flow):
    openstack = flow.admin
    project = openstack("project create flights")
    made = openstack("user create neil --password eagle --email neil@example.org --description 'First man' --project flights")
    expect_has(made, name="neil", email="neil@example.org", description="First man", domain_id="default", enabled=True,
               default_project_id=project["id"], password_expires_at=None, options={})
    if "password" in made:
        raise Failure("the password is shown")
    openstack.fails("user create neil --password x", "409")
    expect_has(openstack("user create neil --or-show --password x"), id=made["id"])
    lists(openstack("user list --long"), "the users", Name="neil", Email="neil@example.org", Description="First man",
          Enabled=True, Domain="default", Project=project["id"])
    openstack("role add member --user neil --project flights")
    expect(column(openstack("user list --project flights"), "Name"), ["neil"], "the project's users")
    expect(column(openstack("project list --user neil"), "Name"), ["flights"], "the user's projects")

    neil = flow.user("neil", "eagle", project_name="flights", project_domain_id="default")
    expect_has(neil("token issue"), user_id=made["id"], project_id=project["id"])
    # Without a scope, the default project is it.
    expect_has(flow.user("neil", "eagle")("token issue"), project_id=project["id"])
    neil.fails("user password set --original-password wrong --password tranquility", "401")
    neil("user password set --original-password eagle --password tranquility")
    neil.fails("token issue", "401")
    changed = flow.user("neil", "tranquility", project_name="flights", project_domain_id="default")
    expect_has(changed("token issue"), user_id=made["id"])

    openstack("user set neil --name buzz --email b@example.org --description Second --password columbia --project admin")
    expect_has(openstack("user show buzz"), id=made["id"], email="b@example.org", description="Second",
               default_project_id=openstack("project show admin")["id"])
    changed.fails("token issue", "401")
    buzz = flow.user("buzz", "columbia", project_name="flights", project_domain_id="default")
    expect_has(buzz("token issue"), user_id=made["id"])
    openstack("user set buzz --disable")
    expect_has(openstack("user show buzz"), enabled=False)
    expect("buzz" in column(openstack("user list --disabled"), "Name"), True, "buzz is disabled")
    expect("buzz" in column(openstack("user list --enabled"), "Name"), False, "buzz is enabled")
    buzz.fails("token issue", "401")
    openstack("user set buzz --enable")
    buzz("token issue")
    openstack("user delete buzz")
    flow.gone("user show buzz")
    flow.gone(f"user show {made['id']}")
    buzz.fails("token issue", "401")
    expect(openstack("user list --project flights"), [], "the project's users after the delete")
    expect(openstack("role assignment list --project flights"), [], "the project's assignments after the delete")
    openstack("project delete flights")


def user_options(flow):
    openstack = flow.admin
    openstack("user create michael --password orbit --ignore-lockout-failure-attempts --ignore-password-expiry "
              "--ignore-change-password-upon-first-use --enable-lock-password --disable")
    options = {"ignore_lockout_failure_attempts": True, "ignore_password_expiry": True,
               "ignore_change_password_upon_first_use": True, "lock_password": True}
    expect_has(openstack("user show michael"), enabled=False, options=options)
    openstack("user set michael --no-ignore-lockout-failure-attempts --no-ignore-password-expiry "
              "--no-ignore-change-password-upon-first-use --enable")
    expect_has(openstack("user show michael"), enabled=True, options=dict.fromkeys(options, False) | {"lock_password": True})
    flow.user("michael", "orbit").fails("user password set --original-password orbit --password other", "400")
    openstack("user set michael --disable-lock-password")
    flow.user("michael", "orbit")("user password set --original-password orbit --password other")

    # A rule that asks for two methods makes one of them not enough.
    flow.user("michael", "other")("token issue")
    openstack("user set michael --enable-multi-factor-auth --multi-factor-auth-rule password,totp")
    shown = openstack("user show michael")["options"]
    expect_has(shown, multi_factor_auth_enabled=True, multi_factor_auth_rules=[["password", "totp"]])
    flow.user("michael", "other").fails("token issue")
    openstack("user set michael --disable-multi-factor-auth")
    flow.user("michael", "other")("token issue")
    openstack("user delete michael")
    flow.gone("user show michael")


def groups(flow):
    openstack = flow.admin
    made = openstack("group create crew --description Three --domain default")
    expect_has(made, name="crew", description="Three", domain_id="default")
    openstack.fails("group create crew", "409")
    expect_has(openstack("group create crew --or-show"), id=made["id"])
    openstack("user create pete --password p")
    openstack("user create alan --password p")
    openstack("group add user crew pete alan")
    expect("pete in group" in openstack.says("group contains user crew pete"), True, "pete is in the group")
    expect(column(openstack("user list --group crew"), "Name"), ["alan", "pete"], "the group's users")
    expect(column(openstack("group list --user pete"), "Name"), ["crew"], "the user's groups")
    lists(openstack("group list --long"), "the groups", ID=made["id"], Name="crew", Description="Three",
          **{"Domain ID": "default"})
    openstack("group remove user crew pete")
    expect("not in group" in openstack.says("group contains user crew pete"), True, "pete is not in group")
    expect(openstack("group list --user pete"), [], "the user's groups after the removal")
    openstack("group set crew --name team --description Two")
    expect_has(openstack("group show team"), id=made["id"], description="Two")

    # What a group may, its members may.
    openstack("project create skylab")
    openstack("role add member --group team --project skylab")
    alan = flow.user("alan", "p", project_name="skylab", project_domain_id="default")
    alan("token issue")
    openstack("group delete team")
    flow.gone("group show team")
    alan.fails("token issue", "401")
    openstack("user delete pete alan")
    openstack("project delete skylab")


# MARK: Roles


def roles(flow):
    openstack = flow.admin
    made = openstack("role create pilot --description Flies")
    expect_has(made, name="pilot", description="Flies", domain_id=None)
    openstack.fails("role create pilot", "409")
    expect_has(openstack("role create pilot --or-show"), id=made["id"])
    openstack("role set pilot --name commander --description Leads")
    expect_has(openstack("role show commander"), id=made["id"], description="Leads")
    openstack("role create medic --immutable")
    openstack.fails("role delete medic")
    openstack.fails("role set medic --name other", "403")
    openstack("role set medic --no-immutable")
    openstack("role delete medic commander")
    flow.gone("role show medic")
    flow.gone(f"role show {made['id']}")

    # The role of a domain is a role of its own, whatever it is called.
    domain = openstack("domain create moon")
    local = openstack("role create pilot --domain moon")
    expect_has(local, domain_id=domain["id"])
    expect_has(openstack("role show pilot --domain moon"), id=local["id"])
    expect(column(openstack("role list --domain moon"), "Name"), ["pilot"], "the domain's roles")
    expect("pilot" in column(openstack("role list"), "Name"), False, "a domain's role is among the global ones")
    openstack("role set pilot --domain moon --name navigator")
    expect_has(openstack("role show navigator --domain moon"), id=local["id"])
    openstack("role delete navigator --domain moon")
    flow.gone(f"role show {local['id']}")
    openstack("domain set moon --disable")
    openstack("domain delete moon")


def implied_roles(flow):
    openstack = flow.admin
    chief = openstack("role create chief")["id"]
    aide = openstack("role create aide")["id"]
    expect_has(openstack(f"implied role create chief --implied-role {aide}"), prior_role=chief, implies=aide)
    lists(openstack("implied role list"), "the implied roles", **{
        "Prior Role ID": chief, "Prior Role Name": "chief", "Implied Role ID": aide, "Implied Role Name": "aide"})
    openstack("project create mission")
    person = openstack("user create gene --password p")["id"]
    openstack("role add chief --user gene --project mission")
    rows = openstack("role assignment list --user gene --project mission --effective --names")
    expect(column(rows, "Role"), ["aide", "chief"], "the effective roles")
    openstack("implied role delete chief --implied-role aide")
    expect([row for row in openstack("implied role list") if row["Prior Role ID"] == chief], [], "the implied roles after")
    expect(column(openstack("role assignment list --user gene --project mission --effective"), "Role"), [chief], "the roles after")
    # A role that goes takes what it implies along.
    openstack("implied role create chief --implied-role aide")
    openstack("role delete aide")
    expect([row for row in openstack("implied role list") if row["Prior Role ID"] == chief], [], "what a deleted role leaves")
    openstack("role delete chief")
    expect(openstack(f"role assignment list --user {person}"), [], "the assignments of a deleted role")
    openstack("user delete gene")
    openstack("project delete mission")


def role_assignments(flow):
    openstack = flow.admin
    openstack("project create gemini")
    openstack("project create capsule --parent gemini")
    openstack("domain create orbit")
    openstack("group create flyers")
    openstack("user create ed --password p")
    openstack("group add user flyers ed")
    blank = {"User": "", "Group": "", "Project": "", "Domain": "", "System": "", "Inherited": False}
    someone = {"user": ("User", "ed@Default"), "group": ("Group", "flyers@Default")}
    somewhere = {
        "--project gemini": {"Project": "gemini@Default"},
        "--domain orbit": {"Domain": "orbit"},
        "--system all": {"System": "all"},
        "--project gemini --inherited": {"Project": "gemini@Default", "Inherited": True},
        "--domain orbit --inherited": {"Domain": "orbit", "Inherited": True},
    }
    for kind, (header, label) in someone.items():
        name = label.split("@")[0]
        for where, wanted in somewhere.items():
            row = blank | {"Role": "member", header: label} | wanted
            openstack(f"role add member --{kind} {name} {where}")
            rows = openstack(f"role assignment list --names --{kind} {name} {where}")
            expect(rows, [row], f"the assignment by role add --{kind} {where}")
            expect(openstack(f"role assignment list --role member --{kind} {name} {where}") != [], True, "by role")
            openstack(f"role remove member --{kind} {name} {where}")
            expect(openstack(f"role assignment list --names --{kind} {name} {where}"), [], "the assignment after role remove")

    # What a group has its members have, and what a project has its children have if it is inherited.
    openstack("role add reader --group flyers --project gemini --inherited")
    rows = openstack("role assignment list --user ed --project capsule --effective --names")
    expect([(row["Role"], row["User"], row["Project"]) for row in rows], [("reader", "ed@Default", "capsule@Default")],
           "the effective assignment")
    expect(openstack("role assignment list --user ed --project gemini --effective"), [], "an inherited role on the project itself")
    ed = flow.user("ed", "p", project_name="capsule", project_domain_id="default")
    ed("token issue")
    admin = openstack("role assignment list --auth-user --auth-project --names")
    expect([(row["Role"], row["User"], row["Project"]) for row in admin], [("admin", "admin@Default", "admin@Default")],
           "the caller's own assignments")
    openstack("role remove reader --group flyers --project gemini --inherited")
    ed.fails("token issue", "401")
    openstack.fails("role add no-such-role --user ed --project gemini")
    openstack.fails("role add member --user no-such-user --project gemini")

    openstack("role add reader --user ed --system all")
    system = flow.user("ed", "p", system_scope="all")
    system("user list")
    system.fails("user create other --password x", "403")
    openstack("user delete ed")
    openstack("group delete flyers")
    openstack("project delete capsule gemini")
    openstack("domain set orbit --disable")
    openstack("domain delete orbit")


# MARK: The catalog


def regions(flow):
    openstack = flow.admin
    made = openstack("region create europe --description 'The old world'")
    expect_has(made, region="europe", description="The old world", parent_region=None)
    openstack.fails("region create europe", "409")
    expect_has(openstack("region create alps --parent-region europe"), parent_region="europe")
    expect(column(openstack("region list --parent-region europe"), "Region"), ["alps"], "the regions below")
    lists(openstack("region list"), "the regions", Region="europe", Description="The old world", **{"Parent Region": None})
    openstack("region set alps --description High")
    expect_has(openstack("region show alps"), description="High", parent_region="europe")
    openstack("region create asia")
    openstack("region set alps --parent-region asia")
    expect_has(openstack("region show alps"), parent_region="asia", description="High")
    openstack.fails("region set asia --parent-region alps")  # A circle.
    openstack("region delete alps")
    openstack("region delete asia europe")
    for name in ("alps", "asia", "europe"):
        flow.gone(f"region show {name}")


def services(flow):
    openstack = flow.admin
    made = openstack("service create telescope --name hubble --description 'Looks far'")
    expect_has(made, type="telescope", name="hubble", description="Looks far", enabled=True)
    lists(openstack("service list --long"), "the services", ID=made["id"], Name="hubble", Type="telescope",
          Description="Looks far", Enabled=True)
    openstack("service set hubble --name webb --type observatory --description 'Looks farther' --disable")
    expect_has(openstack("service show webb"), id=made["id"], type="observatory", description="Looks farther", enabled=False)
    openstack("service set webb --enable")
    expect_has(openstack("service show observatory"), id=made["id"], enabled=True)
    openstack("service delete webb")
    flow.gone("service show webb")
    flow.gone(f"service show {made['id']}")


def endpoints(flow):
    openstack = flow.admin
    service = openstack("service create telescope --name hubble")["id"]
    openstack("region create orbit")
    made = openstack("endpoint create hubble public http://hubble.example.org:80/v1 --region orbit")
    expect_has(made, interface="public", url="http://hubble.example.org:80/v1", region="orbit", region_id="orbit",
               service_id=service, service_name="hubble", service_type="telescope", enabled=True)
    hidden = openstack("endpoint create hubble admin http://hubble.example.org/admin --disable")
    expect_has(hidden, enabled=False, region_id=None)
    expect(column(openstack("endpoint list --service hubble"), "ID"), sorted([made["id"], hidden["id"]]), "the service's endpoints")
    expect(column(openstack("endpoint list --service hubble --interface admin"), "ID"), [hidden["id"]], "by interface")
    expect(column(openstack("endpoint list --region orbit"), "ID"), [made["id"]], "by region")
    lists(openstack("endpoint list"), "the endpoints", ID=made["id"], Region="orbit", Enabled=True, Interface="public",
          URL="http://hubble.example.org:80/v1", **{"Service Name": "hubble", "Service Type": "telescope"})
    entry = lists(openstack("catalog list"), "the catalog", Type="telescope")
    expect([endpoint["id"] for endpoint in entry["Endpoints"]], [made["id"]], "the enabled endpoints")
    openstack(f"endpoint set {made['id']} --interface internal --url https://h.example.org/%(tenant_id)s --region RegionOne")
    expect_has(openstack(f"endpoint show {made['id']}"), interface="internal", url="https://h.example.org/%(tenant_id)s",
               region="RegionOne")
    entry = lists(openstack("catalog list"), "the catalog", Type="telescope")
    project = openstack("project show admin")["id"]
    expect(entry["Endpoints"][0]["url"], f"https://h.example.org/{project}", "the URL in the catalog")
    openstack(f"endpoint set {made['id']} --disable")
    expect_has(openstack(f"endpoint show {made['id']}"), enabled=False)
    openstack(f"endpoint set {made['id']} --enable --service hubble")

    openstack(f"endpoint delete {made['id']}")
    flow.gone(f"endpoint show {made['id']}")
    openstack("service delete hubble")
    flow.gone(f"endpoint show {hidden['id']}")  # It goes with its service.
    openstack("region delete orbit")


def endpoints_of_projects(flow):
    openstack = flow.admin
    openstack("service create telescope --name chandra")
    endpoint = openstack("endpoint create chandra public http://chandra.example.org")["id"]
    project = openstack("project create viewers")["id"]
    openstack(f"endpoint add project {endpoint} viewers")
    expect(column(openstack(f"endpoint list --endpoint {endpoint}"), "ID"), [project], "the endpoint's projects")
    expect(column(openstack("endpoint list --project viewers"), "ID"), [endpoint], "the project's endpoints")
    openstack(f"endpoint remove project {endpoint} viewers")
    expect(openstack(f"endpoint list --endpoint {endpoint}"), [], "the endpoint's projects after")
    openstack.fails(f"endpoint remove project {endpoint} viewers")

    filters = flow.cloud.directory / "filters.json"
    filters.write_text(json.dumps({"interface": "public"}))
    group = openstack(f"endpoint group create outside {filters} --description 'All public'")
    expect_has(group, name="outside", description="All public", filters={"interface": "public"})
    lists(openstack("endpoint group list"), "the endpoint groups", ID=group["id"], Name="outside", Description="All public")
    openstack(f"endpoint group add project outside viewers")
    expect(column(openstack("endpoint group list --endpointgroup outside"), "ID"), [project], "the group's projects")
    expect(column(openstack("endpoint group list --project viewers"), "ID"), [group["id"]], "the project's groups")
    openstack("endpoint group remove project outside viewers")
    expect(openstack("endpoint group list --project viewers"), [], "the project's groups after")
    filters.write_text(json.dumps({"interface": "admin"}))
    openstack(f"endpoint group set outside --name inside --description Other --filters {filters}")
    expect_has(openstack("endpoint group show inside"), id=group["id"], description="Other", filters={"interface": "admin"})
    openstack("endpoint group delete inside")
    flow.gone("endpoint group show inside")
    openstack("service delete chandra")
    openstack("project delete viewers")


# MARK: Limits, policies


def limits(flow):
    openstack = flow.system()
    openstack("service create telescope --name keck")
    service = openstack("service show keck")["id"]
    project = openstack("project create astronomers --domain default")["id"]
    registered = openstack("registered limit create mirrors --service keck --default-limit 10 --region RegionOne --description Big")
    expect_has(registered, resource_name="mirrors", service_id=service, default_limit=10, region_id="RegionOne", description="Big")
    openstack.fails("registered limit create mirrors --service keck --default-limit 3 --region RegionOne", "409")
    expect(column(openstack("registered limit list --service keck"), "ID"), [registered["id"]], "by service")
    expect(column(openstack("registered limit list --resource-name mirrors"), "ID"), [registered["id"]], "by name")
    expect(column(openstack("registered limit list --region RegionOne"), "ID"), [registered["id"]], "by region")
    changed = openstack(f"registered limit set {registered['id']} --default-limit 12 --description Bigger")
    expect_has(changed, default_limit=12, description="Bigger")
    expect_has(openstack(f"registered limit show {registered['id']}"), default_limit=12, resource_name="mirrors")

    limit = openstack("limit create mirrors --project astronomers --service keck --resource-limit 5 --region RegionOne --description Few")
    expect_has(limit, resource_name="mirrors", project_id=project, service_id=service, resource_limit=5, region_id="RegionOne",
               description="Few")
    openstack.fails("limit create mirrors --project astronomers --service keck --resource-limit 5 --region RegionOne", "409")
    openstack.fails("limit create unknown --project astronomers --service keck --resource-limit 5 --region RegionOne")
    for filter_ in ("--service keck", "--resource-name mirrors", "--region RegionOne", "--project astronomers"):
        row = lists(openstack(f"limit list {filter_}"), f"limit list {filter_}", ID=limit["id"])
        expect(row["Resource Limit"], 5, "the limit")
    expect_has(openstack(f"limit set {limit['id']} --resource-limit 6 --description More"), resource_limit=6, description="More")
    expect_has(openstack(f"limit show {limit['id']}"), resource_limit=6)
    openstack.fails(f"registered limit delete {registered['id']}")
    openstack(f"limit delete {limit['id']}")
    openstack.fails(f"limit show {limit['id']}")
    openstack(f"registered limit delete {registered['id']}")
    openstack.fails(f"registered limit show {registered['id']}")
    openstack("project delete astronomers")
    openstack("service delete keck")


def policies(flow):
    openstack = flow.admin
    rules = flow.cloud.directory / "rules.json"
    rules.write_text('{"admin": "role:admin"}')
    made = openstack(f"policy create {rules} --type application/json")
    expect_has(made, rules='{"admin": "role:admin"}', type="application/json")
    lists(openstack("policy list"), "the policies", ID=made["id"], Type="application/json")
    lists(openstack("policy list --long"), "the long list", ID=made["id"], Rules='{"admin": "role:admin"}')
    rules.write_text("{}")
    openstack(f"policy set {made['id']} --rules {rules} --type text/plain")
    expect_has(openstack(f"policy show {made['id']}"), rules="{}", type="text/plain")
    openstack(f"policy delete {made['id']}")
    flow.gone(f"policy show {made['id']}")


# MARK: Credentials


def credentials(flow):
    openstack = flow.admin
    _, person, project = flow.member("wally")
    made = openstack(f"credential create wally 'first secret' --type cert --project wally")
    expect_has(made, blob="first secret", type="cert", user_id=person, project_id=project)
    expect(column(openstack("credential list --user wally"), "ID"), [made["id"]], "the user's credentials")
    expect(column(openstack("credential list --type cert"), "ID"), [made["id"]], "by type")
    lists(openstack("credential list"), "the credentials", ID=made["id"], Type="cert", Data="first secret",
          **{"User ID": person, "Project ID": project})
    expect_has(openstack(f"credential show {made['id']}"), blob="first secret", type="cert")
    # The command cannot but send who owns it and what type it has, which Keystone lets nobody change since version 30.
    openstack.fails(f"credential set {made['id']} --user wally --type totp --data 'other secret' --project wally", "400")
    openstack(f"credential delete {made['id']}")
    flow.gone(f"credential show {made['id']}")
    left = openstack("credential create wally text --type cert")
    openstack("user delete wally")
    flow.gone(f"credential show {left['id']}")  # It goes with its user.
    openstack("project delete wally")


def ec2_credentials(flow):
    openstack = flow.admin
    member, person, project = flow.member("gus")
    made = member("ec2 credentials create")
    expect_has(made, user_id=person, project_id=project)
    if not made["access"] or not made["secret"]:
        raise Failure(f"no keys: {made!r}")
    lists(member("ec2 credentials list"), "the EC2 credentials", Access=made["access"], Secret=made["secret"],
          **{"Project ID": project, "User ID": person})
    expect_has(member(f"ec2 credentials show {made['access']}"), secret=made["secret"], project_id=project)
    other = openstack("ec2 credentials create --user gus --project gus")
    expect(column(openstack("ec2 credentials list --user gus"), "Access"), sorted([made["access"], other["access"]]), "by user")
    member(f"ec2 credentials delete {made['access']}")
    member.fails(f"ec2 credentials show {made['access']}")
    openstack(f"ec2 credentials delete {other['access']} --user gus")
    expect(openstack("ec2 credentials list --user gus"), [], "the EC2 credentials after")
    openstack("user delete gus")
    openstack("project delete gus")


# MARK: Delegation


def trusts(flow):
    trustor, giver, project = flow.member("deke")
    _, taker, _ = flow.member("wernher")
    expiry = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S")
    member = flow.admin("role show member")["id"]  # Who is no administrator cannot look a role up.
    made = trustor(f"trust create --project {project} --role {member} --impersonate --expiration {expiry} {giver} {taker}")
    expect_has(made, trustor_user_id=giver, trustee_user_id=taker, project_id=project, is_impersonation=True)
    expect(str(made["expires_at"]).startswith(expiry), True, f"the expiry {made['expires_at']} of {expiry}")
    trustor.fails(f"trust create --project {project} --role {flow.admin('role show admin')['id']} {giver} {taker}")  # A role that the trustor has not.
    for filter_ in ("", f" --trustor {giver}", " --auth-user"):
        lists(trustor(f"trust list{filter_}"), f"trust list{filter_}", ID=made["id"], **{
            "Trustor User ID": giver, "Trustee User ID": taker, "Project ID": project, "Impersonation": True}) \
            if filter_ else lists(flow.admin("trust list"), "trust list", ID=made["id"])
    shown = trustor(f"trust show {made['id']}")
    expect_has(shown, id=made["id"], redelegation_count=0, remaining_uses=None)

    trustee = user(flow.url, "wernher", "wernher-secret", trust_id=made["id"])
    expect_has(CommandLine(trustee)("token issue"), user_id=giver, project_id=project)
    trustor(f"trust delete {made['id']}")
    flow.gone(f"trust show {made['id']}")
    CommandLine(trustee).fails("token issue")
    for name in ("deke", "wernher"):
        flow.admin(f"user delete {name}")
        flow.admin(f"project delete {name}")


def application_credentials(flow):
    member, person, project = flow.member("sally")
    made = member("application credential create shuttle --description Rides --role member --role reader")
    expect_has(made, **{"Name": "shuttle", "Description": "Rides", "Project ID": project, "Unrestricted": False, "Expires At": None})
    expect(column(made["Roles"], "name"), ["member", "reader"], "its roles")
    bearer = user(flow.url, None, None).but(username=None, password=None, user_domain_id=None)
    own = CommandLine(bearer.but(auth_type="v3applicationcredential", application_credential_id=made["ID"],
                                 application_credential_secret=made["Secret"]))
    expect_has(own("token issue"), user_id=person, project_id=project)
    by_name = CommandLine(bearer.but(auth_type="v3applicationcredential", application_credential_name="shuttle",
                                     application_credential_secret=made["Secret"], username="sally", user_domain_id="default"))
    expect_has(by_name("token issue"), user_id=person)
    CommandLine(own.login.but(application_credential_secret="wrong")).fails("token issue", "401")
    own.fails("application credential create another", "403")  # It is restricted.

    member.fails("application credential create shuttle", "409")
    member.fails("application credential create other --role admin")
    expiry = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%S")
    brief = member(f"application credential create brief --secret of-mine --expiration {expiry} --unrestricted")
    expect_has(brief, Secret="of-mine", Unrestricted=True)
    lists(member("application credential list"), "the application credentials", ID=made["ID"], Name="shuttle",
          Description="Rides", **{"Project ID": project})
    expect(column(flow.admin("application credential list --user sally"), "Name"), ["brief", "shuttle"], "by user")
    shown = member("application credential show shuttle")
    expect_has(shown, ID=made["ID"], Unrestricted=False)
    if "Secret" in shown:
        raise Failure("the secret is shown again")
    expired = CommandLine(own.login.but(application_credential_id=brief["ID"], application_credential_secret="of-mine"))
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            expired("token issue")
        except Failure:
            break
        time.sleep(0.2)
    expired.fails("token issue", "401")

    rules = '[{"method": "GET", "path": "/v2.1/servers", "service": "compute"}]'
    ruled = member(f"application credential create ruled --access-rules '{rules}'")
    if not ruled["Access Rules"]:
        raise Failure("it has no access rules")
    rule = lists(member("access rule list"), "the access rules", Service="compute", Method="GET", Path="/v2.1/servers")["ID"]
    expect_has(member(f"access rule show {rule}"), ID=rule, Service="compute", Method="GET", Path="/v2.1/servers")
    member.fails(f"access rule delete {rule}")  # It is in use.
    member("application credential delete ruled brief")
    member(f"access rule delete {rule}")
    member.fails(f"access rule show {rule}")
    expect(member("access rule list"), [], "the access rules after")
    member("application credential delete shuttle")
    member.fails("application credential show shuttle")
    own.fails("token issue", "401")
    flow.admin("user delete sally")
    flow.admin("project delete sally")


def oauth(flow):
    openstack = flow.admin
    member, person, project = flow.member("yuri")
    consumer = openstack("consumer create --description Rocket")
    expect_has(consumer, description="Rocket")
    lists(openstack("consumer list"), "the consumers", ID=consumer["id"], Description="Rocket")
    openstack(f"consumer set {consumer['id']} --description Booster")
    shown = openstack(f"consumer show {consumer['id']}")
    expect_has(shown, id=consumer["id"], description="Booster")
    if "secret" in shown:
        raise Failure("the secret is shown again")
    keys = f"--consumer-key {consumer['id']} --consumer-secret {consumer['secret']}"
    openstack.fails(f"request token create --consumer-key {consumer['id']} --consumer-secret wrong --project {project}", "401")
    request = openstack(f"request token create {keys} --project {project}")
    verifier = member(f"request token authorize --request-key {request['id']} --role member")["oauth_verifier"]
    exchange = f"access token create {keys} --request-key {request['id']} --request-secret {request['secret']}"
    openstack.fails(f"{exchange} --verifier wrong")
    access = openstack(f"{exchange} --verifier {verifier}")
    if not access["id"] or not access["secret"]:
        raise Failure(f"no access token: {access!r}")
    openstack.fails(f"{exchange} --verifier {verifier}")  # A request token is good for one.
    openstack(f"consumer delete {consumer['id']}")
    flow.gone(f"consumer show {consumer['id']}")
    openstack("user delete yuri")
    openstack("project delete yuri")


# MARK: Processes


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


FLOWS = [
    tokens, catalog, from_the_start, projects, domains, users, user_options, groups, roles, implied_roles, role_assignments,
    regions, services, endpoints, endpoints_of_projects, limits, policies, credentials, ec2_credentials, trusts,
    application_credentials, oauth, processes,
]


def every_command_is_used():
    wanted = {name for name, entry in COMMANDS.items() if entry.group in GROUPS} | {"versions show"}
    missed = wanted - CommandLine.used - set(NOT_USED)
    if missed:
        raise Failure(f"no flow uses {sorted(missed)}")
    if used := CommandLine.used & set(NOT_USED):
        raise Failure(f"used after all: {sorted(used)}")
    say(f"  {len(wanted & CommandLine.used)} of {len(wanted)} commands used")


def run(binary, report):
    only = os.environ.get("FLOW")
    with Cloud(binary) as cloud:
        flow = Flow(cloud)
        for one in FLOWS:
            if only and one.__name__ not in only.split(","):
                continue
            began = time.monotonic()
            with report.case(one.__name__.replace("_", " ")):
                one(flow)
                say(f"  {one.__name__.replace('_', ' ')} ({time.monotonic() - began:.1f} s)")
        if not only:
            with report.case("every command is used"):
                every_command_is_used()
        if report.failures:
            print(cloud.tail(20))
