import CloudCore
import SQL
import TestSupport
import Testing

/// A statement that would take hours.
private let endless =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000) SELECT count(*) FROM n"
/// A statement that takes more than the few milliseconds of a short read.
private let long =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT count(*) FROM n"

@Suite("Transactions and the budgets of their requests")
struct SQLBudgetTests {
    @Test(
        "A statement ends when the time of its request is over", arguments: DatabaseKind.allCases,
        [Reading.short, .long])
    func late(kind: DatabaseKind, reading: Reading) async throws {
        try await withThings(kind) { database in
            let refusal = await Budget.$current.withValue(Budget(.milliseconds(100))) {
                await Refusal.of { try await database.read(reading) { tx in try tx.row(endless) } }
            }
            #expect(refusal == .cutOff)
            let ids = try await database.ids()
            #expect(ids == [])
        }
    }

    @Test("A statement ends when its client leaves", arguments: DatabaseKind.allCases)
    func left(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            let hasBegun = Box(false)
            let budget = Budget(nil)
            async let refusal = Budget.$current.withValue(budget) {
                await Refusal.of {
                    try await database.read(.long) { tx in
                        hasBegun.value = true
                        return try tx.row(endless)
                    }
                }
            }
            try await eventually("the statement runs") { hasBegun.value }
            budget.end(as: .clientLeft)
            #expect(await refusal == .cutOff)
            let ids = try await database.ids()
            #expect(ids == [])
        }
    }

    @Test(
        "A write that was cut off changes nothing, and those beside it are committed", arguments: DatabaseKind.allCases)
    func group(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            let isHeld = Box(true)
            let refusals = await withTaskGroup(of: Refusal.self) { group in
                // The writers behind this one wait, so they are committed together.
                group.addTask {
                    await Refusal.of {
                        try await database.write { tx in
                            while isHeld.value {}
                            try tx.execute("INSERT INTO thing (id) VALUES ('first')")
                        }
                    }
                }
                let budget = Budget(.milliseconds(300))
                group.addTask {
                    await Budget.$current.withValue(budget) {
                        await Refusal.of {
                            try await database.write { tx in
                                try tx.execute("INSERT INTO thing (id) VALUES ('cut off')")
                                try tx.execute("INSERT INTO thing (id) SELECT 'x' FROM (\(endless)) AS e")
                            }
                        }
                    }
                }
                for number in 0..<5 {
                    group.addTask { await Refusal.of { try await database.add("other-\(number)") } }
                }
                isHeld.value = false
                return await group.reduce(into: [Refusal]()) { $0.append($1) }
            }
            #expect(refusals.filter { $0 == .none }.count == 6)
            #expect(refusals.filter { $0 == .cutOff }.count == 1)
            let ids = try await database.ids()
            #expect(ids == ["first"] + (0..<5).map { "other-\($0)" })
        }
    }

    @Test("The write of a client that has left does not run", arguments: DatabaseKind.allCases)
    func abandoned(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            let budget = Budget(.seconds(3600))
            budget.end(as: .clientLeft)
            let refusal = await Budget.$current.withValue(budget) { await Refusal.of { try await database.add("x") } }
            #expect(refusal == .cutOff)
            let ids = try await database.ids()
            #expect(ids == [])
        }
    }

    @Test("Work that outlives its answered request goes on", arguments: DatabaseKind.allCases)
    func answered(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            let budget = Budget(.milliseconds(1))
            budget.end(as: .answered)
            try await Budget.$current.withValue(budget) { try await database.add("x") }
            let ids = try await database.ids()
            #expect(ids == ["x"])
        }
    }

    @Test("A short read that turns out to be long begins again on another thread")
    func moved() async throws {
        try await withThings(.sqlite) { database in
            let runs = Box(0)
            let count: Int? = try await database.read(.short) { tx in
                runs.update { $0 += 1 }
                return try tx.value(long)
            }
            #expect(count == 200_000)
            #expect(runs.value == 2)
            let rows = try await database.read(.short) { tx in
                runs.update { $0 += 1 }
                return try tx.rows(
                    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700) SELECT i FROM n")
            }
            #expect(rows.count == 700)
            #expect(runs.value == 4)
        }
    }
}
