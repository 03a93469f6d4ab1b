import CloudCore
import Compute
import ControlPlane
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@Suite("Access to Compute")
struct AccessTests {
    @Test("The version documents need no token")
    func openVersions() async throws {
        try await TestCloud.run { cloud in
            for path in ["/compute", "/compute/", "/compute/v2.1", "/compute/v2.1/"] {
                #expect(await cloud.send(.get, path).status == .ok)
            }
        }
    }

    @Test("A project member gets 403 for every action that only administrators may do")
    func members() async throws {
        try await ComputeClient.runAsMember { _, client in
            let forbidden: [(HTTPRequest.Method, String)] = [
                (.post, "/flavors"), (.put, "/flavors/x"), (.delete, "/flavors/x"), (.get, "/flavors/x/os-flavor-access"),
                (.post, "/flavors/x/os-extra_specs"), (.put, "/flavors/x/os-extra_specs/a"), (.delete, "/flavors/x/os-extra_specs/a"),
                (.get, "/os-aggregates"), (.post, "/os-aggregates"), (.get, "/os-aggregates/1"), (.put, "/os-aggregates/1"),
                (.delete, "/os-aggregates/1"), (.post, "/os-aggregates/1/images"), (.get, "/os-availability-zone/detail"),
                (.put, "/os-quota-sets/x"), (.delete, "/os-quota-sets/x"), (.get, "/os-quota-sets/x"), (.get, "/os-quota-sets/x/detail"),
                (.get, "/os-quota-class-sets/x"), (.put, "/os-quota-class-sets/x"), (.get, "/limits?tenant_id=x"),
                (.get, "/os-hosts"), (.get, "/os-services"), (.put, "/os-services/x"), (.delete, "/os-services/x"), (.get, "/os-hypervisors"),
                (.get, "/os-hypervisors/detail"), (.get, "/os-hypervisors/1"), (.get, "/os-migrations"), (.get, "/os-simple-tenant-usage"),
                (.get, "/os-simple-tenant-usage/x"),
            ]
            for (method, path) in forbidden {
                await client.refused(.forbidden, method, path, method == .get ? nil : [:], minor: path == "/os-hosts" ? 1 : nil)
            }
            for name in ["addTenantAccess", "removeTenantAccess"] {
                await client.refused(.forbidden, .post, "/flavors/x/action", [name: ["tenant": "x"]])
            }
            for path in ["/flavors", "/os-keypairs", "/os-server-groups", "/os-availability-zone", "/limits", "/extensions"] {
                await client.good(.get, path)
            }
        }
    }

    @Test("An unsupported microversion is a 406, and answers name the microversion in both headers")
    func versions() async throws {
        try await ComputeClient.runAsAdmin { cloud, client in
            let wrong = await client.send(.get, "/flavors", minor: 105)
            #expect(wrong.status == .notAcceptable)
            #expect(
                wrong.json["computeFault"]?["message"]?.string
                    == "Version 2.105 is not supported by the API. Minimum is 2.1 and maximum is 2.104.")
            let old = try #require(HTTPField.Name("X-OpenStack-Nova-API-Version"))
            let reply = await cloud.send(.get, "/compute/v2.1/flavors", token: client.token, headers: [old: "2.55"])
            #expect(reply.headers[.apiVersion] == "compute 2.55")
            #expect(reply.headers[old] == "2.55")
            await client.refused(.notFound, .put, "/flavors/x", [:], minor: 54)
        }
    }
}
