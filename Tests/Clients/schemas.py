"""Every answer against the schema that Keystone itself has for it.

A walk through the API makes one of everything, changes it, lists it and shows it. Whatever Keystone has a schema for must
come by; what the schema forbids, as an unknown key, is a failure.
"""

import base64
import collections
import hashlib
import hmac
import re
import time
import urllib.parse

from harness import ADMIN_PROJECT, Client, Cloud, expect, password_login, say
from keystone_reference import Reference

# Routes of Keystone that Novella does not have, each with the reason.
NOT_OURS = {
    r"/OS-FEDERATION": "federation",
    r"/OS-OAUTH2": "Novella has no OAuth 2.0",
    r"/OS-SIMPLE-CERT": "PKI tokens, which Keystone itself has no more: it answers 410",
    r"/OS-PKI/revoked": "PKI tokens, which Keystone itself has no more: it answers 410",
}
# Keystone's resources have a method for collection and members alike, and these answer 405 or 404 there.
NOT_METHODS = re.compile(
    r"(PATCH|DELETE) /v3/(policies|OS-OAUTH1/consumers)$|POST /v3/(policies|OS-OAUTH1/consumers)/|"
    r"GET /v3/(ec2tokens|s3tokens|OS-OAUTH1/(access_token|request_token|authorize/.*)|users/{user_id}/password)$"
)


def is_ours(route):
    return not any(re.search(pattern, route.path) for pattern in NOT_OURS) and not NOT_METHODS.match(route.name)


class Witness(Client):
    """Holds each answer, and each body that was taken, against Keystone's schema."""

    def __init__(self, host, port, account):
        super().__init__(host, port)
        self.account = account

    def call(self, method, path, body=None, headers=None, status=None):
        answer = super().call(method, path, body, headers, status)
        self.account.judge(method, path, body, answer)
        return answer


class Account:
    """Which routes came by, and what was wrong."""

    def __init__(self, reference):
        self.reference = reference
        self.seen = collections.Counter()
        self.wrong = {}

    def judge(self, method, path, body, answer):
        if answer.status >= 300:
            return
        bare = re.sub(r"^/identity", "", path.split("?")[0])
        route = self.reference.find(method, bare)
        if route is None:
            return
        self.seen[route.name] += 1
        if route.request and isinstance(body, dict) and (problems := self.reference.problems(route.request, body)):
            self.wrong[route.name] = f"took a body that Keystone refuses: {'; '.join(problems)}"
        if route.response:
            if problems := self.reference.problems(route.response, answer.json):
                self.wrong[route.name] = f"{'; '.join(problems[:6])} in {answer.content[:500].decode()}"


