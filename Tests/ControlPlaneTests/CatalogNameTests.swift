import CloudCore
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import ControlPlane

@Suite("Names in the catalog") struct CatalogNameTests {
    private static let usual = [
        "block-storage": "cinder", "compute": "nova", "identity": "keystone", "image": "glance", "network": "neutron",
        "placement": "placement", "volumev3": "cinderv3",
    ]

    private func names(_ cloud: TestCloud, _ token: String) async -> [String: String] {
        let catalog = await cloud.send(.get, "/v3/auth/catalog", token: token).json["catalog"]?.array ?? []
        return Dictionary(catalog.map { ($0["type"]?.string ?? "", $0["name"]?.string ?? "") }) { $1 }
    }

    @Test("Services have the names that clients look for")
    func usualNames() async throws {
        try await TestCloud.run { cloud in
            let token = try await cloud.token()
            #expect(await names(cloud, token) == Self.usual)
        }
    }

    @Test("A cloud of an older release gets the usual names, and a service that somebody else created keeps its own", arguments: ReleasedExample.all)
    func olderClouds(_ example: ReleasedExample) async throws {
        try await example.open { cloud, expected in
            let token = try await cloud.token(password: expected["passwords"]?["admin"]?.string ?? "")
            let services = await cloud.send(.get, "/v3/services", token: token).json["services"]?.array ?? []
            let names = Dictionary(services.map { ($0["type"]?.string ?? "", $0["name"]?.string ?? "") }) { $1 }
            #expect(names == Self.usual.merging(["object-store": "swift"]) { $1 })
        }
    }
}
