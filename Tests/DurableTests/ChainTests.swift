import CloudCore
@testable import Durable
import SQL
import TestSupport
import Testing

/// Transactions that record several steps of a workflow.
@Suite struct ChainTests {
    @Test(
        "A claim, the local steps before a remote step and those behind it are three commits",
        arguments: DatabaseKind.allCases)
    func commits(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let id = try await plant.copy()
            let before = plant.database.commits
            try await plant.settle(try plant.runner("a"))
            #expect(plant.database.commits - before == 3)
            #expect(try await plant.row(id).status == .succeeded)
        }
    }

    @Test("A database that is away behind a failed chain is asked again at once")
    func awayBehindChain() async throws {
        try await Plant.with(.sqlite) { plant in
            let id = try await plant.copy()
            let (failures, absences) = (Box(0), Box(0))
            let faults = FaultPlan(allowsChains: true) { place in
                if place == .init("finish", .forward, .body), failures.value == 0 {
                    failures.update { $0 += 1 }
                    return .fail(.badRequest("Refused by a test."))
                }
                guard place == .init("copy", .forward, .outcomeRecord), failures.value > 0, absences.value == 0
                else { return nil }
                absences.update { $0 += 1 }
                return .databaseAway(isCommitted: false)
            }
            // The clock stands still, so a wait would never end.
            try await plant.settle(try plant.runner("a", faults: faults))
            #expect(absences.value == 1)
            #expect(try await plant.row(id).status == .succeeded)
        }
    }
}