class Walk:
    """The steps, in the order in which they need each other."""

    def __init__(self, cloud, account):
        self.cloud = cloud
        self.account = account
        self.api = self.login(password_login("admin", cloud.password(), ADMIN_PROJECT))
        self.ids = {}
        self.undo = []

    def login(self, body):
        client = Witness(*self.cloud.host_and_port, self.account)
        client.log_in(body)
        return client

    def make(self, collection, key, body, change=None, as_=None, at="/v3"):
        """Creates, lists, shows and changes; returns the id. All of it is deleted at the end."""
        api = as_ or self.api
        path = f"{at}/{collection}"
        made = api.post(path, {key: body}).json[key]
        api.get(path)
        api.get(f"{path}/{made['id']}")
        if change:
            changed = api.patch(f"{path}/{made['id']}", {key: change}).json[key]
            for name, value in change.items():
                expect(changed[name], value, f"{path}: {name} after the change")
        self.undo.append((api, f"{path}/{made['id']}"))
        return made["id"]

    # MARK: Steps

    def projects_and_domains(self):
        ids = self.ids
        ids["domain"] = self.make("domains", "domain", {"name": "d1", "description": "d", "options": {}}, {"description": "e"})
        ids["project"] = self.make(
            "projects",
            "project",
            {"name": "p1", "domain_id": "default", "tags": ["a"], "options": {"immutable": None}},
            {"description": "changed", "enabled": True},
        )
        child = self.make("projects", "project", {"name": "p2", "parent_id": ids["project"], "extra": "kept"})
        for query in ("parents_as_list", "parents_as_ids", "subtree_as_list", "subtree_as_ids"):
            self.api.get(f"/v3/projects/{child if 'parents' in query else ids['project']}?{query}")
        for query in (
            "name=p1",
            "domain_id=default",
            f"parent_id={ids['project']}",
            "enabled=true",
            "is_domain=true",
            "tags=a",
            "tags-any=a,b",
            "not-tags=a",
            "not-tags-any=a",
            "limit=1",
            "limit=1&sort_key=name&sort_dir=desc",
        ):
            self.api.get(f"/v3/projects?{query}")
        self.api.get("/v3/domains?name=d1&enabled=true&limit=1")
        tags = f"/v3/projects/{ids['project']}/tags"
        self.api.get(tags)
        self.api.put(tags, {"tags": ["b", "c"]}, status=200)
        self.api.put(f"{tags}/d", status=201)
        self.api.get(f"{tags}/d", status=204)
        self.api.delete(f"{tags}/d")
        self.api.delete(tags)

    def users_and_groups(self):
        ids = self.ids
        rules = [["password", "totp"]]
        ids["user"] = self.make(
            "users",
            "user",
            {
                "name": "u1",
                "password": "first",
                "domain_id": "default",
                "default_project_id": ids["project"],
                "email": "a@example.org",
                "description": "d",
                "enabled": True,
                "options": {
                    "multi_factor_auth_rules": rules,
                    "multi_factor_auth_enabled": False,
                    "ignore_password_expiry": True,
                    "lock_password": False,
                },
            },
            {"description": "changed", "email": "b@example.org"},
        )
        for query in (
            "name=u1",
            "domain_id=default",
            "enabled=true",
            "name__contains=u",
            "limit=1",
            "password_expires_at=lt:2030-01-01T00:00:00Z",
        ):
            self.api.get(f"/v3/users?{query}")
        ids["group"] = self.make(
            "groups", "group", {"name": "g1", "domain_id": "default", "description": "d"}, {"description": "e"}
        )
        self.api.get("/v3/groups?name=g1&domain_id=default")
        self.api.put(f"/v3/groups/{ids['group']}/users/{ids['user']}")
        self.api.get(f"/v3/groups/{ids['group']}/users")
        self.api.get(f"/v3/groups/{ids['group']}/users/{ids['user']}", status=204)
        self.api.get(f"/v3/users/{ids['user']}/groups")
        self.api.post(
            f"/v3/users/{ids['user']}/password", {"user": {"original_password": "first", "password": "second"}}, status=204
        )

    def roles(self):
        ids = self.ids
        ids["role"] = self.make(
            "roles", "role", {"name": "r1", "description": "d", "options": {"immutable": False}}, {"description": "e"}
        )
        implied = self.make("roles", "role", {"name": "r2"})
        local = self.make("roles", "role", {"name": "r3", "domain_id": ids["domain"]})
        self.api.get(f"/v3/roles/{local}")
        self.api.get("/v3/roles?name=r1")
        self.api.get(f"/v3/roles?domain_id={ids['domain']}")
        self.api.put(f"/v3/roles/{ids['role']}/implies/{implied}", status=201)
        self.api.get(f"/v3/roles/{ids['role']}/implies/{implied}")
        self.api.get(f"/v3/roles/{ids['role']}/implies")
        self.api.get("/v3/role_inferences")
        places = [f"projects/{ids['project']}", f"domains/{ids['domain']}", "system"]
        for place in places:
            for actor in (f"users/{ids['user']}", f"groups/{ids['group']}"):
                grants = f"/v3/{place}/{actor}/roles"
                self.api.put(f"{grants}/{ids['role']}")
                self.api.get(grants)
                self.api.get(f"{grants}/{ids['role']}", status=204)
                if place != "system":
                    inherited = f"/v3/OS-INHERIT/{place}/{actor}/roles/{ids['role']}/inherited_to_projects"
                    self.api.put(inherited)
                    self.api.get(inherited, status=204)
                    if place.startswith("domains"):
                        self.api.get(f"/v3/OS-INHERIT/{place}/{actor}/roles/inherited_to_projects")
        for query in (
            "",
            "?include_names=true",
            "?effective",
            "?effective&include_names",
            f"?scope.project.id={ids['project']}&include_subtree=true",
            f"?user.id={ids['user']}",
            f"?group.id={ids['group']}",
            f"?role.id={ids['role']}",
            "?scope.system=all",
            f"?scope.domain.id={ids['domain']}",
            "?scope.OS-INHERIT:inherited_to=projects",
        ):
            self.api.get(f"/v3/role_assignments{query}")
        for place in places:
            for actor in (f"users/{ids['user']}", f"groups/{ids['group']}"):
                if place != "system":
                    self.api.delete(f"/v3/OS-INHERIT/{place}/{actor}/roles/{ids['role']}/inherited_to_projects")
                self.api.delete(f"/v3/{place}/{actor}/roles/{ids['role']}")
        self.api.delete(f"/v3/roles/{ids['role']}/implies/{implied}")
        # What the steps that follow need: only members may have EC2 credentials.
        member = self.api.get("/v3/roles?name=member").json["roles"][0]["id"]
        for role in (ids["role"], member):
            self.api.put(f"/v3/projects/{ids['project']}/users/{ids['user']}/roles/{role}")

    def tokens(self):
        self.user = self.login(password_login("u1", "second", {"project": {"id": self.ids["project"]}}))
        for client in (self.api, self.user):
            client.get("/v3/auth/tokens", headers={"X-Subject-Token": client.token})
            for what in ("catalog", "projects", "domains", "system"):
                client.get(f"/v3/auth/{what}")
        self.api.get(f"/v3/users/{self.ids['user']}/projects")
        again = self.login(
            {
                "auth": {
                    "identity": {"methods": ["token"], "token": {"id": self.user.token}},
                    "scope": {"project": {"id": self.ids["project"]}},
                }
            }
        )
        again.delete("/v3/auth/tokens", headers={"X-Subject-Token": again.token})

    def catalog(self):
        ids = self.ids
        ids["region"] = self.make("regions", "region", {"id": "r1", "description": "d"}, {"description": "e"})
        self.make("regions", "region", {"parent_region_id": "r1"})
        self.api.get("/v3/regions?parent_region_id=r1")
        self.api.put("/v3/regions/r3", {"region": {"description": "by PUT"}}, status=201)
        self.undo.append((self.api, "/v3/regions/r3"))
        ids["service"] = self.make(
            "services", "service", {"type": "t1", "name": "s1", "description": "d", "enabled": True}, {"description": "e"}
        )
        self.api.get("/v3/services?type=t1&name=s1")
        ids["endpoint"] = self.make(
            "endpoints",
            "endpoint",
            {"service_id": ids["service"], "interface": "public", "url": "http://example.org/v1", "region_id": "r1"},
            {"url": "http://example.org/v2", "enabled": True},
        )
        for query in (f"service_id={ids['service']}", "interface=public", "region_id=r1"):
            self.api.get(f"/v3/endpoints?{query}")

    def endpoint_filters(self):
        ids, base = self.ids, "/v3/OS-EP-FILTER"
        pair = f"{base}/projects/{ids['project']}/endpoints/{ids['endpoint']}"
        self.api.put(pair)
        self.api.get(pair, status=204)
        self.api.get(f"{base}/projects/{ids['project']}/endpoints")
        self.api.get(f"{base}/endpoints/{ids['endpoint']}/projects")
        self.api.delete(pair)
        group = self.make(
            "endpoint_groups",
            "endpoint_group",
            {"name": "eg1", "description": "d", "filters": {"interface": "public"}},
            {"description": "e", "filters": {"service_id": ids["service"]}},
            at=base,
        )
        self.api.get(f"{base}/endpoint_groups?name=eg1")
        pair = f"{base}/endpoint_groups/{group}/projects/{ids['project']}"
        self.api.put(pair)
        self.api.get(pair)
        self.api.get(f"{base}/endpoint_groups/{group}/projects")
        self.api.get(f"{base}/endpoint_groups/{group}/endpoints")
        self.api.get(f"{base}/projects/{ids['project']}/endpoint_groups")
        self.api.delete(pair)

    def policies(self):
        ids = self.ids
        policy = self.make("policies", "policy", {"blob": "{}", "type": "application/json"}, {"blob": "{'a': 1}"})
        base = f"/v3/policies/{policy}/OS-ENDPOINT-POLICY"
        for what in (
            f"endpoints/{ids['endpoint']}",
            f"services/{ids['service']}",
            f"services/{ids['service']}/regions/{ids['region']}",
        ):
            self.api.put(f"{base}/{what}")
            self.api.get(f"{base}/{what}", status=204)
            self.api.get(f"{base}/endpoints")
            self.api.get(f"/v3/endpoints/{ids['endpoint']}/OS-ENDPOINT-POLICY/policy")
            self.api.delete(f"{base}/{what}")

    def limits(self):
        ids = self.ids
        system = self.login(password_login("admin", self.cloud.password(), {"system": {"all": True}}))
        entry = {"service_id": ids["service"], "resource_name": "mirrors", "region_id": "r1"}
        for path, key, value, change in (
            ("registered_limits", "registered_limit", {**entry, "default_limit": 10, "description": "d"}, {"default_limit": 11}),
            (
                "limits",
                "limit",
                {**entry, "project_id": ids["project"], "resource_limit": 5, "description": "d"},
                {"resource_limit": 6},
            ),
            ("limits", "limit", {**entry, "domain_id": ids["domain"], "resource_limit": 5}, {"resource_limit": 6}),
        ):
            made = system.post(f"/v3/{path}", {f"{key}s": [value]}).json[f"{key}s"][0]
            system.get(f"/v3/{path}")
            system.get(f"/v3/{path}/{made['id']}")
            system.patch(f"/v3/{path}/{made['id']}", {key: change})
            self.undo.append((system, f"/v3/{path}/{made['id']}"))
        system.get("/v3/limits/model")
        self.user.get("/v3/limits")

    def credentials(self):
        ids = self.ids
        self.make(
            "credentials",
            "credential",
            {"blob": "secret", "type": "cert", "user_id": ids["user"], "project_id": ids["project"]},
            {"blob": "other"},
        )
        self.api.get(f"/v3/credentials?user_id={ids['user']}&type=cert")
        base = f"/v3/users/{ids['user']}/credentials/OS-EC2"
        made = self.user.post(base, {"tenant_id": ids["project"]}).json["credential"]
        self.user.get(base)
        self.user.get(f"{base}/{made['access']}")
        parameters = {
            "AWSAccessKeyId": made["access"],
            "Action": "Show",
            "SignatureMethod": "HmacSHA256",
            "SignatureVersion": "2",
            "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "Version": "2011-01-01",
        }
        text = "\n".join(["GET", "example.org", "/", urllib.parse.urlencode(sorted(parameters.items()))])
        signature = base64.b64encode(hmac.new(made["secret"].encode(), text.encode(), hashlib.sha256).digest()).decode()
        # Whoever asks what a signature is worth must be allowed to, since such answers have been abused.
        self.api.post(
            "/v3/ec2tokens",
            {
                "credentials": {
                    "access": made["access"],
                    "host": "example.org",
                    "verb": "GET",
                    "path": "/",
                    "params": parameters,
                    "signature": signature,
                }
            },
            status=200,
        )
        self.user.delete(f"{base}/{made['access']}")

    def trusts(self):
        ids, base = self.ids, "/v3/OS-TRUST"
        other = self.make("users", "user", {"name": "u2", "password": "p"})
        made = self.user.post(
            f"{base}/trusts",
            {
                "trust": {
                    "trustor_user_id": ids["user"],
                    "trustee_user_id": other,
                    "project_id": ids["project"],
                    "impersonation": True,
                    "roles": [{"id": ids["role"]}],
                    "expires_at": "2999-01-01T00:00:00.000000Z",
                    "remaining_uses": 3,
                }
            },
        ).json["trust"]
        self.api.get(f"{base}/trusts")
        self.user.get(f"{base}/trusts?trustor_user_id={ids['user']}")
        self.user.get(f"{base}/trusts/{made['id']}")
        self.user.get(f"{base}/trusts/{made['id']}/roles")
        self.user.get(f"{base}/trusts/{made['id']}/roles/{ids['role']}")
        self.login(password_login("u2", "p", {"OS-TRUST:trust": {"id": made["id"]}}))
        self.user.delete(f"{base}/trusts/{made['id']}")

    def application_credentials(self):
        base = f"/v3/users/{self.ids['user']}"
        plain = self.user.post(
            f"{base}/application_credentials",
            {
                "application_credential": {
                    "name": "ac1",
                    "description": "d",
                    "roles": [{"id": self.ids["role"]}],
                    "unrestricted": False,
                    "expires_at": "2999-01-01T00:00:00.000000Z",
                }
            },
        ).json["application_credential"]
        ruled = self.user.post(
            f"{base}/application_credentials",
            {
                "application_credential": {
                    "name": "ac2",
                    "access_rules": [{"path": "/v2.1/servers", "method": "GET", "service": "compute"}],
                }
            },
        ).json["application_credential"]
        self.user.get(f"{base}/application_credentials")
        self.user.get(f"{base}/application_credentials?name=ac1")
        for made in (plain, ruled):
            self.user.get(f"{base}/application_credentials/{made['id']}")
        client = self.login(
            {
                "auth": {
                    "identity": {
                        "methods": ["application_credential"],
                        "application_credential": {"id": plain["id"], "secret": plain["secret"]},
                    }
                }
            }
        )
        client.get("/v3/auth/tokens", headers={"X-Subject-Token": client.token})
        rules = self.user.get(f"{base}/access_rules").json["access_rules"]
        self.user.get(f"{base}/access_rules/{rules[0]['id']}")
        for made in (plain, ruled):
            self.user.delete(f"{base}/application_credentials/{made['id']}")
        self.user.delete(f"{base}/access_rules/{rules[0]['id']}")

    def oauth(self):
        ids, base = self.ids, "/v3/OS-OAUTH1"
        consumer = self.api.post(f"{base}/consumers", {"consumer": {"description": "d"}}).json["consumer"]
        self.api.get(f"{base}/consumers")
        self.api.get(f"{base}/consumers/{consumer['id']}")
        self.api.patch(f"{base}/consumers/{consumer['id']}", {"consumer": {"description": "e"}})

        from oauthlib import oauth1 as signer

        def signed(path, headers, **keys):
            client = signer.Client(consumer["id"], client_secret=consumer["secret"], **keys)
            url, header, _ = client.sign(self.cloud.url + path, http_method="POST", headers=headers)
            answer = self.api.call("POST", path, b"", {**header, "Content-Type": "application/x-www-form-urlencoded"}, status=201)
            return dict(urllib.parse.parse_qsl(answer.content.decode()))

        request = signed(f"{base}/request_token", {"Requested-Project-Id": ids["project"]}, callback_uri="oob")
        # Only an administrator may say yes, and to no more than the roles that he has on the project.
        admin = self.api.get("/v3/roles?name=admin").json["roles"][0]["id"]
        grant = f"/v3/projects/{ids['project']}/users/{ids['user']}/roles/{admin}"
        self.api.put(grant)
        granter = self.login(password_login("u1", "second", {"project": {"id": ids["project"]}}))
        verifier = granter.put(f"{base}/authorize/{request['oauth_token']}", {"roles": [{"id": ids["role"]}]}, status=200)
        access = signed(
            f"{base}/access_token",
            {},
            resource_owner_key=request["oauth_token"],
            resource_owner_secret=request["oauth_token_secret"],
            verifier=verifier.json["token"]["oauth_verifier"],
        )
        tokens = f"/v3/users/{ids['user']}/OS-OAUTH1/access_tokens"
        self.user.get(tokens)
        self.user.get(f"{tokens}/{access['oauth_token']}")
        self.user.get(f"{tokens}/{access['oauth_token']}/roles")
        self.user.get(f"{tokens}/{access['oauth_token']}/roles/{ids['role']}")
        self.user.delete(f"{tokens}/{access['oauth_token']}")
        self.api.delete(f"{base}/consumers/{consumer['id']}")
        self.api.delete(grant)
        self.user.log_in(password_login("u1", "second", {"project": {"id": ids["project"]}}))

    def domain_configuration(self):
        base = f"/v3/domains/{self.ids['domain']}/config"
        config = {"identity": {"driver": "ldap"}, "ldap": {"url": "ldap://example.org", "user_tree_dn": "dc=example"}}
        self.api.put(base, {"config": config}, status=201)
        for path in ("", "/ldap", "/ldap/url"):
            self.api.get(base + path)
            self.api.get("/v3/domains/config" + path + "/default")
        self.api.patch(base, {"config": {"ldap": {"url": "ldap://other.example.org"}}})
        self.api.patch(f"{base}/ldap", {"config": {"ldap": {"url": "ldap://third.example.org"}}})
        self.api.patch(f"{base}/ldap/url", {"config": {"url": "ldap://fourth.example.org"}})
        self.api.delete(f"{base}/ldap/url")
        self.api.delete(f"{base}/ldap")
        self.api.delete(base)

    def revocations(self):
        self.api.get("/v3/OS-REVOKE/events")

    def clean_up(self):
        """Everything goes, in the opposite order, and is gone then."""
        self.api.patch(f"/v3/domains/{self.ids['domain']}", {"domain": {"enabled": False}})
        for api, path in reversed(self.undo):
            api.delete(path)
            # What a changed domain or user had of tokens is over, so the administrator looks.
            self.api.get(path, status=404)

    STEPS = [
        projects_and_domains,
        users_and_groups,
        roles,
        tokens,
        catalog,
        endpoint_filters,
        policies,
        limits,
        credentials,
        trusts,
        application_credentials,
        oauth,
        domain_configuration,
        revocations,
        clean_up,
    ]


