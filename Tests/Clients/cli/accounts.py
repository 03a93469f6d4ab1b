"""Projects, domains, users and groups."""

from harness import Failure, expect, expect_has

from .command_line import CommandLine
from .flow import column, lists


def projects(flow):
    openstack = flow.admin
    made = openstack("project create apollo --description 'To the moon' --tag blue --tag green --domain default")
    expect_has(
        made,
        name="apollo",
        description="To the moon",
        domain_id="default",
        parent_id="default",
        enabled=True,
        is_domain=False,
        options={},
    )
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
    lists(
        openstack("project list --long"),
        "the long list",
        Name="apollo",
        Description="To the moon",
        Enabled=True,
        **{"Domain ID": "default"},
    )
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
    lists(
        openstack("domain list --name earth"), "the domains", ID=made["id"], Name="earth", Enabled=True, Description="The third"
    )
    expect("earth" in column(openstack("domain list --enabled"), "Name"), True, "earth is enabled")
    # The same name is another in another domain.
    project = openstack("project create admin --domain earth")
    expect_has(openstack("project show admin --domain earth"), id=project["id"], domain_id=made["id"], parent_id=made["id"])
    person = openstack("user create admin --domain earth --password secret-of-earth")
    expect_has(openstack("user show admin --domain earth"), id=person["id"], domain_id=made["id"])
    expect(column(openstack("user list --domain earth"), "ID"), [person["id"]], "earth's users")
    openstack(f"role add admin --user {person['id']} --domain earth")
    ruler = CommandLine(
        flow.login.but(
            user_domain_id=made["id"], password="secret-of-earth", project_name=None, project_domain_id=None, domain_id=made["id"]
        )
    )
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


def users(flow):
    openstack = flow.admin
    project = openstack("project create flights")
    made = openstack("user create neil --password eagle --email neil@example.org --description 'First man' --project flights")
    expect_has(
        made,
        name="neil",
        email="neil@example.org",
        description="First man",
        domain_id="default",
        enabled=True,
        default_project_id=project["id"],
        password_expires_at=None,
        options={},
    )
    if "password" in made:
        raise Failure("the password is shown")
    openstack.fails("user create neil --password x", "409")
    expect_has(openstack("user create neil --or-show --password x"), id=made["id"])
    lists(
        openstack("user list --long"),
        "the users",
        Name="neil",
        Email="neil@example.org",
        Description="First man",
        Enabled=True,
        Domain="default",
        Project=project["id"],
    )
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
    expect_has(
        openstack("user show buzz"),
        id=made["id"],
        email="b@example.org",
        description="Second",
        default_project_id=openstack("project show admin")["id"],
    )
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
    openstack(
        "user create michael --password orbit --ignore-lockout-failure-attempts --ignore-password-expiry "
        "--ignore-change-password-upon-first-use --enable-lock-password --disable"
    )
    options = {
        "ignore_lockout_failure_attempts": True,
        "ignore_password_expiry": True,
        "ignore_change_password_upon_first_use": True,
        "lock_password": True,
    }
    expect_has(openstack("user show michael"), enabled=False, options=options)
    openstack(
        "user set michael --no-ignore-lockout-failure-attempts --no-ignore-password-expiry "
        "--no-ignore-change-password-upon-first-use --enable"
    )
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
    lists(
        openstack("group list --long"), "the groups", ID=made["id"], Name="crew", Description="Three", **{"Domain ID": "default"}
    )
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


FLOWS = [projects, domains, users, user_options, groups]
