"""Credentials, and what somebody may do in the name of another."""

import datetime
import time

from harness import Failure, expect, expect_has

from .command_line import CommandLine, user
from .flow import column, lists


def credentials(flow):
    openstack = flow.admin
    _, person, project = flow.member("wally")
    made = openstack("credential create wally 'first secret' --type cert --project wally")
    expect_has(made, blob="first secret", type="cert", user_id=person, project_id=project)
    expect(column(openstack("credential list --user wally"), "ID"), [made["id"]], "the user's credentials")
    expect(column(openstack("credential list --type cert"), "ID"), [made["id"]], "by type")
    lists(
        openstack("credential list"),
        "the credentials",
        ID=made["id"],
        Type="cert",
        Data="first secret",
        **{"User ID": person, "Project ID": project},
    )
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
    lists(
        member("ec2 credentials list"),
        "the EC2 credentials",
        Access=made["access"],
        Secret=made["secret"],
        **{"Project ID": project, "User ID": person},
    )
    expect_has(member(f"ec2 credentials show {made['access']}"), secret=made["secret"], project_id=project)
    other = openstack("ec2 credentials create --user gus --project gus")
    expect(column(openstack("ec2 credentials list --user gus"), "Access"), sorted([made["access"], other["access"]]), "by user")
    member(f"ec2 credentials delete {made['access']}")
    member.fails(f"ec2 credentials show {made['access']}")
    openstack(f"ec2 credentials delete {other['access']} --user gus")
    expect(openstack("ec2 credentials list --user gus"), [], "the EC2 credentials after")
    openstack("user delete gus")
    openstack("project delete gus")


def trusts(flow):
    trustor, giver, project = flow.member("deke")
    _, taker, _ = flow.member("wernher")
    expiry = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S")
    member = flow.admin("role show member")["id"]  # Who is no administrator cannot look a role up.
    made = trustor(f"trust create --project {project} --role {member} --impersonate --expiration {expiry} {giver} {taker}")
    expect_has(made, trustor_user_id=giver, trustee_user_id=taker, project_id=project, is_impersonation=True)
    expect(str(made["expires_at"]).startswith(expiry), True, f"the expiry {made['expires_at']} of {expiry}")
    trustor.fails(
        f"trust create --project {project} --role {flow.admin('role show admin')['id']} {giver} {taker}"
    )  # A role that the trustor has not.
    lists(flow.admin("trust list"), "trust list", ID=made["id"])
    for filter_ in (f"--trustor {giver}", "--auth-user"):
        lists(
            trustor(f"trust list {filter_}"),
            f"trust list {filter_}",
            ID=made["id"],
            **{"Trustor User ID": giver, "Trustee User ID": taker, "Project ID": project, "Impersonation": True},
        )
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
    expect_has(
        made, **{"Name": "shuttle", "Description": "Rides", "Project ID": project, "Unrestricted": False, "Expires At": None}
    )
    expect(column(made["Roles"], "name"), ["member", "reader"], "its roles")
    bearer = user(flow.url, None, None).but(username=None, password=None, user_domain_id=None)
    own = CommandLine(
        bearer.but(
            auth_type="v3applicationcredential",
            application_credential_id=made["ID"],
            application_credential_secret=made["Secret"],
        )
    )
    expect_has(own("token issue"), user_id=person, project_id=project)
    by_name = CommandLine(
        bearer.but(
            auth_type="v3applicationcredential",
            application_credential_name="shuttle",
            application_credential_secret=made["Secret"],
            username="sally",
            user_domain_id="default",
        )
    )
    expect_has(by_name("token issue"), user_id=person)
    CommandLine(own.login.but(application_credential_secret="wrong")).fails("token issue", "401")
    own.fails("application credential create another", "403")  # It is restricted.

    member.fails("application credential create shuttle", "409")
    member.fails("application credential create other --role admin")
    expiry = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%S")
    brief = member(f"application credential create brief --secret of-mine --expiration {expiry} --unrestricted")
    expect_has(brief, Secret="of-mine", Unrestricted=True)
    lists(
        member("application credential list"),
        "the application credentials",
        ID=made["ID"],
        Name="shuttle",
        Description="Rides",
        **{"Project ID": project},
    )
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
    # Only an administrator may say yes, and to no more than the roles that he has on the project.
    authorize = f"request token authorize --request-key {request['id']} --role"
    member.fails(f"{authorize} {flow.admin('role show member')['id']}", "403")
    flow.admin("role add admin --user yuri --project yuri")
    outsider = openstack("role create outsider")["id"]
    member.fails(f"{authorize} {outsider}", "401")
    verifier = member(f"{authorize} member")["oauth_verifier"]
    exchange = f"access token create {keys} --request-key {request['id']} --request-secret {request['secret']}"
    openstack.fails(f"{exchange} --verifier wrong")
    access = openstack(f"{exchange} --verifier {verifier}")
    if not access["id"] or not access["secret"]:
        raise Failure(f"no access token: {access!r}")
    openstack.fails(f"{exchange} --verifier {verifier}")  # A request token is good for one.
    openstack(f"consumer delete {consumer['id']}")
    flow.gone(f"consumer show {consumer['id']}")
    openstack("role delete outsider")
    openstack("user delete yuri")
    openstack("project delete yuri")


FLOWS = [credentials, ec2_credentials, trusts, application_credentials, oauth]