def routes_exist(cloud, reference, report):
    """Whoever has no token is told so on each route of Keystone's; a route that is not known answers 404 or 405 instead."""
    client = cloud.client()
    missing = []
    ours = [route for route in reference.routes.values() if is_ours(route)]
    for route in ours:
        path = re.sub(r"{\w+}", "0" * 32, route.path)
        answer = client.call(route.method, path, {} if route.method in ("POST", "PATCH", "PUT") else None)
        known = answer.status in (200, 300, 400, 401) or (
            answer.status == 404 and b"The resource could not be found." not in answer.content
        )
        if known:
            report.pass_()
        else:
            missing.append(f"{route.name}: {answer.status}")
    for line in missing:
        report.fail("routes", line)
    others = len(reference.routes) - len(ours)
    say(f"  {len(ours) - len(missing)} of Keystone's {len(ours)} routes are there; {others} are none of ours")


def run(binary, report):
    reference = Reference()
    with Cloud(binary) as cloud:
        routes_exist(cloud, reference, report)
        account = Account(reference)
        walk = Walk(cloud, account)
        for step in Walk.STEPS:
            with report.case(f"walk: {step.__name__.replace('_', ' ')}"):
                step(walk)
        wanted = sorted(route.name for route in reference.routes.values() if route.response and is_ours(route))
        for name in wanted:
            if name in account.wrong:
                report.fail(name, account.wrong.pop(name))
            elif name not in account.seen:
                report.fail(name, "no answer came by that its schema could be held against")
            else:
                report.pass_()
        for name, why in account.wrong.items():
            report.fail(name, why)
        seen = sum(name in account.seen for name in wanted)
        say(f"  {seen} of {len(wanted)} schemas held against {sum(account.seen.values())} answers")
        if report.failures:
            print(cloud.tail(20))
