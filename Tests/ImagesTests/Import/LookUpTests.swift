import CloudCore
import TestSupport
import Testing

@testable import Images

/// A resolver whose lookups of `slow…` get no answer until the test releases them.
private final class Silent: HostResolver {
    let asked = Box<[String]>([])
    private let held = Box<[LookUpTurns.Turn]>([])

    func addresses(of name: String, _ turn: LookUpTurns.Turn) async throws -> [IPAddress] {
        asked.update { $0.append(name) }
        guard name.hasPrefix("slow") else { return [IPAddress("192.0.2.7")].compactMap(\.self) }
        // Like the system's resolver: the caller stops waiting, but the thread still waits.
        held.update { $0.append(turn) }
        try await Task.sleep(for: .seconds(3600))
        return []
    }

    func letGo() { held.value = [] }
}

@Suite("Fetching: look-ups", .timeLimit(.minutes(2)))
struct LookUpTests {
    private func fetcher(_ names: Silent) throws -> Fetcher {
        var fetcher = Fetcher(rules: try FetchRules(allowed: [], disallowed: [], private: [], ports: [80]))
        fetcher.resolver = names
        fetcher.ownAddresses = { [] }
        fetcher.limits.resolve = .milliseconds(50)
        fetcher.limits.turn = .milliseconds(50)
        return fetcher
    }

    @Test("A slow name server blocks only lookups of the same project, and those until it has answered")
    func silent() async throws {
        let names = Silent()
        let fetcher = try fetcher(names)
        func answer(_ host: String, _ project: String) async -> CloudError.Kind? {
            do {
                // The answer is an address for documentation, which nobody may fetch from, so the refusal shows that it
                // came.
                _ = try await fetcher.check("http://\(host)/", for: project)
                return nil
            } catch {
                return (error as? CloudError)?.kind
            }
        }
        #expect(await answer("slow1.test", "attacker") == .timeout)
        // The turn has not ended: no second thread waits, however many imports the project starts.
        for number in 2...5 { #expect(await answer("slow\(number).test", "attacker") == .timeout) }
        #expect(names.asked.value == ["slow1.test"])
        #expect(await answer("quick.test", "attacker") == .timeout)
        #expect(await answer("quick.test", "other") == .badRequest)
        names.letGo()
        #expect(await answer("quick.test", "attacker") == .badRequest)
        #expect(names.asked.value == ["slow1.test", "quick.test", "quick.test"])
    }

    @Test("Lookups of one project run one after the other in order, and a cancelled one leaves the line")
    func turns() async throws {
        let turns = LookUpTurns()
        var first: LookUpTurns.Turn? = try await turns.take("p")
        let order = Box<[Int]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            let leaver = Task { try await turns.take("p") }  // tidy: allow task, the test cancels it
            leaver.cancel()
            await #expect(throws: CancellationError.self) { _ = try await leaver.value }
            for number in 1...3 {
                group.addTask {
                    let turn = try await turns.take("p")
                    order.update { $0.append(number) }
                    withExtendedLifetime(turn) {}
                }
            }
            let other = try await turns.take("q")
            withExtendedLifetime(other) {}
            #expect(order.value.isEmpty && first != nil)
            first = nil
            try await group.waitForAll()
        }
        #expect(order.value.sorted() == [1, 2, 3])
        withExtendedLifetime(try await turns.take("p")) {}
    }
}
