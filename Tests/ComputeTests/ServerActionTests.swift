import Access
import CloudCore
@testable import Compute
import ControlPlane
import Durable
import HTTPKit
import TestSupport
import Testing

@Suite("The table of actions on servers")
struct ServerActionTests {
    private static let readme = "Sources/Compute/README.md"

    private static func text(_ states: Set<VMState>) -> String {
        guard states != ServerRule.everyState else { return "any" }
        return VMState.allCases.filter(states.contains).map(\.rawValue).joined(separator: ", ")
    }

    private static func code(_ text: String) -> String { "`\(text)`" }

    /// The states of an action in the order of its workflows.
    private static func states(_ action: ServerAction) -> [Set<VMState>] {
        action.works.isEmpty ? [action.rule.states] : action.works.map(\.states)
    }

    @Test("Each word and each workflow is there once")
    func once() {
        let words = ServerAction.all.map(\.word)
        #expect(Set(words).count == words.count)
        let kinds = ServerWork.all.map(\.kind)
        #expect(Set(kinds).count == kinds.count)
        for action in ServerAction.all {
            #expect(action.works.allSatisfy { $0.rule?.policy == action.rule.policy }, "\(action.word)")
        }
    }

    @Test("README has the same table")
    func documented() throws {
        let rows = ServerAction.all.flatMap { action -> [[String]] in
            let policy = Self.code(action.rule.policy.name.replacing("os_compute_api:", with: ""))
            let head = [Self.code(action.word), policy, "\(action.audience)"]
            guard !action.works.isEmpty else { return [head + [Self.text(action.rule.states), "", ""]] }
            return action.works.map { work in
                let kind = work.kind.name.replacing("compute.server.", with: "")
                let names = "\(Self.code(work.action)), \(Self.code(work.event))"
                return head + [Self.text(work.states), Self.code(kind), names]
            }
        }
        try DocumentedTable(path: Self.readme, heading: "## Actions").check(rows)
    }

    @Test("The picture of states on top of VMState has every action with its states")
    func picture() throws {
        let source = try DocumentedTable.text(of: "Sources/Compute/Model/Server.swift")
        let comment = source.matches(of: /(?m)^\/\/\/   (\S+) +(\S.*?) +──▶ (\S.*)$/)
        var found: [String: [(from: String, to: String)]] = [:]
        for line in comment { found[String(line.1), default: []].append((String(line.2), String(line.3))) }
        for action in ServerAction.all where !action.works.isEmpty || action.word == "os-resetState" {
            let lines = found.removeValue(forKey: action.word) ?? []
            #expect(lines.map(\.from) == Self.states(action).map(Self.text), "\(action.word)")
            for (work, line) in zip(action.works, lines) {
                if case .leaves(let state) = work.manner { #expect(line.to == state.rawValue, "\(action.word)") }
                if work.manner == .keeps { #expect(line.to == "the same", "\(action.word)") }
            }
        }
        #expect(found.isEmpty, "the picture has what the table has not: \(found.keys.sorted())")
    }

    @Test("README has the routes of every file, in the order of their URLs")
    func routes() async throws {
        try await TestCloud.run { cloud in
            let assemblies = cloud.cloud.assemblies.compactMap { $0 as? ComputeAssembly }
            let compute = try #require(assemblies.first)
            let files = DocumentedTable.paths(below: "Sources/Compute/Routes")
            var rows: [String: (methods: [String], file: String)] = [:]
            for group in compute.routeGroups {
                let name = "\(type(of: group)).swift"
                let file = try #require(files.first { "/\($0)".hasSuffix("/\(name)") }, "there is no \(name)")
                for route in group.all { rows[route.path, default: ([], file)].methods.append("\(route.method)") }
            }
            let table = rows.sorted { $0.key < $1.key }.map { path, row in
                [Self.code(path), row.methods.joined(separator: ", "), Self.code(row.file)]
            }
            try DocumentedTable(path: Self.readme, heading: "## Routes").check(table)
        }
    }
}
