import CloudCore
import ControlPlane
import Foundation
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

/// Every bound that a request can reach, at every route: the largest value is not refused for its size, and one more
/// is refused with the service's own error.
///
/// The fields are those of the shapes that each route compares with its body (`ShapeTrace`), so a new field is tried
/// without a line here. A seed chooses some of the cases. `NOVELLA_ALL_LIMITS=1` tries all, and `NOVELLA_LIMITS_SEED`
/// repeats a choice.
@Suite("The largest values", .timeLimit(.minutes(30)))
struct LargestValueTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let isWhole = environment["NOVELLA_ALL_LIMITS"] == "1"
    private static let seed =
        environment["NOVELLA_LIMITS_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0..<1_000_000)
    /// The most cases of bodies, and of queries, of one service.
    private static let mostCases = 400

    private static func chosen<Case>(_ all: [Case]) -> [Case] {
        if isWhole { return all }
        var random = SplitMix64(seed: seed)
        return Array(all.shuffled(using: &random).prefix(mostCases))
    }

    private static func run(_ service: String, _ body: (Trial) async throws -> Void) async throws {
        try await TestCloud.run({ $0.simulate.enabled = true }) { cloud in try await body(Trial(service, cloud)) }
    }

    @Test("Every field of every body takes its largest value, and refuses one more", arguments: RouteTests.names)
    func bodies(service: String) async throws {
        try await Self.run(service) { trial in
            var cases: [Trial.Case] = []
            for route in trial.api.routes where RouteTests.hasBody(route) { cases += await trial.cases(of: route) }
            for one in Self.chosen(cases) { await trial.check(one, Self.seed) }
            #expect(await trial.send(.get, trial.tokenPath).status == .ok, "the token ended on the way")
        }
    }

    @Test(
        "Every query takes as many items, values and bytes as it may have, and refuses one more",
        arguments: RouteTests.names)
    func queries(service: String) async throws {
        try await Self.run(service) { trial in
            var cases: [Trial.QueryCase] = []
            for route in trial.api.routes where route.method == .get { cases += await trial.queries(of: route) }
            for one in Self.chosen(cases) { await trial.check(one, Self.seed) }
        }
    }

    @Test("The largest values of a shape fit it, and larger ones do not")
    func extremes() throws {
        let shape = HTTPKit.Shape.object([
            .init("name", .string(1...5), required: true), .init("count", .integer(0...7)),
            .init("tags", .nullable(.array(.string(0...3), 0...2))), .init("map", .map(.word, .string(0...4), 0...2)),
        ])
        let values = ShapeValues(minor: 0)
        let extremes = values.extremes(of: shape)
        #expect(extremes.map(\.name) == ["name", "count", "tags", "tags/0", "map/x", "map"])
        let small = values.sample(shape)
        let taken = extremes.compactMap { one in one.taken.map { values.put($0, at: one.place, in: small, shape) } }
        #expect(
            taken == [
                ["name": "aaaaa"], ["name": "a", "count": 7], ["name": "a", "tags": ["", ""]],
                ["name": "a", "tags": ["aaa"]], ["name": "a", "map": ["x": "aaaa"]],
                ["name": "a", "map": ["n0": "", "n1": ""]],
            ])
        for body in taken { try shape.check(body, at: "body") }
        for extreme in extremes {
            let refused = try #require(extreme.refused)
            let body = values.put(refused, at: extreme.place, in: small, shape)
            #expect(throws: CloudError.self) { try shape.check(body, at: "body") }
        }
    }
}
