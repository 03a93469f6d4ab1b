"""The catalog, limits and policies."""

import json

from harness import expect, expect_has

from .flow import column, lists


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
    lists(
        openstack("service list --long"),
        "the services",
        ID=made["id"],
        Name="hubble",
        Type="telescope",
        Description="Looks far",
        Enabled=True,
    )
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
    expect_has(
        made,
        interface="public",
        url="http://hubble.example.org:80/v1",
        region="orbit",
        region_id="orbit",
        service_id=service,
        service_name="hubble",
        service_type="telescope",
        enabled=True,
    )
    hidden = openstack("endpoint create hubble admin http://hubble.example.org/admin --disable")
    expect_has(hidden, enabled=False, region_id=None)
    expect(
        column(openstack("endpoint list --service hubble"), "ID"), sorted([made["id"], hidden["id"]]), "the service's endpoints"
    )
    expect(column(openstack("endpoint list --service hubble --interface admin"), "ID"), [hidden["id"]], "by interface")
    expect(column(openstack("endpoint list --region orbit"), "ID"), [made["id"]], "by region")
    lists(
        openstack("endpoint list"),
        "the endpoints",
        ID=made["id"],
        Region="orbit",
        Enabled=True,
        Interface="public",
        URL="http://hubble.example.org:80/v1",
        **{"Service Name": "hubble", "Service Type": "telescope"},
    )
    entry = lists(openstack("catalog list"), "the catalog", Type="telescope")
    expect([endpoint["id"] for endpoint in entry["Endpoints"]], [made["id"]], "the enabled endpoints")
    openstack(f"endpoint set {made['id']} --interface internal --url https://h.example.org/%(tenant_id)s --region RegionOne")
    expect_has(
        openstack(f"endpoint show {made['id']}"),
        interface="internal",
        url="https://h.example.org/%(tenant_id)s",
        region="RegionOne",
    )
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
    openstack("endpoint group add project outside viewers")
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


def limits(flow):
    openstack = flow.system()
    openstack("service create telescope --name keck")
    service = openstack("service show keck")["id"]
    project = openstack("project create astronomers --domain default")["id"]
    registered = openstack(
        "registered limit create mirrors --service keck --default-limit 10 --region RegionOne --description Big"
    )
    expect_has(
        registered, resource_name="mirrors", service_id=service, default_limit=10, region_id="RegionOne", description="Big"
    )
    openstack.fails("registered limit create mirrors --service keck --default-limit 3 --region RegionOne", "409")
    expect(column(openstack("registered limit list --service keck"), "ID"), [registered["id"]], "by service")
    expect(column(openstack("registered limit list --resource-name mirrors"), "ID"), [registered["id"]], "by name")
    expect(column(openstack("registered limit list --region RegionOne"), "ID"), [registered["id"]], "by region")
    changed = openstack(f"registered limit set {registered['id']} --default-limit 12 --description Bigger")
    expect_has(changed, default_limit=12, description="Bigger")
    expect_has(openstack(f"registered limit show {registered['id']}"), default_limit=12, resource_name="mirrors")

    limit = openstack(
        "limit create mirrors --project astronomers --service keck --resource-limit 5 --region RegionOne --description Few"
    )
    expect_has(
        limit,
        resource_name="mirrors",
        project_id=project,
        service_id=service,
        resource_limit=5,
        region_id="RegionOne",
        description="Few",
    )
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


FLOWS = [regions, services, endpoints, endpoints_of_projects, limits, policies]
