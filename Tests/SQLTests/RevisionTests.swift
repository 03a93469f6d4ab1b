@testable import SQL
import TestSupport
import Testing

@Suite struct RevisionTests {
    private let topic = Topic("rules")

    @Test("A revision changes with each commit that names its topic, and with nothing else", arguments: DatabaseKind.allCases)
    func changes(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            var seen = [try await database.revision(of: topic)]
            for number in 0..<5 {
                try await database.write { [topic] tx in
                    tx.changed(topic)
                    tx.changed(topic)
                    try tx.execute("INSERT INTO thing (id) VALUES (?)", "\(number)")
                }
                seen.append(try await database.revision(of: topic))
            }
            #expect(Set(seen).count == 6)

            try await database.add("unmarked")
            try await database.write { tx in tx.changed(Topic("another")) }
            _ = try? await database.write { [topic] tx in
                tx.changed(topic)
                throw Deliberate()
            }
            #expect(try await database.revision(of: topic) == seen.last)
        }
    }

    @Test("On PostgreSQL another process sees a changed revision")
    func acrossProcesses() async throws {
        try await TestDatabase.withDatabase(.postgreSQL, schemas: [things]) { test in
            let other = try test.reopen()
            let before = try await other.revision(of: topic)
            try await test.database.write { [topic] tx in tx.changed(topic) }
            let after = try await other.revision(of: topic)
            #expect(before != after)
            #expect(try await test.database.revision(of: topic) == after)
        }
    }

    @Test("A revision never repeats, even while the log of changes is cut off under many writers", arguments: DatabaseKind.allCases)
    func neverTwice(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            var seen = [try await database.revision(of: topic)]
            for _ in 0..<30 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<60 {
                        // Another topic uses some numbers, so that this topic's numbers are sparse.
                        let topic = number % 4 == 0 ? topic : Topic("another")
                        group.addTask { try await database.write { tx in tx.changed(topic) } }
                    }
                    try await group.waitForAll()
                }
                seen.append(try await database.revision(of: topic))
            }
            #expect(Set(seen).count == seen.count)
            if kind == .postgreSQL {
                let rows: Int? = try await database.read { tx in try tx.value("SELECT count(*) FROM sql_change") }
                #expect(try #require(rows) < 1800, "the log is cut off")
            }
        }
    }

    @Test("A follower gets the keys of each commit once, and none of a rolled-back transaction", arguments: DatabaseKind.allCases)
    func following(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            func changes(_ position: ChangePosition?) async throws -> Changes {
                try await database.read { [topic] tx in try tx.changes(of: topic, since: position) }
            }
            try await database.write { [topic] tx in tx.changed(topic, ["before"]) }
            let start = try await changes(nil)
            #expect(start.keys == nil)
            #expect(try await changes(start.position).keys == [])
            try await database.write { [topic] tx in
                tx.changed(topic, ["a"])
                tx.changed(topic, ["b", "a"])
                tx.changed(Topic("another"), ["c"])
            }
            _ = try? await database.write { [topic] tx in
                tx.changed(topic, ["never"])
                throw Deliberate()
            }
            try await database.write { [topic] tx in tx.changed(topic) }
            let next = try await changes(start.position)
            #expect(next.keys == ["a", "b"])
            #expect(try await changes(next.position).keys == [])
            try await database.write { [topic] tx in tx.changed(topic, (0...1000).map { "\($0)" }) }
            let many = try await changes(next.position)
            #expect(many.keys == nil, "too many to be written down")
            try await database.write { [topic] tx in tx.changed(topic, ["last"]) }
            #expect(try await changes(many.position).keys == ["last"])
        }
    }

    @Test("Followers miss nothing of many writers, and notice when the log no longer reaches back", arguments: DatabaseKind.allCases)
    func followingMany(kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [things]) { test in
            let other = kind == .sqlite ? test.database : try test.reopen()
            let topic = topic
            let start = try await other.read { tx in try tx.changes(of: topic, since: nil) }
            var position = start.position
            var heard: [String: Int] = [:]
            var wholes = 0
            func follow() async throws {
                let changes = try await other.read { [position] tx in try tx.changes(of: topic, since: position) }
                for key in changes.keys ?? [] { heard[key, default: 0] += 1 }
                if changes.keys == nil { wholes += 1 }
                position = changes.position
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<4 {
                    group.addTask {
                        for turn in 0..<400 { try await test.database.write { tx in tx.changed(topic, ["\(writer)-\(turn)"]) } }
                    }
                }
                for _ in 0..<100 { try await follow() }
                try await group.waitForAll()
            }
            try await follow()
            #expect(heard.values.allSatisfy { $0 == 1 })
            #expect(wholes > 0 || heard.count == 1600)
            let late = try await other.read { tx in try tx.changes(of: topic, since: start.position) }
            #expect(late.keys == nil)
            #expect(late.position.commits == position.commits)
        }
    }
}
