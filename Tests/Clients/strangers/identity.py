"""Identity."""

from harness import expect


def a_region_takes_its_children_and_its_limits_along(people):
    client = people.admin.client
    client.post("/v3/regions", {"region": {"id": "north"}})
    client.post("/v3/regions", {"region": {"id": "north-1", "parent_region_id": "north"}})
    service = client.post("/v3/services", {"service": {"type": "tea", "name": "tea"}}).json["service"]["id"]
    limit = {"service_id": service, "region_id": "north", "resource_name": "cups", "default_limit": 3}
    client.post("/v3/registered_limits", {"registered_limits": [limit]})
    client.delete("/v3/regions/north")
    client.get("/v3/regions/north-1", status=404)
    client.delete(f"/v3/services/{service}")


def a_region_with_an_endpoint_below_it_stays(people):
    client = people.admin.client
    client.post("/v3/regions", {"region": {"id": "south"}})
    client.post("/v3/regions", {"region": {"id": "south-1", "parent_region_id": "south"}})
    service = client.post("/v3/services", {"service": {"type": "milk", "name": "milk"}}).json["service"]["id"]
    endpoint = {"service_id": service, "interface": "public", "url": "http://localhost/milk", "region_id": "south-1"}
    made = client.post("/v3/endpoints", {"endpoint": endpoint}).json["endpoint"]["id"]
    client.delete("/v3/regions/south", status=403)
    client.delete(f"/v3/endpoints/{made}")
    client.delete("/v3/regions/south")


def access_rules_come_back_in_the_order_of_the_request(people):
    member = people.member()
    rules = [{"path": f"/v2.1/servers/{number}", "method": "GET", "service": "compute"} for number in range(8)]
    body = {"application_credential": {"name": "rules", "access_rules": rules}}
    made = member.ask("POST", f"/v3/users/{member.user}/application_credentials", body, status=201).json["application_credential"]
    shown = member.ask("GET", f"/v3/users/{member.user}/application_credentials/{made['id']}", status=200).json["application_credential"]
    for answer in (made, shown):
        expect([rule["path"] for rule in answer["access_rules"]], [rule["path"] for rule in rules], "the rules")


def a_role_of_a_domain_is_given_on_other_domains_but_not_on_the_system(people):
    client = people.admin.client
    own, other = (client.post("/v3/domains", {"domain": {"name": name}}).json["domain"]["id"] for name in ("house", "garden"))
    role = client.post("/v3/roles", {"role": {"name": "gardener", "domain_id": own}}).json["role"]["id"]
    client.put(f"/v3/domains/{other}/users/{people.admin.user}/roles/{role}")
    client.put(f"/v3/OS-INHERIT/domains/{other}/users/{people.admin.user}/roles/{role}/inherited_to_projects")
    client.put(f"/v3/system/users/{people.admin.user}/roles/{role}", status=400)


CASES = [
    a_region_takes_its_children_and_its_limits_along,
    a_region_with_an_endpoint_below_it_stays,
    access_rules_come_back_in_the_order_of_the_request,
    a_role_of_a_domain_is_given_on_other_domains_but_not_on_the_system,
]
