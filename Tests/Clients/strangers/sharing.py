"""What one project shares with another, and what it must not reach."""

from harness import expect

from .people import NETWORK, refused


def share(person, kind, identifier, action, target, status=201):
    return person.network("rbac-policies", status, object_type=kind, object_id=identifier, action=action, target_tenant=target)


def a_network_that_is_external_for_one_project_is_none_for_another(people):
    one, other = people.member(), people.member()
    network = people.admin.network("networks", name="half outside")["id"]
    people.admin.network("subnets", network_id=network, ip_version=4, cidr="198.18.2.0/24", enable_dhcp=False)
    policy = share(people.admin, "network", network, "access_as_external", one.project)
    one.ask("GET", f"{NETWORK}/networks/{network}", status=200)
    one.network("floatingips", floating_network_id=network)
    one.network("routers", name="r", external_gateway_info={"network_id": network})
    other.ask("GET", f"{NETWORK}/networks/{network}", status=404)
    expect([row["id"] for row in other.networks("networks") if row["id"] == network], [], "the network in the other's list")
    refused(other.network("floatingips", 404, floating_network_id=network), 404)
    refused(other.network("routers", 404, name="r", external_gateway_info={"network_id": network}), 404)
    router = other.network("routers", name="r")["id"]
    other.ask("PUT", f"{NETWORK}/routers/{router}", {"router": {"external_gateway_info": {"network_id": network}}}, status=404)
    people.admin.ask("DELETE", f"{NETWORK}/rbac-policies/{policy['id']}", status=409)


def the_policy_for_all_goes_when_those_who_use_it_have_their_own(people):
    member = people.member()
    network = people.external("198.18.3.0/24")
    member.network("routers", name="r", external_gateway_info={"network_id": network})
    everyone = people.admin.networks("rbac-policies", f"object_id={network}&action=access_as_external")[0]["id"]
    people.admin.ask("DELETE", f"{NETWORK}/rbac-policies/{everyone}", status=409)
    share(people.admin, "network", network, "access_as_external", member.project)
    people.admin.ask("DELETE", f"{NETWORK}/rbac-policies/{everyone}", status=204)


def the_policy_for_all_is_narrowed_to_who_uses_it(people):
    member = people.member()
    network = people.external("198.18.4.0/24")
    member.network("routers", name="r", external_gateway_info={"network_id": network})
    everyone = people.admin.networks("rbac-policies", f"object_id={network}&action=access_as_external")[0]["id"]
    body = {"rbac_policy": {"target_tenant": member.project}}
    people.admin.ask("PUT", f"{NETWORK}/rbac-policies/{everyone}", body, status=200)


def the_policy_for_all_of_the_default_outside_stays(people):
    network = people.admin.network("networks", name="default outside", is_default=True, **{"router:external": True})["id"]
    everyone = people.admin.networks("rbac-policies", f"object_id={network}&action=access_as_external")[0]["id"]
    people.admin.ask("DELETE", f"{NETWORK}/rbac-policies/{everyone}", status=409)
    people.admin.ask("DELETE", f"{NETWORK}/networks/{network}", status=204)


def an_owner_shares_a_network_of_the_own_and_only_that(people):
    owner, other = people.member(), people.member()
    network = owner.network("networks", name="mine")
    policy = share(owner, "network", network["id"], "access_as_shared", other.project)
    expect("target_project" in policy, False, "whether a policy shows target_project")
    expect(policy["target_tenant"], other.project, "the target")
    shown = other.ask("GET", f"{NETWORK}/networks/{network['id']}", status=200).json["network"]
    expect(shown["revision_number"] > network["revision_number"], True, "whether the network's revision was raised")
    # It sees the network, which is not its own; another project does not see it.
    share(other, "network", network["id"], "access_as_shared", owner.project, status=400)
    share(people.member(), "network", network["id"], "access_as_shared", owner.project, status=404)


def a_policy_that_is_used_stays(people):
    owner, other = people.member(), people.member()
    scope = owner.network("address-scopes", name="scope", ip_version=4)["id"]
    of_scope = share(owner, "address_scope", scope, "access_as_shared", other.project)["id"]
    other.network("subnetpools", name="pool", prefixes=["10.64.0.0/16"], address_scope_id=scope)
    owner.ask("DELETE", f"{NETWORK}/rbac-policies/{of_scope}", status=409)

    addresses = owner.network("address-groups", name="hosts", addresses=["10.0.0.1/32"])["id"]
    of_addresses = share(owner, "address_group", addresses, "access_as_shared", other.project)["id"]
    group = other.network("security-groups", name="group")["id"]
    other.network("security-group-rules", security_group_id=group, direction="ingress", protocol="tcp", remote_address_group_id=addresses)
    owner.ask("DELETE", f"{NETWORK}/rbac-policies/{of_addresses}", status=409)

    pool = owner.network("subnetpools", name="shared pool", prefixes=["10.96.0.0/16"], default_prefixlen=24)["id"]
    of_pool = share(owner, "subnetpool", pool, "access_as_shared", other.project)["id"]
    network = other.network("networks", name="net")["id"]
    other.network("subnets", network_id=network, ip_version=4, subnetpool_id=pool)
    owner.ask("DELETE", f"{NETWORK}/rbac-policies/{of_pool}", status=409)


def a_pool_is_not_shared_with_who_cannot_see_its_scope(people):
    owner, other = people.member(), people.member()
    scope = owner.network("address-scopes", name="scope", ip_version=4)["id"]
    pool = owner.network("subnetpools", name="pool", prefixes=["10.65.0.0/16"], address_scope_id=scope)["id"]
    share(owner, "subnetpool", pool, "access_as_shared", other.project, status=400)


CASES = [
    a_network_that_is_external_for_one_project_is_none_for_another,
    the_policy_for_all_goes_when_those_who_use_it_have_their_own,
    the_policy_for_all_is_narrowed_to_who_uses_it,
    the_policy_for_all_of_the_default_outside_stays,
    an_owner_shares_a_network_of_the_own_and_only_that,
    a_policy_that_is_used_stays,
    a_pool_is_not_shared_with_who_cannot_see_its_scope,
]
