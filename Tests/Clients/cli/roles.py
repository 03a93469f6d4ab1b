"""Roles, what they imply, and who has them."""

from harness import expect, expect_has

from .flow import column, lists


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
    lists(
        openstack("implied role list"),
        "the implied roles",
        **{"Prior Role ID": chief, "Prior Role Name": "chief", "Implied Role ID": aide, "Implied Role Name": "aide"},
    )
    openstack("project create mission")
    person = openstack("user create gene --password p")["id"]
    openstack("role add chief --user gene --project mission")
    rows = openstack("role assignment list --user gene --project mission --effective --names")
    expect(column(rows, "Role"), ["aide", "chief"], "the effective roles")
    openstack("implied role delete chief --implied-role aide")
    expect([row for row in openstack("implied role list") if row["Prior Role ID"] == chief], [], "the implied roles after")
    expect(
        column(openstack("role assignment list --user gene --project mission --effective"), "Role"), [chief], "the roles after"
    )
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
    expect(
        [(row["Role"], row["User"], row["Project"]) for row in rows],
        [("reader", "ed@Default", "capsule@Default")],
        "the effective assignment",
    )
    expect(
        openstack("role assignment list --user ed --project gemini --effective"), [], "an inherited role on the project itself"
    )
    ed = flow.user("ed", "p", project_name="capsule", project_domain_id="default")
    ed("token issue")
    admin = openstack("role assignment list --auth-user --auth-project --names")
    expect(
        [(row["Role"], row["User"], row["Project"]) for row in admin],
        [("admin", "admin@Default", "admin@Default")],
        "the caller's own assignments",
    )
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


FLOWS = [roles, implied_roles, role_assignments]
