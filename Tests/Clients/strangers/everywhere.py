"""What holds for all services."""

from harness import Failure, expect

from .people import NETWORK


def services_have_the_names_that_clients_look_for(people):
    names = {service["type"]: service["name"] for service in people.catalog}
    wanted = {"compute": "nova", "network": "neutron", "image": "glance", "identity": "keystone", "placement": "placement"}
    expect({kind: names.get(kind) for kind in wanted}, wanted, "the names in the catalog")


def each_service_has_three_interfaces_in_one_region(people):
    for service in people.catalog:
        found = sorted(endpoint["interface"] for endpoint in service["endpoints"])
        expect(found, ["admin", "internal", "public"], f"the interfaces of {service['type']}")
        expect(len({endpoint["region"] for endpoint in service["endpoints"]}), 1, f"the regions of {service['type']}")


def a_401_says_where_to_log_in(people):
    client = people.cloud.client()
    for path in ("/compute/v2.1/servers", "/network/v2.0/networks", "/image/v2/images", "/placement/resource_providers", "/v3/users"):
        for headers in ({}, {"X-Auth-Token": "wrong"}):
            answer = client.call("GET", path, headers=headers, status=401)
            if "uri=" not in answer.headers.get("WWW-Authenticate", ""):
                raise Failure(f"{path} with {headers}: WWW-Authenticate is {answer.headers.get('WWW-Authenticate')!r}")


def two_slashes_in_front_of_a_path_are_one(people):
    for path in ("//compute/v2.1/servers", f"/{NETWORK}/networks", "//image/v2/images", "//identity/v3/projects"):
        people.admin.ask("GET", path, status=200)


CASES = [
    services_have_the_names_that_clients_look_for,
    each_service_has_three_interfaces_in_one_region,
    a_401_says_where_to_log_in,
    two_slashes_in_front_of_a_path_are_one,
]
