import CloudCore
import Resources
import SQL
import TestSupport
import Testing

@testable import Identity

/// Tests of the hand-written SQL for the catalog, limits and domains, on both databases.
@Suite struct CatalogStoreTests {
    private static func insert<R: Resource>(_ resource: R, in tx: Transaction) throws { try ResourceStore<R>().insert(resource, in: tx) }

    /// Inserts a region within another, a service, an endpoint in the inner region, one without a region, a domain and
    /// a project.
    private static func furnish(_ tx: Transaction) throws {
        for (id, parent) in [("land", nil), ("town", "land")] as [(String, String?)] {
            var region = Region()
            region.id = ID(id)
            region.parentRegionID = parent.map { ID($0) }
            try insert(region, in: tx)
        }
        var service = CatalogService()
        service.id = ID("s")
        service.type = "volume"
        try insert(service, in: tx)
        for (id, region) in [("e1", "town"), ("e2", nil)] as [(String, String?)] {
            var endpoint = Endpoint()
            endpoint.id = ID(id)
            endpoint.interface = "public"
            endpoint.serviceID = ID("s")
            endpoint.regionID = region.map { ID($0) }
            try insert(endpoint, in: tx)
        }
        var domain = Domain()
        domain.id = ID("d")
        domain.name = "d"
        try insert(domain, in: tx)
        var project = Project()
        project.id = ID("p")
        project.name = "p"
        project.domainID = ID("d")
        project.parentID = ID("d")
        try insert(project, in: tx)
    }

    @Test(arguments: DatabaseKind.allCases)
    func policiesAreFoundByServiceRegionAndEndpoint(_ kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [IdentityAssembly.schema]) { test in
            try await test.database.write { tx in
                try Self.furnish(tx)
                let places: [(String, PolicyPlace)] = [
                    ("wide", .service(ID("s"))), ("land", .region(ID("land"), ID("s"))), ("own", .endpoint(ID("e1"))),
                ]
                for (id, place) in places {
                    var policy = StoredPolicy()
                    policy.id = ID(id)
                    try Self.insert(policy, in: tx)
                    for row in ["a", "b"] { try PolicyPlaceStore().set(policy.id, for: place, rowID: "\(id)-\(row)", in: tx) }
                }
            }
            try await test.database.read { tx in
                let store = PolicyPlaceStore()
                func endpoints(_ policy: String) throws -> [String] { try store.endpoints(of: ID(policy), in: tx).map(\.id.text) }
                #expect(try endpoints("wide") == ["e1", "e2"])
                #expect(try endpoints("land") == ["e1"])
                #expect(try endpoints("own") == ["e1"])
                let (first, second) = (
                    try ResourceStore<Endpoint>().require(ID("e1"), in: tx), try ResourceStore<Endpoint>().require(ID("e2"), in: tx)
                )
                #expect(try store.policy(of: first, in: tx) == ID("own"))
                #expect(try store.policy(of: second, in: tx) == ID("wide"))
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func theEndpointsOfAProjectAreFound(_ kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [IdentityAssembly.schema]) { test in
            let store = EndpointFilterStore()
            try await test.database.write { tx in
                try Self.furnish(tx)
                var group = EndpointGroup()
                group.id = ID("g")
                group.filters = ["region_id": nil]
                try Self.insert(group, in: tx)
                try store.insert(.endpoint(ID("e1")), ID("p"), in: tx)
                try store.insert(.group(ID("g")), ID("p"), in: tx)
            }
            try await test.database.write { tx in
                let endpoints = try store.endpoints(of: ID("p"), in: tx)
                #expect(endpoints.map(\.id.text) == ["e1", "e2"])
                #expect(try store.projects(shown: .group(ID("g")), in: tx).map(\.id.text) == ["p"])
                #expect(try store.exists(.endpoint(ID("e1")), ID("p"), in: tx))
                #expect(try store.delete(.endpoint(ID("e1")), ID("p"), in: tx))
                #expect(try store.exists(.endpoint(ID("e1")), ID("p"), in: tx) == false)
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func domainOptionsAreStoredFoundAndDeleted(_ kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [IdentityAssembly.schema]) { test in
            let store = DomainOptionStore()
            try await test.database.write { tx in
                try Self.furnish(tx)
                try tx.execute(
                    "INSERT INTO identity_key (id, purpose, sealed, created_at, used_from) VALUES ('k', 'secret', ?, 0, 0)", [1] as [UInt8])
                let secret = DomainOptionStore.Stored(group: "ldap", name: "password", value: nil, sealed: [1, 2], keyID: "k")
                let null = DomainOptionStore.Stored(group: "ldap", name: "user", value: .some(.null), sealed: nil, keyID: nil)
                for _ in 0..<2 { try store.set([secret, null], ID("d"), in: tx) }
            }
            try await test.database.write { tx in
                #expect(try store.shown(ID("d"), in: tx).map(\.name) == ["user"])
                #expect(try store.exists(ID("d"), .init(group: "ldap", name: "password"), in: tx))
                try store.delete(ID("d"), .init(group: "ldap"), in: tx)
                #expect(try store.exists(ID("d"), in: tx) == false)
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func theModelOfTwoStrictLevelsIsChecked(_ kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [IdentityAssembly.schema]) { test in
            try await test.database.write { tx in
                try Self.furnish(tx)
                var registered = RegisteredLimit()
                registered.id = ID("r")
                registered.serviceID = ID("s")
                registered.resourceName = "disk"
                registered.defaultLimit = 10
                try Self.insert(registered, in: tx)
                var limit = Limit()
                limit.id = ID("l")
                limit.serviceID = ID("s")
                limit.resourceName = "disk"
                limit.projectID = ID("p")
                limit.registeredLimitID = ID("r")
                limit.resourceLimit = 11
                #expect(throws: CloudError.self) { try StrictTwoLevel().check([limit], in: tx) }
                limit.resourceLimit = 10
                try StrictTwoLevel().check([limit], in: tx)
                try Self.insert(limit, in: tx)
                var above = limit
                above.projectID = nil
                above.domainID = ID("d")
                above.resourceLimit = 9
                #expect(throws: CloudError.self) { try StrictTwoLevel().check([above], in: tx) }
            }
        }
    }
}
