import CloudCore
import SQL
import TestSupport
import Testing

@Suite struct TransactionTests {
    @Test("A write that throws leaves nothing, and its caller gets its own error", arguments: DatabaseKind.allCases)
    func rollback(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            await #expect(throws: Deliberate(number: 7)) {
                try await database.write { tx in
                    try tx.execute("INSERT INTO thing (id) VALUES ('x')")
                    throw Deliberate(number: 7)
                }
            }
            let ids = try await database.ids()
            #expect(ids == [])
        }
    }

    @Test("Each of 200 concurrent writers gets its own result, and those that throw leave nothing", arguments: DatabaseKind.allCases)
    func manyWriters(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            let outcomes = await withTaskGroup(of: (Int, Result<Int, any Error>).self) { group in
                for number in 0..<200 {
                    group.addTask {
                        do {
                            return (number, .success(try await database.write { tx in try Self.work(number, tx) }))
                        } catch {
                            return (number, .failure(error))
                        }
                    }
                }
                return await group.reduce(into: [Int: Result<Int, any Error>]()) { $0[$1.0] = $1.1 }
            }
            for (number, outcome) in outcomes {
                switch (number % 5, outcome) {
                case (0, .failure(let error)): #expect(error as? Deliberate == Deliberate(number: number))
                case (1, .failure(SQLError.checkViolation)): break
                case (2..., .success(let value)): #expect(value == number)
                default: Issue.record("writer \(number) got \(outcome)")
                }
            }
            let expected = (0..<200).filter { $0 % 5 > 1 }.map { "thing-\($0)" }.sorted()
            let ids = try await database.ids()
            #expect(ids == expected)
        }
    }

    private static func work(_ number: Int, _ tx: Transaction) throws -> Int {
        try tx.execute("INSERT INTO thing (id) VALUES (?)", "thing-\(number)")
        if number % 5 == 0 { throw Deliberate(number: number) }
        if number % 5 == 1 { try tx.execute("INSERT INTO thing (id, size) VALUES (?, -1)", "bad-\(number)") }
        return number
    }

    @Test("A failing commit fails no other transaction of its group")
    func groupFailure() async throws {
        let deferred = Schema(
            service: "test",
            [
                Migration(
                    1, "deferred",
                    """
                    CREATE TABLE thing (id TEXT PRIMARY KEY);
                    CREATE TABLE part (id TEXT PRIMARY KEY, thing_id TEXT REFERENCES thing (id) DEFERRABLE INITIALLY DEFERRED);
                    """)
            ])
        try await TestDatabase.withDatabase(.sqlite, schemas: [deferred]) { test in
            let database = test.database
            let ran = Shared(0)
            let failed: [Refusal] = await withTaskGroup(of: Refusal.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        await Refusal.of {
                            try await database.write { tx in
                                tx.afterCommit { ran.change { $0 += 1 } }
                                if number == 20 {
                                    try tx.execute("INSERT INTO part (id, thing_id) VALUES ('p', 'nowhere')")
                                } else {
                                    try tx.execute("INSERT INTO thing (id) VALUES (?)", "\(number)")
                                }
                            }
                        }
                    }
                }
                return await group.reduce(into: []) { if $1 != .none { $0.append($1) } }
            }
            #expect(failed == [.foreignKey])
            let ids = try await database.ids()
            #expect(ids.count == 39)
            #expect(ran.value == 39)
        }
    }

    @Test("A read sees the last commit", arguments: DatabaseKind.allCases)
    func readsLastCommit(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            for number in 0..<20 {
                try await database.add("thing-\(number)")
                #expect(try await database.ids().count == number + 1)
            }
        }
    }

    @Test("A read sees one consistent state, whatever is committed meanwhile", arguments: DatabaseKind.allCases)
    func consistentRead(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            try await database.add("a", size: 100)
            try await database.add("b", size: 0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for _ in 0..<50 {
                        try await database.write { tx in
                            try tx.execute("UPDATE thing SET size = size - 1 WHERE id = 'a'")
                            try tx.execute("UPDATE thing SET size = size + 1 WHERE id = 'b'")
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<50 {
                        let sum = try await database.read { tx in
                            let a: Int = try tx.value("SELECT size FROM thing WHERE id = 'a'") ?? 0
                            let b: Int = try tx.value("SELECT size FROM thing WHERE id = 'b'") ?? 0
                            return a + b
                        }
                        #expect(sum == 100)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("50 concurrent increments, each a read and a write, add up to 50", arguments: DatabaseKind.allCases)
    func increments(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            try await database.add("counter")
            let runs = Shared(0)
            let nudges = Shared(0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await database.write { tx in
                            runs.change { $0 += 1 }
                            tx.afterCommit { nudges.change { $0 += 1 } }
                            let size: Int = try tx.value("SELECT size FROM thing WHERE id = 'counter'") ?? 0
                            try tx.execute("UPDATE thing SET size = ? WHERE id = 'counter'", size + 1)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let size: Int? = try await database.read { tx in try tx.value("SELECT size FROM thing") }
            #expect(size == 50)
            #expect(runs.value >= 50)
            // A closure may run several times, but its nudge comes once.
            #expect(nudges.value == 50)
        }
    }

    @Test("Two writers that each read what the other writes cannot both succeed", arguments: DatabaseKind.allCases)
    func writeSkew(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            let most = 3
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        try await database.write { tx in
                            let used: Int = try tx.value("SELECT count(*) FROM thing") ?? 0
                            if used < most { try tx.execute("INSERT INTO thing (id) VALUES (?)", "\(number)") }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await database.ids().count == most)
        }
    }

    @Test("afterCommit runs after the commit, and not after a rollback", arguments: DatabaseKind.allCases)
    func afterCommit(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            let order = Shared<[String]>([])
            try await database.write { tx in
                tx.afterCommit { order.change { $0.append("first") } }
                tx.afterCommit { order.change { $0.append("second") } }
                try tx.execute("INSERT INTO thing (id) VALUES ('x')")
                order.change { $0.append("body") }
            }
            #expect(order.value == ["body", "first", "second"])
            await #expect(throws: Deliberate()) {
                try await database.write { tx in
                    tx.afterCommit { order.change { $0.append("never") } }
                    throw Deliberate()
                }
            }
            #expect(order.value.count == 3)
        }
    }

    @Test("A transaction cannot be used after its closure has ended", arguments: DatabaseKind.allCases)
    func escaped(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            let kept = Shared<(@Sendable () throws -> Void)?>(nil)
            try await database.write { tx in
                let escape = Escaped(tx: tx)
                kept.change { $0 = { try escape.tx.execute("INSERT INTO thing (id) VALUES ('late')") } }
            }
            let late = try #require(kept.value)
            #expect(await Refusal.of { try late() } == .misuse)
            #expect(try await database.ids() == [])
        }
    }

    private struct Escaped: @unchecked Sendable {
        let tx: Transaction
    }
}
