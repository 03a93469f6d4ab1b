import CloudCore
@testable import Compute
import ControlPlane
import SQL
import TestSupport
import Testing

/// Lists whose conditions the database checks, against plain tests of all servers.
@Suite("Conditions of lists of servers")
struct ServerFilterTests {
    private static let (projects, users, hosts) = (["p", "q"], ["u", "v"], ["h1", "h2", nil])
    private static let names = ["a", "ab", "abc", "b", "a.b", "é", "éa", ""]
    private static let states: [VMState] = [.active, .stopped, .error, .rescued]
    private static let tags = ["x", "y", "z"]
    private static let patterns = ["b$", "^a.?b", "[^a]$"].compactMap { try? NamePattern($0) }

    @Test(
        "Each list has the servers that plain tests find, in its order and in pages of any length",
        arguments: DatabaseKind.allCases)
    func model(kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [.compute]) { test in
            var random = SplitMix64(seed: 5)
            let servers = (0..<60).map { Self.server($0, &random) }
            try await test.database.write { tx in
                for server in servers {
                    try ServerStore().insert(server, in: tx)
                    if server.state == .deleted { try ServerStore().archive(server, at: server.updatedAt, in: tx) }
                }
            }
            for round in 0..<150 {
                let (filter, query) = Self.query(&random)
                let limit = Int.random(in: 1...20, using: &random)
                let expected = servers.filter { Self.lets($0, filter, query) }
                let whole = query.page(of: expected, after: nil, limit: 100).map(\.id)
                let found = try await test.database.read { tx in try Self.list(filter, query, limit, in: tx) }
                #expect(found == whole, "round \(round): \(filter), \(query.sort)")
            }
        }
    }

    /// Reads a list page by page.
    private static func list(_ filter: ServerFilter, _ query: ServerQuery, _ limit: Int, in tx: Transaction) throws
        -> [ID<Kind.Server>]
    {
        let pages = try ServerPages(filter, in: query.tables, by: try #require(query.columns), tx: tx)
        var (found, place) = ([ServerBrief](), [SQLValue]?.none)
        while true {
            let page = try pages.next(.brief, after: place, limit: limit, in: tx)
            let same = try pages.next(.details, after: place, limit: limit, in: tx).map { try $0.stored().server() }
            #expect(try page.map { try $0.brief().id } == same.map(\.id))
            found += try page.map { try $0.brief() }
            guard page.count == limit, let last = same.last else { return found.map(\.id) }
            place = pages.place(of: last)
            #expect(place == page.last?.place)
        }
    }

    private static func server(_ number: Int, _ random: inout SplitMix64) -> Server {
        var server = ServerStage.server(.test())
        server.id = ID("\(100 + number)11111-1111-4111-8111-111111111111")
        server.number = number
        server.projectID = projects.randomElement(using: &random) ?? ""
        server.userID = users.randomElement(using: &random) ?? ""
        server.name = names.randomElement(using: &random) ?? ""
        server.host = hosts.randomElement(using: &random) ?? nil
        server.state = (states + [.deleted]).randomElement(using: &random) ?? .active
        server.tags = tags.filter { _ in Bool.random(using: &random) }
        server.flavor = ServerStage.flavor(["f", "g"].randomElement(using: &random) ?? "f")
        server.image =
            Bool.random(using: &random) ? nil : .init(id: ID(Bool.random(using: &random) ? "i" : "j"), properties: [:])
        server.createdAt = Timestamp(seconds: Int64.random(in: 0..<20, using: &random))
        server.updatedAt = Timestamp(seconds: Int64.random(in: 20..<40, using: &random))
        return server
    }

    private static func query(_ random: inout SplitMix64) -> (ServerFilter, ServerQuery) {
        func maybe<Value>(_ values: [Value], _ random: inout SplitMix64) -> Value? {
            Int.random(in: 0..<4, using: &random) == 0 ? values.randomElement(using: &random) : nil
        }
        func some(_ random: inout SplitMix64) -> Set<String>? {
            Int.random(in: 0..<6, using: &random) == 0 ? Set(tags.filter { _ in Bool.random(using: &random) }) : nil
        }
        var query = ServerQuery()
        query.isDeleted = [false, false, true, nil].randomElement(using: &random) ?? false
        var filter = ServerFilter(projectID: maybe(projects, &random), userID: maybe(users, &random))
        filter.states = maybe([[.active], [.active, .error], [.deleted, .stopped], []], &random)
        filter.host = maybe(["h1", "h2"], &random)
        (filter.imageID, filter.flavorID) = (maybe(["i", "j"], &random), maybe(["f", "g"], &random))
        filter.name = maybe([.beginning("a"), .beginning("é"), .exactly("ab"), .exactly("")], &random)
        filter.namePart = maybe(["b", ".", "a"], &random)
        filter.namePatterns = maybe(patterns, &random).map { [$0] } ?? []
        if query.isDeleted == false {
            filter.tags = ServerTagFilter(
                all: some(&random), any: some(&random), notAll: some(&random), notAny: some(&random))
        }
        filter.changedSince = maybe([Timestamp(seconds: 25), Timestamp(seconds: 35)], &random)
        filter.changedBefore = maybe([Timestamp(seconds: 30)], &random)
        let keys = [
            "created_at", "updated_at", "display_name", "project_id", "user_id", "vm_state", "uuid", "host",
            "image_ref", "instance_type_id",
        ]
        query.sort = (0..<Int.random(in: 0...3, using: &random)).map { _ in
            (keys.randomElement(using: &random) ?? "uuid", Bool.random(using: &random))
        }
        return (filter, query)
    }

    private static func lets(_ server: Server, _ filter: ServerFilter, _ query: ServerQuery) -> Bool {
        let isNamed =
            switch filter.name {
            case nil: true
            case .exactly(let name): server.name == name
            case .beginning(let text): server.name.hasPrefix(text)
            }
        let isOwned =
            (filter.projectID ?? server.projectID) == server.projectID
            && (filter.userID ?? server.userID) == server.userID
        let isMade =
            (filter.imageID ?? server.image?.id.text) == server.image?.id.text
            && (filter.flavorID ?? server.flavor.id.text) == server.flavor.id.text
        let isThere = (filter.host ?? server.host) == server.host && filter.states?.contains(server.state) != false
        let isInTime =
            filter.changedSince.map { $0 <= server.updatedAt } != false
            && filter.changedBefore.map { server.updatedAt <= $0 } != false
        return (query.isDeleted ?? (server.state == .deleted)) == (server.state == .deleted) && isOwned && isMade
            && isThere && isNamed && isInTime
            && filter.namePart.map(server.name.contains) != false
            && filter.namePatterns.allSatisfy { $0.isFound(in: server.name) } && filter.tags.lets(server.tags)
    }

    @Test("A pattern is a range or a part of names only if it finds just those names")
    func patterns() throws {
        let cases: [(text: String, range: TextRange?, part: String?)] = [
            ("web", nil, "web"), ("^web$", .exactly("web"), nil), ("^web", .beginning("web"), nil),
            ("^a\\.b$", .exactly("a.b"), nil),
            ("^10\\.5\\.", .beginning("10.5."), nil), ("^", nil, nil), ("^$", .exactly(""), nil), ("^a.b$", nil, nil),
            ("^ab*$", nil, nil),
            ("^a|b$", nil, nil), ("web$", nil, nil), ("^a\\d", nil, nil), ("^a$b", nil, nil), ("", nil, nil),
            ("^é ü", .beginning("é ü"), nil),
        ]
        for one in cases {
            let pattern = try NamePattern(one.text)
            #expect(pattern.range == one.range && pattern.part == one.part, "\(one.text)")
        }
    }

    @Test("The tags of a server follow each change, and are gone with it", arguments: DatabaseKind.allCases)
    func tags(kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [.compute]) { test in
            var server = ServerStage.server(.test())
            for tags in [["a", "b"], ["b", "c"], ["b", "c"], [], ["d"]] {
                server.tags = tags
                try await test.database.write { [server] tx in
                    if try ServerStore().find(server.id, in: tx) == nil {
                        try ServerStore().insert(server, in: tx)
                    } else {
                        try ServerStore().update(server, in: tx)
                    }
                }
                #expect(try await Self.stored(test) == tags)
            }
            try await test.database.write { [server] tx in
                try ServerStore().archive(server, at: server.updatedAt, in: tx)
            }
            #expect(try await Self.stored(test) == [])
            try await test.database.write { [server] tx in try ServerStore().update(server, in: tx) }
            #expect(try await Self.stored(test) == [])
        }
    }

    private static func stored(_ test: TestDatabase) async throws -> [String] {
        try await test.database.read { tx in
            try tx.rows("SELECT tag FROM compute_server_tag ORDER BY tag").map { try $0.value(at: 0) }
        }
    }
}
